package paseto

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/clientlog"
)

// Authorizer issues, verifies, refreshes and revokes tokens. It is safe for
// concurrent use, starts no goroutine and needs no Close.
type Authorizer struct {
	cfg     Config // but for the keys
	ring    atomic.Pointer[keyring]
	source  KeySource      // nil: no other keys
	store   denylist.Store // nil: no revocation
	now     func() time.Time
	log     *slog.Logger
	observe func(Event)

	clientLog *clientlog.Log // where clients choose what is logged, or how often
}

// New returns an Authorizer. The error wraps [ErrConfig] and names everything
// that is wrong with cfg.
func New(cfg Config, opts ...Option) (*Authorizer, error) {
	a := &Authorizer{
		cfg:     cfg.withDefaults(),
		now:     time.Now,
		log:     slog.New(slog.DiscardHandler),
		observe: func(Event) {},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(a)
		}
	}
	if err := errors.Join(cfg.Validate(), a.SetKeys(cfg.Keys...)); err != nil {
		return nil, err
	}
	a.cfg.Keys = nil
	a.clientLog = clientlog.New(a.log, a.now)
	return a, nil
}

// Config returns the configuration in force, defaults filled in.
func (a *Authorizer) Config() Config {
	cfg := a.cfg.clone()
	cfg.Keys = a.Keys()
	return cfg
}

// CanIssue reports whether there is a key that issues tokens of the configured
// version and purpose.
func (a *Authorizer) CanIssue() bool {
	_, ok := a.ring.Load().issuing(a.cfg.Version, a.cfg.Purpose)
	return ok
}

// CanRevoke reports whether there is a denylist.
func (a *Authorizer) CanRevoke() bool { return a.store != nil }

// Denylist returns the store that was given with [WithDenylist], nil for none.
func (a *Authorizer) Denylist() denylist.Store { return a.store }

// Deadline returns the time from which a token with these claims is no longer
// accepted, its expiry plus the leeway, and zero if it has no expiry. It is never
// after the year 9999, which could not be written as RFC 3339 has it.
func (a *Authorizer) Deadline(c *Claims) time.Time {
	if c == nil || c.ExpiresAt.IsZero() {
		return time.Time{}
	}
	deadline := c.ExpiresAt.Add(a.cfg.Leeway)
	if deadline.UTC().Year() > 9999 {
		return c.ExpiresAt
	}
	return deadline
}

// Now returns the time by the Authorizer's clock.
func (a *Authorizer) Now() time.Time { return a.now() }

// denylistFailed decides what a denylist failure means for a token. That the
// caller has gone away is no failure, and never lets a token in; nor does a name
// that the store cannot hold, which is the token's own fault.
func (a *Authorizer) denylistFailed(ctx context.Context, c *Claims, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("paseto: asking the denylist: %w", ended)
	}
	if errors.Is(err, denylist.ErrInvalid) {
		return refuse(ErrClaims, "asking the denylist: %w", err)
	}
	a.observe(Event{Kind: EventDenylistFailed, Claims: c, Err: err})
	if a.cfg.Denylist.FailOpen {
		a.clientLog.Write(ctx, netip.Prefix{}, slog.LevelError, "denylist cannot be asked; token accepted unchecked", "err", err, "token", c)
		a.observe(Event{Kind: EventDenylistBypassed, Claims: c, Err: err})
		return nil
	}
	a.clientLog.Write(ctx, netip.Prefix{}, slog.LevelError, "denylist cannot be asked; token refused", "err", err, "token", c)
	return refuse(ErrUnavailable, "%w", err)
}
