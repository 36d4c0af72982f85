package paseto

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/strictjson"
)

// Refresh exchanges a refresh token for a new pair of the same session, with
// the same subject, issuer, audience, scopes, claims and footer, in the same
// version, purpose and wrapping. The new refresh token lives as long from now as
// the old one did from its issue, within [Config.MaxTTL]; the new access token
// as long as configured, and is never fresh.
//
// Only tokens of this issuer are refreshed: one that only a public half or a
// [KeySource] opens is another's, and is refused with [ErrForbidden].
//
// With a denylist that checks refresh tokens, a refresh token works once: of
// two callers who present the same one, one gets a pair and the other
// [ErrRevoked]. Without, it works until it expires.
//
// Of req, Type is taken as [TypeRefresh], and Fresh and Optional must not be
// set. Errors are those of [Authorizer.Verify] and [Authorizer.IssuePair].
func (a *Authorizer) Refresh(ctx context.Context, token string, req Requirement) (Pair, error) {
	req.Type = TypeRefresh
	if req.Optional {
		return Pair{}, fmt.Errorf("%w: Optional together with a refresh", ErrRequirement)
	}
	old, err := a.Verify(ctx, token, req)
	if err != nil {
		return Pair{}, err
	}
	grant, err := successor(old)
	if err != nil {
		return Pair{}, err
	}
	grant.RefreshTTL = a.lifetimeOf(old)
	grant.Implicit, grant.Base64 = req.Implicit, req.Base64
	// Issued before the old one is used up, so that a pair that cannot be
	// issued costs the client nothing.
	pair, err := a.sealPair(grant)
	if err != nil {
		return Pair{}, err
	}
	if old.foreign {
		err = refuse(ErrForbidden, "the refresh token is another issuer's")
	} else {
		err = a.useUp(ctx, old)
	}
	if err == nil {
		// A revocation that came since the first look does not cover the new
		// pair if a second has begun since; it must not come out.
		err = a.Revoked(ctx, old)
	}
	if err != nil {
		a.observe(Event{Kind: EventRefused, Claims: old, Err: err})
		return Pair{}, err
	}
	a.observePair(pair)
	return pair, nil
}

// successor returns the grant of the pair that follows a refresh token: complete,
// so that nothing configured is added to what the login granted.
func successor(old *Claims) (Grant, error) {
	custom := make(map[string]json.RawMessage)
	err := strictjson.Object(old.payload, func(name string, value json.RawMessage) error {
		if _, ok := reserved[name]; !ok {
			custom[name] = value
		}
		return nil
	})
	if err != nil {
		return Grant{}, refuse(ErrClaims, "%w", err)
	}
	return Grant{
		Subject:  old.Subject,
		Session:  old.Session,
		Scopes:   old.Scopes,
		Issuer:   old.Issuer,
		Audience: old.Audience,
		Claims:   custom,
		Footer:   successorFooter(old.Footer),
		Version:  old.Version,
		Purpose:  old.Purpose,
	}, nil
}

// lifetimeOf returns how long a token was given to live, as far as that may be
// given again, and zero where it does not say.
func (a *Authorizer) lifetimeOf(c *Claims) time.Duration {
	switch {
	case c.ExpiresAt.IsZero():
		return NoExpiry
	case c.IssuedAt.IsZero() || !c.IssuedAt.Before(c.ExpiresAt):
		return 0
	}
	ttl := max(c.ExpiresAt.Sub(c.IssuedAt), time.Second)
	if exceeds(ttl, a.cfg.MaxTTL) {
		return a.cfg.MaxTTL
	}
	return ttl
}

// successorFooter returns a footer without its kid, which names the key of the
// old token.
func successorFooter(footer []byte) any {
	if footerKeyID(footer) == "" {
		if len(footer) == 0 {
			return nil
		}
		return footer
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(footer, &members) != nil {
		return footer // not so: it was read before
	}
	delete(members, kidMember)
	if len(members) == 0 {
		return nil
	}
	return members
}

// useUp marks a refresh token as used, and refuses it if it was before.
func (a *Authorizer) useUp(ctx context.Context, c *Claims) error {
	if a.store == nil || !slices.Contains(a.cfg.DenylistTypes, TypeRefresh) {
		return nil
	}
	if c.ID == "" {
		return refuse(ErrClaims, "the refresh token has no jti to use it up by")
	}
	_, first, err := a.store.Consume(ctx, "refresh:"+c.ID, a.now().UTC().Format(time.RFC3339), a.Deadline(c))
	switch {
	case err != nil:
		return a.denylistFailed(ctx, c, err)
	case !first:
		return refuse(ErrRevoked, "the refresh token was used before")
	}
	return nil
}
