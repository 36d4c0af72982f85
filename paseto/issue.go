package paseto

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
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
	if !settings.IsScope(tokenType) {
		return Issued{}, fmt.Errorf("%w: %.32q is not a token type", ErrGrant, tokenType)
	}
	if tokenType == TypeTicket {
		return Issued{}, fmt.Errorf("%w: a ticket is issued by IssueTicket", ErrGrant)
	}
	issued, err := a.seal(tokenType, a.complete(g), birth{id: rand.Text(), at: a.now()})
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
	pair, err := a.sealPair(a.complete(g), a.newPairing(g.Session))
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

// birth is what makes two tokens of one grant differ: their identifiers, the time,
// and of a refresh token its generation, zero for the first of a lineage.
type birth struct {
	id  string
	at  time.Time
	rot generation
}

// pairing is the births of the tokens of a pair. Whoever has the grant and the
// pairing can make the pair.
type pairing struct {
	at              int64      // the time of issue in Unix milliseconds
	session         string     // the sid of both tokens
	access, refresh string     // the jti of each
	rot             generation // of the refresh token, zero for the first of a lineage
}

func (a *Authorizer) newPairing(session string) pairing {
	return pairing{
		at:      a.now().UnixMilli(),
		session: cmp.Or(session, rand.Text()),
		access:  rand.Text(),
		refresh: rand.Text(),
	}
}

// unrecorded returns the pairing of a refresh that no denylist knows of. The old
// token may be refreshed again, and each pair begins a lineage of its own.
func (p pairing) unrecorded() pairing {
	p.rot = generation{}
	return p
}

// text returns what parsePairing reads. One is kept for each refresh token without
// a generation that was used; it leaves out the session if that is the token's.
func (p pairing) text(session string) string {
	if p.session == session {
		p.session = ""
	}
	return strings.Join([]string{strconv.FormatInt(p.at, 10), p.access, p.refresh, p.session}, " ")
}

func parsePairing(s, session string) (p pairing, err error) {
	parts := strings.SplitN(s, " ", 4)
	if len(parts) != 4 {
		return pairing{}, errors.New("it is incomplete")
	}
	p.access, p.refresh, p.session = parts[1], parts[2], cmp.Or(parts[3], session)
	p.at, err = strconv.ParseInt(parts[0], 10, 64)
	if err == nil && (p.access == "" || p.refresh == "" || p.session == "") {
		err = errors.New("it is incomplete")
	}
	return p, err
}

func (p pairing) time() time.Time { return time.UnixMilli(p.at) }

// sealPair makes the tokens of a complete grant.
func (a *Authorizer) sealPair(g Grant, p pairing) (Pair, error) {
	g.Session = p.session
	access, err := a.seal(TypeAccess, g, birth{id: p.access, at: p.time()})
	if err != nil {
		return Pair{}, err
	}
	g.TTL, g.ExpiresAt = g.RefreshTTL, time.Time{}
	refresh, err := a.seal(TypeRefresh, g, birth{id: p.refresh, at: p.time(), rot: p.rot})
	if err != nil {
		return Pair{}, err
	}
	return Pair{Access: access, Refresh: refresh}, nil
}

// issuable returns the version and purpose of a token that follows another: the same,
// unless no key issues such, then the configured ones.
func (a *Authorizer) issuable(c *Claims) (Version, Purpose) {
	if _, ok := a.ring.Load().issuing(c.Version, c.Purpose); ok {
		return c.Version, c.Purpose
	}
	return a.cfg.Version, a.cfg.Purpose
}

// seal makes the token of a complete grant.
func (a *Authorizer) seal(tokenType string, g Grant, b birth) (Issued, error) {
	payload, err := a.payload(tokenType, g, b)
	if err != nil {
		return Issued{}, err
	}
	return a.sealPayload(payload, g)
}

// sealPayload makes a token of its claims. Of g it takes what is not among them.
func (a *Authorizer) sealPayload(payload []byte, g Grant) (Issued, error) {
	key, ok := a.ring.Load().issuing(g.Version, g.Purpose)
	if !ok {
		return Issued{}, fmt.Errorf("%w: no key can issue %.16s.%.16s tokens", ErrConfig, g.Version, g.Purpose)
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
	return Issued{Token: NewSecret(token), Claims: claims}, nil
}

// payload returns the claims of a new token as JSON.
func (a *Authorizer) payload(tokenType string, g Grant, b birth) ([]byte, error) {
	now := b.at.UTC().Truncate(time.Second)
	authTime, err := g.authTime(tokenType, now, a.cfg.startLeeway())
	if err != nil {
		return nil, err
	}
	notBefore, expires, err := g.lifetime(now, authTime, a.cfg.ttl(tokenType), a.cfg)
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

	claims["jti"] = b.id
	claims["type"] = tokenType
	claims["iat"] = now.Format(time.RFC3339)
	claims["nbf"] = notBefore.Format(time.RFC3339)
	if !authTime.IsZero() {
		claims["auth_time"] = authTime.Format(time.RFC3339)
	}
	if !expires.IsZero() {
		claims["exp"] = expires.Format(time.RFC3339)
	}
	if tokenType == TypeAccess {
		claims["fresh"] = g.Fresh
	}
	if tokenType == TypeRefresh && g.Session != "" {
		claims[rotClaim] = cmp.Or(b.rot, generation{b.id, 1}).String()
	}
	for name, value := range map[string]string{"sub": g.Subject, "sid": g.Session, "scope": scope, "iss": g.Issuer} {
		if value != "" {
			claims[name] = value
		}
	}
	if len(g.Audience) > 0 {
		claims["aud"] = audience(g.Audience)
	}
	payload, err := encode(claims)
	if err != nil {
		return nil, fmt.Errorf("%w: Claims: %w", ErrGrant, err)
	}
	return payload, nil
}
