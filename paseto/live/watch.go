package live

import (
	"context"
	"errors"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// How a revocation finds the rights that it covers. The denylist tells of each revocation when
// it is made. Some messages may be lost, so all rights are checked from time to time, and
// after every gap.

// watch ends the rights that the denylist says are revoked, until the keeper's life ends.
func (k *Keeper) watch(life context.Context) {
	for life.Err() == nil {
		err := k.auth.WatchDenylist(life, k.react)
		if life.Err() != nil || errors.Is(err, denylist.ErrClosed) {
			return
		}
		k.log.ErrorContext(life, "denylist cannot be watched; revocations end rights late", "err", err)
		k.pause(watchPause)
	}
}

// watchPause is the time between two attempts to watch.
const watchPause = time.Second

// react acts on an event of the denylist. An event of an unknown kind may be about any right,
// so it causes a check of all.
func (k *Keeper) react(e denylist.Event) {
	switch e.Kind {
	default:
		signal(k.missed)
		signal(k.missedLeases)
	case denylist.EventDisplaced:
		k.displaced(e.Lease)
	case denylist.EventRevoked:
		ends := func(c *paseto.Claims) bool { return k.auth.RevokedBy(c, e.Revocation) }
		for _, r := range k.rights.covered(e.Revocation, ends) {
			r.End(refusal.New(paseto.ErrRevoked))
		}
	}
}
