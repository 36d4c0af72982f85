package paseto

import (
	"context"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// Revoke revokes the one token with these claims. Other tokens of its session
// stay valid: to log out, use [Authorizer.RevokeSession]. Nil claims, or a token
// without a jti, cannot be revoked and give [ErrClaims]. Errors of recording
// wrap [ErrUnavailable]; the token must then be taken as still valid.
func (a *Authorizer) Revoke(ctx context.Context, c *Claims) error {
	if c == nil || c.ID == "" {
		return refuse(ErrClaims, "there is no jti to revoke the token by")
	}
	return a.record(ctx, c, denylist.Revocation{TokenID: c.ID, Until: a.Deadline(c)})
}

// RevokeSession revokes every token of a login session: the pair that the login
// returned and all that came of it. Errors are those of [Authorizer.Revoke].
func (a *Authorizer) RevokeSession(ctx context.Context, session string) error {
	if session == "" {
		return fmt.Errorf("%w: the session is empty", denylist.ErrInvalid)
	}
	return a.record(ctx, nil, denylist.Revocation{Session: session, Until: a.outlive(a.now())})
}

// RevokeSubject revokes every token of a subject that was issued in the second
// of issuedBefore or earlier; zero means now. Tokens carry whole seconds, so a
// token issued later in the same second is revoked as well. Tokens of an issuer
// whose clock runs ahead bear a later time, and are not: where there are such,
// give a later issuedBefore. Errors are those of [Authorizer.Revoke].
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

// outlive returns the time at which every token issued until last has expired,
// zero if some may never. The leeway counts twice, for an issuer's clock that is
// ahead and for the expiry, and a second for the rounding of times.
func (a *Authorizer) outlive(last time.Time) time.Time {
	if a.cfg.MaxTTL == NoExpiry || a.cfg.AllowNoExpiry {
		return time.Time{}
	}
	return last.Add(a.cfg.MaxTTL + 2*a.cfg.Leeway + time.Second)
}

func (a *Authorizer) record(ctx context.Context, c *Claims, r denylist.Revocation) error {
	if a.store == nil {
		return ErrNoDenylist
	}
	if err := a.store.Revoke(ctx, r); err != nil {
		a.log.ErrorContext(ctx, "revocation could not be recorded", "err", err)
		a.observe(Event{Kind: EventDenylistFailed, Claims: c, Revocation: r, Err: err})
		return refuse(ErrUnavailable, "recording a revocation: %w", err)
	}
	a.observe(Event{Kind: EventRevoked, Claims: c, Revocation: r})
	return nil
}
