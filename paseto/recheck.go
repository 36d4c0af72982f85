package paseto

import (
	"context"
	"slices"

	"github.com/pasetokit/pasetokit/denylist"
)

// Revoked asks the denylist whether a token is revoked. It is part of every
// verification; a program that holds on to claims asks again. Without a
// denylist, and for types that are not listed in [DenylistConfig.Check], it
// returns nil without asking, as it does for an anonymous caller. The error is
// [ErrRevoked] or [ErrUnavailable], or wraps the context's if that has ended.
func (a *Authorizer) Revoked(ctx context.Context, c *Claims) error {
	if !a.listed(c) {
		return nil
	}
	revoked, err := a.store.Revoked(ctx, c.denylistToken())
	switch {
	case err != nil:
		return a.denylistFailed(ctx, c, err)
	case revoked:
		return ErrRevoked.refusal()
	}
	return nil
}

// Recheck reports why a token that was admitted would not be any more: it has
// expired ([ErrExpired]), its key has been taken out or its retirement is over
// ([ErrKeyWithdrawn]), or what [Authorizer.Revoked] reports. It is for programs
// that hold on to claims. The keys of a [KeySource] are not asked for again, and
// an anonymous caller's right does not end.
func (a *Authorizer) Recheck(ctx context.Context, c *Claims) error {
	if c == nil {
		return nil
	}
	now := a.now()
	if deadline := a.Deadline(c); !deadline.IsZero() && !now.Before(deadline) {
		return ErrExpired.refusal()
	}
	if c.kid != "" && !a.ring.Load().opens(c.kid, now) {
		return ErrKeyWithdrawn.refusal()
	}
	return a.Revoked(ctx, c)
}

// RevokedBy reports whether a revocation that has been recorded ends the right of
// these claims, as [Authorizer.Revoked] would find.
func (a *Authorizer) RevokedBy(c *Claims, r denylist.Revocation) bool {
	return a.listed(c) && r.Covers(c.denylistToken())
}

// WatchDenylist calls fn for every revocation that is recorded anywhere, as
// [denylist.Store] says of Watch, until ctx ends. fn treats a kind of event that it
// does not know as [denylist.EventMissed]. Without a denylist it returns [ErrNoDenylist].
func (a *Authorizer) WatchDenylist(ctx context.Context, fn func(denylist.Event)) error {
	if a.store == nil {
		return ErrNoDenylist
	}
	return a.store.Watch(ctx, fn)
}

// listed reports whether tokens of these claims' type are looked up.
func (a *Authorizer) listed(c *Claims) bool {
	return c != nil && a.store != nil && slices.Contains(a.cfg.Denylist.Check, c.Type)
}

// denylistToken returns what the denylist is asked.
func (c *Claims) denylistToken() denylist.Token {
	return denylist.Token{ID: c.ID, Session: c.Session, Subject: c.Subject, IssuedAt: c.origin()}
}
