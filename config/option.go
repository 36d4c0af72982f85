package config

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Option gives [Open] a collaborator.
type Option func(*opener)

type opener struct {
	store    denylist.Store
	source   paseto.KeySource
	log      *slog.Logger
	now      func() time.Time
	observer func(paseto.Event)
	quiet    bool

	implicit      func(*http.Request) []byte
	connContext   func(context.Context, *http.Request) context.Context
	rightObserver func(live.Event)
}

// WithStore makes store the denylist, whatever denylist.store says; program says there
// that one must be given. If it is a
// [denylist.Leases] too, or a [denylist.Wrapper] of one, rights are counted over
// all that share it, see [live.WithLeases]; else in this program alone. The caller
// closes it after the kit.
func WithStore(store denylist.Store) Option {
	return func(o *opener) { o.store = store }
}

// WithKeySource passes a source of further keys to the Authorizer, such as
// [httpauth.RemoteKeys]; see [paseto.WithKeySource]. With it, token.keys may be
// empty where token.verify_only is true.
func WithKeySource(source paseto.KeySource) Option {
	return func(o *opener) { o.source = source }
}

// WithLogger passes a logger to all parts. Default, and with nil: nothing is
// logged.
func WithLogger(logger *slog.Logger) Option {
	return func(o *opener) {
		if logger != nil {
			o.log = logger
		}
	}
}

// WithClock makes all parts tell the time by now instead of [time.Now]: tokens, limits,
// rights, and the store, unless that is given with [WithStore]. A key source has a
// clock of its own, see [httpauth.WithRemoteClock]. It must be safe for concurrent use. A
// test moves such a clock, and calls [live.Keeper.Recheck] to have everything end at once
// whose time has come. Timeouts of the network, and pings, go by the machine's clock in
// any case. Default, and with nil: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(o *opener) { o.now = now }
}

// WithObserver passes an observer to the Authorizer; see [paseto.WithObserver].
func WithObserver(observe func(paseto.Event)) Option {
	return func(o *opener) { o.observer = observe }
}

// WithImplicit passes the implicit assertion of the token endpoints to the Web; see
// [httpauth.WithImplicit].
func WithImplicit(implicit func(*http.Request) []byte) Option {
	return func(o *opener) { o.implicit = implicit }
}

// WithRightObserver passes an observer to the Keeper; see [live.WithObserver].
func WithRightObserver(observe func(live.Event)) Option {
	return func(o *opener) { o.rightObserver = observe }
}

// WithConnContext chooses the values that the contexts of connections have; see
// [wsauth.WithConnContext].
func WithConnContext(values func(ctx context.Context, r *http.Request) context.Context) Option {
	return func(o *opener) { o.connContext = values }
}
