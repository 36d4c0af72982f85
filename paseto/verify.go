package paseto

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/scheme"
	"github.com/pasetokit/pasetokit/paseto/internal/codec"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// Verify returns the claims of a token that is authentic, valid now, meets req
// and is not revoked. The denylist is asked last, and only for a token that
// passes all else; then req.Check.
//
// With [Requirement.Optional] it returns nil claims and no error for an
// anonymous caller, whose token is empty or not valid here.
//
// The error is an [*Error], wraps [ErrRequirement], or is the context's if
// that ends while the denylist is asked.
func (a *Authorizer) Verify(ctx context.Context, token string, req Requirement) (*Claims, error) {
	if err := req.Validate(); err != nil {
		return nil, err
	}
	claims, err := a.open(ctx, token, req)
	if err != nil {
		if token != "" {
			a.observe(Event{Kind: EventRefused, Claims: claims, Err: err})
		}
		if req.Optional && !errors.Is(err, ErrKeysUnavailable) && ctx.Err() == nil {
			return nil, nil
		}
		return nil, err
	}
	if err := a.admit(ctx, claims, req); err != nil {
		a.observe(Event{Kind: EventRefused, Claims: claims, Err: err})
		return nil, err
	}
	a.observe(Event{Kind: EventVerified, Claims: claims})
	return claims, nil
}

// CheckPair reports why this Authorizer would refuse a pair at a refresh, or its
// access token at a route that asks for nothing more: no key here opens a token, or
// its times, issuer or audience are not accepted here. It is for programs that send
// pairs which they must serve later. It does not ask the denylist, and tells no
// observer. Of req, Implicit and Base64 count.
func (a *Authorizer) CheckPair(ctx context.Context, p Pair, req Requirement) error {
	for i, tokenType := range []string{TypeAccess, TypeRefresh} {
		issued := [...]Issued{p.Access, p.Refresh}[i]
		claims, err := a.open(ctx, issued.Token.Reveal(), req)
		switch {
		case err != nil:
			return fmt.Errorf("the %s token: %w", tokenType, err)
		case claims.Type != tokenType:
			return refuseWith(ErrType, typeMessage(tokenType, claims.Type))
		case claims.foreign && tokenType == TypeRefresh:
			return refuse(ErrForbidden, "the first of Keys that opens the refresh token cannot issue; put the one that can before it")
		}
	}
	return nil
}

// open returns the claims of a token that is valid here, whatever it is for:
// form, key, times, issuer, audience. Beside an error it returns the claims of a
// token that is authentic and not valid.
func (a *Authorizer) open(ctx context.Context, token string, req Requirement) (*Claims, error) {
	claims, err := a.decode(ctx, token, req)
	if err != nil {
		return nil, err
	}
	return claims, a.validate(claims)
}

// decode returns the claims of a token that is authentic. Nothing is decoded
// before its size and form are checked.
func (a *Authorizer) decode(ctx context.Context, token string, req Requirement) (*Claims, error) {
	if token == "" {
		return nil, ErrNoToken.refusal()
	}
	if len(token) > a.cfg.MaxLength {
		return nil, refuse(ErrMalformed, "token of %d bytes; longer ones than %d are not looked at", len(token), a.cfg.MaxLength)
	}
	ring := *a.ring.Load()
	parts, refusal := a.split(ring, token, req.Base64)
	if refusal != nil {
		if scheme.IsLeft(token) {
			refusal.Cause = scheme.ErrLeft
		}
		return nil, refusal
	}
	if parts.FooterLen() > maxFooter {
		return nil, refuse(ErrMalformed, "footer of %d bytes; longer ones than %d are not looked at", parts.FooterLen(), maxFooter)
	}
	payload, footer, err := parts.Decode()
	if err != nil {
		return nil, refuse(ErrMalformed, "%w", err)
	}
	version, purpose := Version(parts.Version), Purpose(parts.Purpose)
	opened, key, err := a.unseal(ctx, ring, version, purpose, sealed{payload, footer, req.Implicit})
	if err != nil {
		return nil, err
	}
	claims, err := parseClaims(opened)
	if err != nil {
		return nil, refuse(ErrClaims, "%w", err)
	}
	// The key's own words, since the token's would keep the whole token in memory.
	claims.Version, claims.Purpose, claims.kid, claims.foreign = key.version, key.Purpose(), key.kid, key.foreign()
	if len(footer) > 0 {
		claims.Footer = key.own(footer)
	}
	return claims, nil
}

// split takes a token apart whose header a key serves.
func (a *Authorizer) split(ring keyring, token string, wrapped bool) (codec.Parts, *Error) {
	if wrapped {
		var refusal *Error
		if token, refusal = unwrapBase64(token); refusal != nil {
			return codec.Parts{}, refusal
		}
	}
	parts, err := codec.Split(token)
	if err != nil {
		return codec.Parts{}, refuse(ErrMalformed, "%w", err)
	}
	return parts, a.serves(ring, parts)
}

func unwrapBase64(token string) (string, *Error) {
	if strings.ContainsAny(token, "\r\n") { // which the decoder would pass over
		return "", refuse(ErrBase64, "it is broken over lines")
	}
	unwrapped, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", refuse(ErrBase64, "%w", err)
	}
	return string(unwrapped), nil
}

// validate checks the claims that every token must satisfy.
func (a *Authorizer) validate(c *Claims) error {
	if err := a.validateTimes(c, a.Deadline(c)); err != nil {
		return err
	}
	if required := a.cfg.RequireIssuer; required != "" {
		switch c.Issuer {
		case required:
		case "":
			return ErrNoIssuer.refusal()
		default:
			return refuse(ErrIssuer, "iss is %q", clientlog.Cut(c.Issuer))
		}
	}
	if accepted := a.cfg.RequireAudience; len(accepted) > 0 {
		if !slices.ContainsFunc(c.Audience, func(name string) bool { return slices.Contains(accepted, name) }) {
			return refuse(ErrAudience, "aud is %q", clientlog.Cut(strings.Join(c.Audience, " ")))
		}
	}
	return nil
}

// validateTimes checks that the time is between the start of a token and its
// deadline, if it has one.
func (a *Authorizer) validateTimes(c *Claims, deadline time.Time) error {
	now := a.now()
	for _, start := range []time.Time{c.NotBefore, c.IssuedAt} {
		if start.After(now.Add(a.cfg.startLeeway())) {
			return refuse(ErrNotYetValid, "valid from %s, now %s", start.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	if c.ExpiresAt.IsZero() && !a.cfg.AllowNoExpiry {
		return ErrNoExpiry.refusal()
	}
	if !deadline.IsZero() && !now.Before(deadline) {
		return refuse(ErrExpired, "valid until %s, now %s", deadline.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// admit checks a valid token against the requirement of a route, then the
// denylist.
func (a *Authorizer) admit(ctx context.Context, c *Claims, req Requirement) error {
	if want := req.tokenType(); c.Type != want {
		return refuseWith(ErrType, typeMessage(want, c.Type))
	}
	if req.Fresh && !c.Fresh {
		return ErrNotFresh.refusal()
	}
	if !c.HasScopes(req.Scopes...) {
		return refuse(ErrScope, "token has %q, required is %q", clientlog.Cut(strings.Join(c.Scopes, " ")), strings.Join(req.Scopes, " "))
	}
	if err := a.Revoked(ctx, c); err != nil {
		return err
	}
	if req.Check == nil {
		return nil
	}
	if err := req.Check(ctx, c); err != nil {
		if refusal, ok := errors.AsType[*Error](err); ok && refusal != nil {
			return refusal
		}
		return refuse(ErrForbidden, "%w", err)
	}
	return nil
}

// typeMessage says which type was asked for and which came.
func typeMessage(want, got string) string {
	switch want {
	case TypeAccess:
		want = "Access"
	case TypeRefresh:
		want = "Refresh"
	}
	switch {
	case got == "":
		got = "untyped"
	case !settings.IsScope(got): // another issuer's; not for showing
		got = "unknown"
	}
	return fmt.Sprintf("%.32s token required but %.32s provided", want, got)
}
