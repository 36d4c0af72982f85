// Package journeys_test walks the roads of a user who runs several servers, or whose tokens are revoked.
package journeys_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
