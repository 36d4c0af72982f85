package paseto

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// NewClaims returns claims as [Authorizer.Verify] would, without a token: what the
// fields of c say, and beside them the custom claims, which are given as in
// [Grant.Claims]. [Claims.Decode] finds both. It is for tests of handlers, which get
// the claims with [NewContext].
//
// Type is [TypeAccess] if c has none, and times lose what is below a second, as in
// tokens. The fields are taken as they are: nothing is checked that depends on a
// configuration or on the time. The error wraps [ErrGrant] where no token could have
// such claims.
func NewClaims(c Claims, custom any) (*Claims, error) {
	given := Grant{Scopes: c.Scopes, Claims: custom}
	scope, err := given.scope()
	if err != nil {
		return nil, err
	}
	members, err := given.custom()
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"jti": c.ID, "type": cmp.Or(c.Type, TypeAccess), "sub": c.Subject, "sid": c.Session, "iss": c.Issuer, "scope": scope,
	} {
		if value != "" {
			members[name] = value
		}
	}
	for name, value := range map[string]time.Time{"auth_time": c.AuthTime, "iat": c.IssuedAt, "nbf": c.NotBefore, "exp": c.ExpiresAt} {
		if !value.IsZero() {
			members[name] = value.UTC().Format(time.RFC3339)
		}
	}
	if len(c.Audience) > 0 {
		members["aud"] = audience(c.Audience)
	}
	if members["type"] == TypeAccess || c.Fresh {
		members["fresh"] = c.Fresh
	}
	payload, err := encodeGiven(members)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGrant, err)
	}
	made, err := parseClaims(payload)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGrant, err)
	}
	made.Version, made.Purpose, made.Footer = c.Version, c.Purpose, slices.Clone(c.Footer)
	return made, nil
}
