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
	return a.issue(TypeAccess, g, a.cfg.AccessTTL)
}

// IssueRefresh issues a refresh token. Errors are those of
// [Authorizer.IssueAccess].
func (a *Authorizer) IssueRefresh(g Grant) (Issued, error) {
	return a.issue(TypeRefresh, g, a.cfg.RefreshTTL)
}

// Issue issues a token of any type, such as "email-verify". Only routes that
// require exactly this type accept it. Errors are those of
// [Authorizer.IssueAccess].
func (a *Authorizer) Issue(tokenType string, g Grant) (Issued, error) {
	switch tokenType {
	case "":
		return Issued{}, fmt.Errorf("%w: the token type is empty", ErrGrant)
	case TypeAccess:
		return a.IssueAccess(g)
	case TypeRefresh:
		return a.IssueRefresh(g)
	}
	return a.issue(tokenType, g, a.cfg.OtherTTL)
}

// IssuePair issues an access and a refresh token of one session: that of g, or
// a new one. Both carry the grant's claims, so that a refresh can pass them on.
// Errors are those of [Authorizer.IssueAccess].
func (a *Authorizer) IssuePair(g Grant) (Pair, error) {
	if g.Session == "" {
		g.Session = rand.Text()
	}
	access, err := a.IssueAccess(g)
	if err != nil {
		return Pair{}, err
	}
	g.TTL, g.ExpiresAt = g.RefreshTTL, time.Time{}
	refresh, err := a.IssueRefresh(g)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Access: access, Refresh: refresh}, nil
}

func (a *Authorizer) issue(tokenType string, g Grant, ttl time.Duration) (Issued, error) {
	purpose := g.Purpose
	if purpose == "" {
		purpose = a.cfg.Purpose
	}
	key := a.issuingKey(purpose)
	if key == nil {
		return Issued{}, fmt.Errorf("%w: no key can issue %s.%.16s tokens", ErrConfig, a.cfg.Version, purpose)
	}
	payload, err := a.payload(tokenType, g, ttl)
	if err != nil {
		return Issued{}, err
	}
	footer, err := g.footer()
	if err != nil {
		return Issued{}, err
	}
	if len(footer) > maxFooter {
		return Issued{}, fmt.Errorf("%w: Footer has %d bytes; at most %d are allowed", ErrGrant, len(footer), maxFooter)
	}
	token, err := key.Seal(payload, footer, g.Implicit)
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
	claims.Version, claims.Purpose, claims.Footer = a.cfg.Version, purpose, slices.Clone(footer)
	a.observe(Event{Kind: EventIssued, Claims: claims})
	return Issued{Token: token, Claims: claims}, nil
}

// payload returns the claims of a new token as JSON.
func (a *Authorizer) payload(tokenType string, g Grant, ttl time.Duration) ([]byte, error) {
	now := a.now().UTC().Truncate(time.Second)
	notBefore, expires, err := g.lifetime(now, ttl, a.cfg)
	if err != nil {
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
	for name, value := range map[string]string{
		"sub":   g.Subject,
		"sid":   g.Session,
		"scope": scope,
		"iss":   cmp.Or(g.Issuer, a.cfg.Issuer),
	} {
		if value != "" {
			claims[name] = value
		}
	}
	names := g.Audience
	if names == nil {
		names = a.cfg.Audience
	}
	if len(names) > 0 {
		claims["aud"] = audience(names)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("%w: Claims: %w", ErrGrant, err)
	}
	return payload, nil
}
