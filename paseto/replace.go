package paseto

import (
	"context"
	"fmt"
	"slices"

	"github.com/pasetokit/pasetokit/denylist"
)

// ReplaceSessions ends all sessions of the grant's subject but a new one, and returns
// the new one's pair. It is for a change of password, and wherever else nobody may stay
// logged in who was. It ends also the session that ctx has the claims of (see
// [FromContext]), logins of the same second, and tokens of the subject outside of any
// session, as [Authorizer.RevokeSubject] does. Of two calls the later one's session
// remains, also within a second. A login just made at another server whose clock is ahead
// bears a later time and stays, unless it is that of ctx.
//
// The revocation is recorded although ctx ends meanwhile. On an error no pair is
// returned; old sessions may have ended all the same, and to call again does no harm. It
// is that of [Authorizer.IssuePair], of a grant without a subject or with a session, or
// wraps [ErrUnavailable]. It is [ErrNoDenylist] also where the denylist is not asked for
// refresh tokens, for no session would end then. Access tokens that
// [DenylistConfig.Check] leaves out stay valid until they expire. It is [ErrRevoked]
// where a revocation with a later time covers the new session too, as one from a server
// whose clock is ahead may: then the user has to log in.
func (a *Authorizer) ReplaceSessions(ctx context.Context, g Grant) (Pair, error) {
	switch {
	case a.store == nil:
		return Pair{}, ErrNoDenylist
	case !slices.Contains(a.cfg.Denylist.Check, TypeRefresh):
		return Pair{}, fmt.Errorf("%w that is asked for refresh tokens; see Config.Denylist.Check", ErrNoDenylist)
	case g.Subject == "":
		return Pair{}, fmt.Errorf("%w: Subject is empty; it says whose sessions are replaced", ErrGrant)
	case g.Session != "":
		return Pair{}, fmt.Errorf("%w: Session is set; the session that replaces the others must be a new one", ErrGrant)
	}
	cutoff := a.now()
	pair, err := a.sealPair(a.complete(g), a.newPairing("")) // first, so that a bad grant ends nothing
	if err != nil {
		return Pair{}, err
	}
	ctx = context.WithoutCancel(ctx)
	err = a.record(ctx, nil, denylist.Revocation{
		Subject: g.Subject, IssuedBefore: cutoff, Except: pair.Refresh.Claims.Session, Until: a.outlive(cutoff),
	})
	if err != nil {
		return Pair{}, err
	}
	if err := a.endPresent(ctx, g.Subject); err != nil {
		return Pair{}, err
	}
	covered, err := a.store.Revoked(ctx, pair.Refresh.Claims.denylistToken())
	switch {
	case err != nil:
		return Pair{}, refuse(ErrUnavailable, "asking for the new session: %w", err)
	case covered:
		return Pair{}, refuse(ErrRevoked, "a later revocation of the subject covers the new session")
	}
	a.observePair(pair)
	return pair, nil
}

// endPresent revokes the session of the claims in ctx, or the token alone that belongs to
// none, if the cut-off that was just recorded does not cover it: the clock that it was
// made by is ahead, or a later cut-off excepts it. A later cut-off here would end it too,
// and would keep the new session through revocations of the subject until that time.
func (a *Authorizer) endPresent(ctx context.Context, subject string) error {
	c := FromContext(ctx)
	if c == nil || c.Subject != subject {
		return nil
	}
	covered, err := a.store.Revoked(ctx, c.denylistToken())
	switch {
	case err != nil:
		return refuse(ErrUnavailable, "asking for the present session: %w", err)
	case covered:
		return nil
	case c.Session == "":
		return a.Revoke(ctx, c)
	}
	return a.RevokeSession(ctx, c.Session)
}
