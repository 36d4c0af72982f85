package wsauth_test

import (
	"context"
	"errors"

	"github.com/pasetokit/pasetokit/denylist"
)

var errStoreDown = errors.New("connection refused")

// down is the answer of a denylist that is.
func down(context.Context, denylist.Token) (bool, error) { return false, errStoreDown }
