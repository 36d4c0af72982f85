package paseto

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/clientlog"
)

// Revoke revokes the one token with these claims. Other tokens of its session
// stay valid: to log out, use [Authorizer.RevokeSession]. Nil claims, or a token
// without a jti, cannot be revoked and give [ErrClaims]; so does a ticket, which
// ends with its access token, session and subject, and a jti that the denylist
// cannot hold. Other errors of recording wrap [ErrUnavailable]; the token must then
// be taken as still valid.
func (a *Authorizer) Revoke(ctx context.Context, c *Claims) error {
	if c == nil || c.ID == "" {
		return refuse(ErrClaims, "there is no jti to revoke the token by")
	}
	if c.Type == TypeTicket {
		return refuse(ErrClaims, "a ticket cannot be revoked; revoke what it stands for")
	}
	return a.record(ctx, c, denylist.Revocation{TokenID: c.ID, Until: a.keptUntil(a.Deadline(c))})
}

// RevokeSession revokes every token of a login session: the pair that the login
// returned and all that came of it. An empty session, or one that is too long,
// gives [denylist.ErrInvalid]; other errors are those of [Authorizer.Revoke].
func (a *Authorizer) RevokeSession(ctx context.Context, session string) error {
	if session == "" {
		return fmt.Errorf("%w: the session is empty", denylist.ErrInvalid)
	}
	return a.record(ctx, nil, a.ofSession(session))
}

func (a *Authorizer) ofSession(session string) denylist.Revocation {
	return denylist.Revocation{Session: session, Until: a.outlive(a.now())}
}

// RevokeSubject ends every login of a subject that was made in the second of
// issuedBefore or earlier; zero means now. It revokes the tokens of these logins,
// those included that a refresh issues later, and tokens outside of any login
// that were issued by then. Tokens carry whole seconds, so that a login later in
// the same second is ended as well. A login at a server whose clock runs ahead
// bears a later time, and is not: where there are such, give a later
// issuedBefore. An empty subject, or one that is too long, gives
// [denylist.ErrInvalid]; other errors are those of [Authorizer.Revoke].
func (a *Authorizer) RevokeSubject(ctx context.Context, subject string, issuedBefore time.Time) error {
	if subject == "" {
		return fmt.Errorf("%w: the subject is empty", denylist.ErrInvalid)
	}
	now := a.now()
	if issuedBefore.IsZero() {
		issuedBefore = now
	}
	last := now // the latest time at which a covered token may yet be issued
	if issuedBefore.After(now) {
		last = issuedBefore
	}
	return a.record(ctx, nil, denylist.Revocation{
		Subject: subject, IssuedBefore: issuedBefore, Until: a.outlive(last),
	})
}

// Revocable returns nil if a token with these claims is dead everywhere once it is
// revoked here. Else it returns an [ErrRevocation] that says why not: there is no
// denylist, [DenylistConfig.Check] does not list the token's type, or the token is
// another issuer's and the denylist does not say that it is [denylist.Shared]: that
// issuer and its other services may never hear of it. Where no key issues tokens, every token counts as
// another issuer's.
func (a *Authorizer) Revocable(c *Claims) error {
	if a.store == nil {
		return refuse(ErrRevocation, "there is no denylist")
	}
	if c == nil {
		return refuse(ErrClaims, "there are no claims")
	}
	if !slices.Contains(a.cfg.Denylist.Check, c.Type) {
		err := refuse(ErrRevocation, "tokens of the type %q are not looked up in the denylist; add it to Config.Denylist.Check (denylist.check)",
			clientlog.Cut(c.Type))
		err.Message = "This server does not look up revocations of this type of token. It is valid until it expires"
		return err
	}
	issues := func(k ringKey) bool { return k.CanIssue() }
	if c.foreign || !slices.ContainsFunc(*a.ring.Load(), issues) {
		store, known := denylist.As[denylist.Shared](a.store)
		if known && store.Shared() {
			return nil
		}
		err := refuse(ErrRevocation, "the token is another issuer's, which does not hear of this process's denylist; "+
			"share a Redis with the issuer, or log out there")
		if !known {
			err = refuse(ErrRevocation, "the token is another issuer's, and the denylist, a %T, does not say whether that hears of it; "+
				"have it implement denylist.Shared, or denylist.Wrapper if it wraps a store", a.store)
		}
		err.Message = "This server cannot revoke tokens of another issuer. Log out where the token was issued"
		return err
	}
	return nil
}

// outlive returns the time until which to keep what covers every token issued
// until last, zero for ever. An issuer's clock may be ahead by StartLeeway, and Leeway
// comes after the expiry.
func (a *Authorizer) outlive(last time.Time) time.Time {
	if a.cfg.MaxTTL == NoExpiry || a.cfg.AllowNoExpiry {
		return time.Time{}
	}
	return a.keptUntil(last.Add(a.cfg.MaxTTL + a.cfg.startLeeway() + a.cfg.Leeway))
}

// clockMargin is how much longer records are kept than the leeways demand, for
// clocks that differ by more, and the rounding of times.
const clockMargin = time.Minute

// keptUntil returns the time until which to keep a record of a token with this
// deadline, zero for ever: the store's clock may be ahead of the one that still
// finds the token valid.
func (a *Authorizer) keptUntil(deadline time.Time) time.Time {
	if deadline.IsZero() {
		return time.Time{}
	}
	return deadline.Add(max(a.cfg.startLeeway(), a.cfg.Leeway) + clockMargin)
}

func (a *Authorizer) record(ctx context.Context, c *Claims, r denylist.Revocation) error {
	if a.store == nil {
		return ErrNoDenylist
	}
	err := a.store.Revoke(ctx, r)
	switch {
	case errors.Is(err, denylist.ErrInvalid) && c != nil:
		return refuse(ErrClaims, "recording a revocation: %w", err)
	case errors.Is(err, denylist.ErrInvalid):
		return fmt.Errorf("paseto: recording a revocation: %w", err)
	case err != nil:
		a.clientLog.Write(ctx, netip.Prefix{}, slog.LevelError, "revocation could not be recorded", "err", err)
		a.observe(Event{Kind: EventDenylistFailed, Claims: c, Revocation: r, Err: err})
		return refuse(ErrUnavailable, "recording a revocation: %w", err)
	}
	a.observe(Event{Kind: EventRevoked, Claims: c, Revocation: r})
	return nil
}
