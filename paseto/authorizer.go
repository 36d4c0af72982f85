package paseto

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// Authorizer issues, verifies, refreshes and revokes tokens. It is safe for
// concurrent use, starts no goroutine and needs no Close.
type Authorizer struct {
	cfg     Config
	store   denylist.Store // nil: no revocation
	now     func() time.Time
	log     *slog.Logger
	observe func(Event)
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
	if err := a.cfg.validate(); err != nil {
		return nil, err
	}
	return a, nil
}

// Config returns the configuration in force, defaults filled in.
func (a *Authorizer) Config() Config { return a.cfg.withDefaults() }

// CanIssue reports whether there is a key that issues tokens of the configured
// version and purpose.
func (a *Authorizer) CanIssue() bool { return a.issuingKey(a.cfg.Purpose) != nil }

// CanRevoke reports whether there is a denylist.
func (a *Authorizer) CanRevoke() bool { return a.store != nil }

// Deadline returns the time from which a token with these claims is no longer
// accepted, its expiry plus the leeway, and zero if it has no expiry.
func (a *Authorizer) Deadline(c *Claims) time.Time {
	if c == nil || c.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return c.ExpiresAt.Add(a.cfg.Leeway)
}

// Now returns the time by the Authorizer's clock.
func (a *Authorizer) Now() time.Time { return a.now() }

func (a *Authorizer) issuingKey(purpose Purpose) codec.Sealer {
	for _, key := range a.cfg.Keys {
		if key.version == a.cfg.Version && key.purpose == purpose && key.CanIssue() {
			return key.sealer
		}
	}
	return nil
}

// openers returns the keys that open a token of this version and purpose.
func (a *Authorizer) openers(p codec.Parts) ([]codec.Opener, error) {
	var openers []codec.Opener
	knownVersion := false
	for _, key := range a.cfg.Keys {
		if string(key.version) != p.Version {
			continue
		}
		knownVersion = true
		if string(key.purpose) == p.Purpose {
			openers = append(openers, key.opener)
		}
	}
	switch {
	case !knownVersion:
		return nil, refuseWith(ErrVersion, "Invalid PASETO version"+shown(p.Version))
	case len(openers) == 0:
		return nil, refuseWith(ErrPurpose, "Invalid PASETO purpose"+shown(p.Purpose))
	}
	return openers, nil
}

// shown returns a word of a token's header for a message, or nothing where it
// is not a short word: the header is the sender's to write.
func shown(word string) string {
	const longest = 16
	odd := func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	if word == "" || len(word) > longest || slices.ContainsFunc([]rune(word), odd) {
		return ""
	}
	return " " + word
}

// Revoked asks the denylist whether a token is revoked. It is part of every
// verification; a program that holds on to claims asks again. Without a
// denylist, and for types that are not listed in [Config.DenylistTypes], it
// returns nil without asking, as it does for an anonymous caller. The error is
// [ErrRevoked] or [ErrUnavailable], or wraps the context's if that has ended.
func (a *Authorizer) Revoked(ctx context.Context, c *Claims) error {
	if c == nil || a.store == nil || !slices.Contains(a.cfg.DenylistTypes, c.Type) {
		return nil
	}
	revoked, err := a.store.Revoked(ctx, denylist.Token{
		ID: c.ID, Session: c.Session, Subject: c.Subject, IssuedAt: c.IssuedAt,
	})
	switch {
	case err != nil:
		return a.denylistFailed(ctx, c, err)
	case revoked:
		return ErrRevoked
	}
	return nil
}

// denylistFailed decides what a denylist failure means for a token. That the
// caller has gone away is no failure, and never lets a token in.
func (a *Authorizer) denylistFailed(ctx context.Context, c *Claims, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("paseto: asking the denylist: %w", ended)
	}
	a.observe(Event{Kind: EventDenylistFailed, Claims: c, Err: err})
	if a.cfg.DenylistFailOpen {
		a.log.ErrorContext(ctx, "denylist cannot be asked; token accepted unchecked", "err", err, "token", c)
		a.observe(Event{Kind: EventDenylistBypassed, Claims: c, Err: err})
		return nil
	}
	a.log.ErrorContext(ctx, "denylist cannot be asked; token refused", "err", err, "token", c)
	return refuse(ErrUnavailable, "%w", err)
}
