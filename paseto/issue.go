package paseto

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// maxFooter bounds a footer, in bytes before encoding.
const maxFooter = 2048

// IssueAccess issues an access token. The error wraps [ErrGrant] where g cannot
// be issued, and [ErrConfig] where no key can.
func (a *Authorizer) IssueAccess(g Grant) (Issued, error) {
	return a.Issue(TypeAccess, g)
}

// IssueRefresh issues a refresh token. Errors are those of
// [Authorizer.IssueAccess].
func (a *Authorizer) IssueRefresh(g Grant) (Issued, error) {
	return a.Issue(TypeRefresh, g)
}

// Issue issues a token of any type, such as "email-verify": printable ASCII
// without spaces, quotes and backslashes. Only routes that require exactly this
// type accept it. Errors are those of [Authorizer.IssueAccess].
func (a *Authorizer) Issue(tokenType string, g Grant) (Issued, error) {
	if !validScope(tokenType) {
		return Issued{}, fmt.Errorf("%w: %.32q is not a token type", ErrGrant, tokenType)
	}
	issued, err := a.seal(tokenType, a.complete(g))
	if err != nil {
		return Issued{}, err
	}
	a.observe(Event{Kind: EventIssued, Claims: issued.Claims})
	return issued, nil
}

// IssuePair issues an access and a refresh token of one session: that of g, or
// a new one. Both carry the grant's claims, so that a refresh can pass them on.
// Errors are those of [Authorizer.IssueAccess].
func (a *Authorizer) IssuePair(g Grant) (Pair, error) {
	pair, err := a.sealPair(a.complete(g))
	if err != nil {
		return Pair{}, err
	}
	a.observePair(pair)
	return pair, nil
}

func (a *Authorizer) observePair(p Pair) {
	a.observe(Event{Kind: EventIssued, Claims: p.Access.Claims})
	a.observe(Event{Kind: EventIssued, Claims: p.Refresh.Claims})
}

// complete returns the grant with what is configured in the place of what it
// leaves open.
func (a *Authorizer) complete(g Grant) Grant {
	g.Version = cmp.Or(g.Version, a.cfg.Version)
	g.Purpose = cmp.Or(g.Purpose, a.cfg.Purpose)
	g.Issuer = cmp.Or(g.Issuer, a.cfg.Issuer)
	if g.Audience == nil {
		g.Audience = a.cfg.Audience
	}
	return g
}

// sealPair makes the tokens of a complete grant.
func (a *Authorizer) sealPair(g Grant) (Pair, error) {
	g.Session = cmp.Or(g.Session, rand.Text())
	access, err := a.seal(TypeAccess, g)
	if err != nil {
		return Pair{}, err
	}
	g.TTL, g.ExpiresAt = g.RefreshTTL, time.Time{}
	refresh, err := a.seal(TypeRefresh, g)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Access: access, Refresh: refresh}, nil
}

// seal makes the token of a complete grant.
func (a *Authorizer) seal(tokenType string, g Grant) (Issued, error) {
	key, ok := a.ring.Load().issuing(g.Version, g.Purpose)
	if !ok {
		return Issued{}, fmt.Errorf("%w: no key can issue %.16s.%.16s tokens", ErrConfig, g.Version, g.Purpose)
	}
	payload, err := a.payload(tokenType, g)
	if err != nil {
		return Issued{}, err
	}
	kid := key.kid
	if a.cfg.OmitKeyID {
		kid = ""
	}
	footer, err := g.footer(kid)
	if err != nil {
		return Issued{}, err
	}
	if len(footer) > maxFooter {
		return Issued{}, fmt.Errorf("%w: Footer has %d bytes; at most %d are allowed", ErrGrant, len(footer), maxFooter)
	}
	token, err := key.sealer().Seal(payload, footer, g.Implicit)
	if err != nil {
		return Issued{}, fmt.Errorf("%w: %w", ErrGrant, err)
	}
	if g.Base64 {
		token = base64.StdEncoding.EncodeToString([]byte(token))
	}
	if len(token) > a.cfg.MaxLength {
		return Issued{}, fmt.Errorf("%w: the token has %d bytes, and longer ones than %d are not accepted here (see Config.MaxLength)",
			ErrGrant, len(token), a.cfg.MaxLength)
	}
	claims, err := parseClaims(payload)
	if err != nil {
		return Issued{}, fmt.Errorf("%w: %w", ErrGrant, err)
	}
	claims.Version, claims.Purpose, claims.Footer = g.Version, g.Purpose, slices.Clone(footer)
	return Issued{Token: token, Claims: claims}, nil
}

// ttl returns the configured lifetime of tokens of a type.
func (c Config) ttl(tokenType string) time.Duration {
	switch tokenType {
	case TypeAccess:
		return c.AccessTTL
	case TypeRefresh:
		return c.RefreshTTL
	}
	return c.OtherTTL
}

// payload returns the claims of a new token as JSON.
func (a *Authorizer) payload(tokenType string, g Grant) ([]byte, error) {
	now := a.now().UTC().Truncate(time.Second)
	notBefore, expires, err := g.lifetime(now, a.cfg.ttl(tokenType), a.cfg)
	if err != nil {
		return nil, err
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	scope, err := g.scope()
	if err != nil {
		return nil, err
	}
	claims, err := g.custom()
	if err != nil {
		return nil, err
	}

	claims["jti"] = rand.Text()
	claims["type"] = tokenType
	claims["iat"] = now.Format(time.RFC3339)
	claims["nbf"] = notBefore.Format(time.RFC3339)
	if !expires.IsZero() {
		claims["exp"] = expires.Format(time.RFC3339)
	}
	if tokenType == TypeAccess {
		claims["fresh"] = g.Fresh
	}
	for name, value := range map[string]string{"sub": g.Subject, "sid": g.Session, "scope": scope, "iss": g.Issuer} {
		if value != "" {
			claims[name] = value
		}
	}
	if len(g.Audience) > 0 {
		claims["aud"] = audience(g.Audience)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("%w: Claims: %w", ErrGrant, err)
	}
	return payload, nil
}
