package live

import (
	"context"
	"errors"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// How a revocation finds the rights that it is about. The denylist tells of each as it is
// made; what it may not have told is found by asking anew for all rights, from time to time
// and after every gap.

// watch ends what the denylist says is revoked, until the keeper's life ends.
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

// watchPause is between two attempts to watch.
const watchPause = time.Second

// react acts on what the denylist tells. What it does not know may end rights.
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
