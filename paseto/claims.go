package paseto

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/rfc3339"
	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto/internal/inforce"
)

// Claims is what an opened token says. It comes from [Authorizer.Verify], in tests
// of handlers from [NewClaims], and must not be changed. A nil *Claims is an
// anonymous caller, as an optional route may have; every method but Decode and
// DecodeFooter may be called on it.
type Claims struct {
	// ID is the jti claim, the identifier of the token.
	ID string
	// Type is the type claim: "access", "refresh", "ticket" or a type of your
	// own.
	Type string
	// Subject is the sub claim. An integer, which other libraries write for users
	// whose identifier is a number, is given by its digits: sub 42 and sub "42" are
	// one subject, so that a revocation of it covers the tokens of all libraries.
	Subject string
	// Session is the sid claim: the login session that the token belongs to.
	// Empty for a token that was issued outside a session.
	Session string
	// Issuer is the iss claim.
	Issuer string
	// Audience is the aud claim: one or several names.
	Audience []string
	// AuthTime is the auth_time claim: when the login was that the session
	// began with. Zero where absent.
	AuthTime time.Time
	// IssuedAt, NotBefore and ExpiresAt are the iat, nbf and exp claims, zero
	// where absent. ExpiresAt does not include the leeway.
	IssuedAt, NotBefore, ExpiresAt time.Time
	// Fresh is the fresh claim: the token comes from a login, not a refresh.
	Fresh bool

	foreign bool // opened with a key that nobody here issues with; here it takes no room

	// Scopes is the scope claim.
	Scopes []string

	// Version and Purpose of the token that carried the claims.
	Version Version
	Purpose Purpose

	// Footer is the token's footer: authenticated, not encrypted. Empty if
	// there is none. Other claims may share its memory.
	Footer []byte

	payload string // the claims as they were sealed, which the others share memory with
	kid     string // of the key that opened the token, empty for a source's
}

// Decode stores the claims, reserved and custom ones alike, in the struct or
// map that v points to, as [json.Unmarshal] does. The token had no duplicate
// members; beware that encoding/json matches names without regard to case.
func (c *Claims) Decode(v any) error {
	if c == nil {
		return errors.New("paseto: an anonymous caller has no claims")
	}
	payload := c.payload
	if payload == "" { // it was made by hand
		made, err := NewClaims(*c, nil)
		if err != nil {
			return err
		}
		payload = made.payload
	}
	return json.Unmarshal([]byte(payload), v)
}

// DecodeFooter stores a JSON footer in what v points to. It is an error if the
// token has no footer, or one that is not JSON, has a member twice, or has half of a
// surrogate pair, which [json.Unmarshal] would replace.
func (c *Claims) DecodeFooter(v any) error {
	if c == nil || len(c.Footer) == 0 {
		return errors.New("paseto: the token has no footer")
	}
	if err := strictjson.Value(c.Footer); err != nil {
		return fmt.Errorf("paseto: the footer is %w", err)
	}
	return json.Unmarshal(c.Footer, v)
}

// origin returns the time that the cut-off of a subject's revocation is compared
// with: that of the login, which no refresh takes a token away from, or else
// that of its issue.
func (c *Claims) origin() time.Time {
	if !c.AuthTime.IsZero() && c.AuthTime.Before(c.IssuedAt) {
		return c.AuthTime
	}
	return c.IssuedAt
}

// Anonymous reports whether there are no claims: the caller of an optional
// route came without a token that is valid here.
func (c *Claims) Anonymous() bool { return c == nil }

// HasScopes reports whether the claims include every one of scopes.
func (c *Claims) HasScopes(scopes ...string) bool {
	for _, scope := range scopes {
		if c == nil || !slices.Contains(c.Scopes, scope) {
			return false
		}
	}
	return true
}

// LogValue implements [slog.LogValuer]: who the token is for and which one it
// is, without custom claims. Each is cut to 200 bytes and escaped.
func (c *Claims) LogValue() slog.Value {
	if c == nil {
		return slog.StringValue("anonymous")
	}
	return slog.GroupValue(
		slog.String("sub", clientlog.Cut(c.Subject)),
		slog.String("type", clientlog.Cut(c.Type)),
		slog.String("jti", clientlog.Cut(c.ID)),
		slog.String("sid", clientlog.Cut(c.Session)),
	)
}

// NewContext returns a context that carries claims. Packages httpauth and
// wsauth call it; a program does so in its own middleware. A nil claims hides
// those of an outer context.
func NewContext(ctx context.Context, claims *Claims) context.Context {
	return context.WithValue(ctx, inforce.Key{}, claims)
}

// FromContext returns the claims that the request, stream or connection of ctx was
// admitted with, or has renewed since: nil if it is anonymous, or was not guarded
// at all.
func FromContext(ctx context.Context) *Claims {
	switch held := ctx.Value(inforce.Key{}).(type) {
	case *Claims:
		return held
	case interface{ Claims() *Claims }:
		return held.Claims()
	}
	return nil
}

// reserved maps the claims that belong to the Authorizer to what sets them.
var reserved = map[string]string{
	"aud":       "Grant.Audience",
	"auth_time": "Grant.AuthTime",
	"exp":       "Grant.TTL or Grant.ExpiresAt",
	"fresh":     "Grant.Fresh",
	"iat":       "the clock",
	"iss":       "Grant.Issuer",
	"jti":       "the Authorizer",
	"nbf":       "Grant.NotBefore",
	rotClaim:    "the Authorizer",
	"scope":     "Grant.Scopes",
	"sid":       "Grant.Session",
	"sub":       "Grant.Subject",
	"type":      "the method that issues",
}

// maxName bounds the names by which a token is revoked, jti, sid and sub, in
// bytes. The rest of what a store can hold is for what is put before them there.
const maxName = denylist.MaxID - 96

// parseClaims reads the payload of an opened token, strictly: exact names, no
// duplicates, no member of another type than expected, no name that a store could
// not hold.
func parseClaims(payload []byte) (*Claims, error) {
	c := &Claims{payload: string(payload)}
	err := strictjson.Object(payload, func(name string, value json.RawMessage) error {
		var err error
		switch name {
		case "jti":
			c.ID, err = parseName(value)
		case "type":
			c.Type, err = parseString(value)
		case "sub":
			c.Subject, err = parseSubject(value)
		case "sid":
			c.Session, err = parseName(value)
		case "iss":
			c.Issuer, err = parseString(value)
		case "aud":
			c.Audience, err = parseStrings(value)
		case "auth_time":
			c.AuthTime, err = parseAuthTime(value)
		case "iat":
			c.IssuedAt, err = parseTime(value)
		case "nbf":
			c.NotBefore, err = parseTime(value)
		case "exp":
			c.ExpiresAt, err = parseTime(value)
		case "fresh":
			err = json.Unmarshal(value, &c.Fresh)
		case "scope":
			c.Scopes, err = parseScope(value)
		default:
			return nil
		}
		if bytes.Equal(value, []byte("null")) {
			err = errors.New("it is null")
		}
		if err != nil {
			return fmt.Errorf("claim %s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range []*string{&c.ID, &c.Type, &c.Subject, &c.Session, &c.Issuer} {
		c.share(s)
	}
	for _, list := range [][]string{c.Audience, c.Scopes} {
		for i := range list {
			c.share(&list[i])
		}
	}
	return c, nil
}

// share has s share its memory with the payload: claims may be held for long, by as
// many connections as there are.
func (c *Claims) share(s *string) {
	if i := strings.Index(c.payload, *s); i >= 0 { // else it was written with escapes
		*s = c.payload[i : i+len(*s)]
	}
}

func parseString(value json.RawMessage) (string, error) {
	s, ok := strictjson.String(value)
	if !ok {
		return "", errors.New("expected a string")
	}
	return s, nil
}

// parseName reads a string by which a token may be revoked.
func parseName(value json.RawMessage) (string, error) {
	s, err := parseString(value)
	if err != nil {
		return "", err
	}
	return s, checkName(s)
}

// checkName reports a name that is too long for a store.
func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("it has %d bytes; with more than %d it could not be revoked", len(name), maxName)
	}
	return nil
}

// parseSubject reads a string or an integer.
func parseSubject(value json.RawMessage) (string, error) {
	if value[0] == '"' {
		return parseName(value)
	}
	if string(value) == "-0" {
		return "", errors.New("expected 0 for -0") // else one number would be two subjects
	}
	if digits := strings.TrimPrefix(string(value), "-"); strings.Trim(digits, "0123456789") == "" {
		return string(value), checkName(string(value))
	}
	return "", errors.New("expected a string or an integer")
}

// parseStrings reads a string or a list of strings.
func parseStrings(value json.RawMessage) ([]string, error) {
	if s, ok := strictjson.String(value); ok {
		return []string{s}, nil
	}
	var list []*string
	if json.Unmarshal(value, &list) == nil && !slices.Contains(list, nil) {
		names := make([]string, len(list))
		for i, name := range list {
			names[i] = *name
		}
		return names, nil
	}
	return nil, errors.New("expected a string or a list of strings")
}

// parseScope reads the space-separated list of RFC 8693, section 4.2, or a list
// of strings.
func parseScope(value json.RawMessage) ([]string, error) {
	list, err := parseStrings(value)
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(strings.Join(list, " "), func(r rune) bool { return r == ' ' }), nil
}

// parseTime reads a date and time after RFC 3339, as the PASETO specification
// demands of registered claims.
func parseTime(value json.RawMessage) (time.Time, error) {
	if s, ok := strictjson.String(value); ok {
		if t, ok := rfc3339.Parse(s); ok {
			if t.IsZero() {
				t = t.Add(1) // zero stands for no claim, and this is one
			}
			return t, nil
		}
	}
	return time.Time{}, errors.New("expected a date and time after RFC 3339")
}

// parseAuthTime reads a date and time, as tokens from here have it, or the
// number of seconds that OpenID Connect Core 1.0, section 2, has.
func parseAuthTime(value json.RawMessage) (time.Time, error) {
	const year10000 = 253_402_300_800
	var n float64
	if json.Unmarshal(value, &n) == nil && n >= 0 && n < year10000 {
		return time.Unix(int64(n), 0), nil
	}
	return parseTime(value)
}
