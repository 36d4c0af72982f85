package paseto

import (
	"log/slog"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// Option gives an [Authorizer] one of its collaborators.
type Option func(*Authorizer)

// WithDenylist turns revocation on: every verification of a listed type asks
// store, and the methods that revoke record there. The caller closes store
// after the last use of the Authorizer.
func WithDenylist(store denylist.Store) Option {
	return func(a *Authorizer) { a.store = store }
}

// WithClock makes the Authorizer tell the time by now instead of [time.Now].
func WithClock(now func() time.Time) Option {
	return func(a *Authorizer) {
		if now != nil {
			a.now = now
		}
	}
}

// WithLogger logs failures of the denylist: at most 20 lines of a kind in a minute. It
// logs reused refresh tokens: as many for each subject. The first line after that
// minute comes with one that says how many were left out. No token and no key is ever
// logged. Default, and with nil: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(a *Authorizer) {
		if logger != nil {
			a.log = logger
		}
	}
}

// WithObserver calls observe for every [Event], on the goroutine that caused
// it; it must return quickly and be safe for concurrent use.
func WithObserver(observe func(Event)) Option {
	return func(a *Authorizer) {
		if observe != nil {
			a.observe = observe
		}
	}
}
