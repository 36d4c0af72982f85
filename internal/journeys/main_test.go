// Package journeys_test follows users of several servers, and users whose tokens are revoked, over real sockets.
package journeys_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
