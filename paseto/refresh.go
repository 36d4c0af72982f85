package paseto

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/strictjson"
)

// Refresh exchanges a refresh token for a new pair of the same session, with
// the same subject, issuer, audience, scopes, claims and footer, in the same
// wrapping, and in the same version and purpose, unless no key issues such: then in
// the configured ones. The new refresh token lives as long from now as
// the old one did from its issue, within [Config.MaxTTL]; the new access token
// as long as configured, and is never fresh. Neither outlives the session, see
// [Config.SessionTTL]; when that is over, the error is [ErrExpired].
//
// Only tokens of this issuer are refreshed: one that only a public half or a
// [KeySource] opens is another's, and is refused with [ErrForbidden]. One that no
// pair can follow is refused with [ErrClaims]: another program that has the key can
// issue tokens that this one would not, such as with a login that lies ahead.
//
// With a denylist that checks refresh tokens, every use of one token within
// [Config.RefreshGrace] of the first gets the same pair: tokens with the same
// identifiers, of any number of callers on any number of machines. A use after
// that is a reuse: somebody has a copy of the token, and it cannot be told who.
// The session is revoked, [EventReused] is observed, and the error is
// [ErrReused]. Without such a denylist a refresh token works until it expires.
//
// The denylist keeps one record of each pair that was issued by a login, however
// often it is refreshed; [Config.RefreshesPerMinute] bounds how often that is. A
// refresh beyond it uses nothing up and gives [ErrRefreshes].
//
// While the denylist cannot be asked and [DenylistConfig.FailOpen] is set, a
// refresh token works any number of times, each time for a pair of its own.
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
	pair, err := a.rotate(ctx, old, req)
	if err != nil {
		if refusal, ok := errors.AsType[*Error](err); ok && refusal != nil {
			a.observe(Event{Kind: EventRefused, Claims: old, Err: err})
		}
		return Pair{}, err
	}
	a.observePair(pair)
	return pair, nil
}

// rotate returns the pair that follows a valid refresh token.
func (a *Authorizer) rotate(ctx context.Context, old *Claims, req Requirement) (Pair, error) {
	if old.foreign {
		return Pair{}, refuse(ErrForbidden, "the refresh token is another issuer's")
	}
	grant, rot, err := a.successor(old, req)
	if err != nil {
		return Pair{}, err
	}
	// Issued before the old one is used up, so that a pair that cannot be
	// issued costs the client nothing.
	own := a.newPairing(old.Session)
	if rot != (generation{}) {
		own.rot = rot.next()
	}
	pair, err := a.sealPair(grant, own)
	if errors.Is(err, ErrGrant) { // all of it comes from the token
		return Pair{}, refuse(ErrClaims, "no pair can follow the refresh token: %w", err)
	}
	if err != nil {
		return Pair{}, err
	}
	agreed, err := a.useUp(ctx, old, rot, own, pair.Refresh.Claims)
	if err != nil {
		return Pair{}, err
	}
	if agreed != own {
		if pair, err = a.sealPair(grant, agreed); err != nil {
			return Pair{}, err
		}
	}
	// A revocation of the old token that came since the first look does not
	// cover the new pair, which must not come out.
	if err := a.Revoked(ctx, old); err != nil {
		return Pair{}, err
	}
	return pair, nil
}

// useUp marks a refresh token as used for a pair, whose own refresh token says
// next, and returns the pair that it is used for: that of the first caller.
func (a *Authorizer) useUp(ctx context.Context, old *Claims, rot generation, own pairing, next *Claims) (pairing, error) {
	if a.store == nil || !slices.Contains(a.cfg.Denylist.Check, TypeRefresh) {
		return own.unrecorded(), nil
	}
	if old.ID == "" {
		return own, refuse(ErrClaims, "the refresh token has no jti to use it up by")
	}
	if rot != (generation{}) {
		return a.advance(ctx, old, rot, own, later(a.keptUntil(a.Deadline(old)), a.keptUntil(a.Deadline(next))))
	}
	winner, first, err := a.store.Consume(ctx, "refresh:"+old.ID, own.text(old.Session), a.keptUntil(a.Deadline(old)))
	if err != nil {
		return own, a.denylistFailed(ctx, old, err)
	}
	if first {
		return own, nil
	}
	agreed, err := parsePairing(winner, old.Session)
	if err != nil {
		return own, refuse(ErrRevoked, "the refresh token was used before, and for what is unreadable: %w", err)
	}
	return a.repeated(ctx, old, agreed)
}

// reused ends the session of a refresh token that is presented again. Ago says when
// it was used.
func (a *Authorizer) reused(ctx context.Context, old *Claims, session, ago string) error {
	r := a.ofSession(session)
	ctx = context.WithoutCancel(ctx) // whoever has the copy must not prevent it by hanging up
	if err := a.record(ctx, old, r); err != nil {
		return err
	}
	if old.Session == "" { // and so not covered by that
		if err := a.Revoke(ctx, old); err != nil {
			return err
		}
	}
	err := refuse(ErrReused, "it was used %s; its session is revoked", ago)
	a.clientLog.WriteAbout(ctx, old.Subject, slog.LevelWarn, "refresh token reused; session revoked", "token", old)
	a.observe(Event{Kind: EventReused, Claims: old, Revocation: r, Err: err})
	return err
}

// successor returns the grant of the pair that follows a refresh token: complete,
// so that nothing configured is added to what the login granted. It also returns
// the generation of the token, zero if it has none.
func (a *Authorizer) successor(old *Claims, req Requirement) (Grant, generation, error) {
	authTime := old.AuthTime
	if authTime.IsZero() { // from before there was one, or another issuer's
		authTime = old.IssuedAt
	}
	if end := a.cfg.within(authTime, time.Time{}); !end.IsZero() && end.Before(a.now().Add(time.Second)) {
		return Grant{}, generation{}, refuse(ErrExpired, "the session began at %s and is over", authTime.UTC().Format(time.RFC3339))
	}
	var rot generation
	custom := make(map[string]json.RawMessage)
	err := strictjson.Object([]byte(old.payload), func(name string, value json.RawMessage) error {
		if name == rotClaim && old.Session != "" {
			claim, _ := strictjson.String(value)
			rot = parseGeneration(claim)
		}
		if _, ok := reserved[name]; !ok {
			custom[name] = value
		}
		return nil
	})
	if err != nil {
		return Grant{}, generation{}, refuse(ErrClaims, "%w", err)
	}
	version, purpose := a.issuable(old)
	return Grant{
		Subject:    old.Subject,
		Scopes:     old.Scopes,
		AuthTime:   authTime,
		RefreshTTL: a.lifetimeOf(old),
		Issuer:     old.Issuer,
		Audience:   old.Audience,
		Claims:     custom,
		Footer:     successorFooter(old.Footer),
		Version:    version,
		Purpose:    purpose,
		Implicit:   req.Implicit,
		Base64:     req.Base64,
	}, rot, nil
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
