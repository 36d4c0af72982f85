package paseto

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/strictjson"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// Grant says who a token is for, and how it differs from what is configured.
// The zero value of a field leaves the configured value.
type Grant struct {
	// Subject is the sub claim: whom the token speaks for. It has at most 4000
	// bytes, as Session has: a denylist could not hold a longer one.
	Subject string
	// Fresh marks an access token as coming from a login just made. Tokens of
	// other types are never fresh.
	Fresh bool
	// Scopes is the scope claim. A scope is one or more printable ASCII
	// characters other than space, quote and backslash (RFC 6749, section 3.3).
	Scopes []string
	// Session is the sid claim: the login session that the token joins.
	// [Authorizer.IssuePair] starts a new one where it is empty; single tokens
	// then belong to none, and can be revoked by id or subject alone.
	Session string

	// AuthTime is the auth_time claim: when the user logged in, to the second.
	// The session ends [Config.SessionTTL] later. A later revocation of the subject
	// covers it. Default: the time of issue.
	// It is set on access and refresh tokens; on others where it is given.
	AuthTime time.Time

	// TTL is the lifetime: at least a second, at most [Config.MaxTTL], or
	// [NoExpiry]. In a pair it is the access token's.
	TTL time.Duration
	// RefreshTTL is the lifetime of the refresh token of a pair.
	RefreshTTL time.Duration
	// ExpiresAt is the time of expiry, to the second, instead of TTL.
	ExpiresAt time.Time
	// NotBefore is the nbf claim. Default: the time of issue.
	NotBefore time.Time

	// Issuer is the iss claim.
	Issuer string
	// Audience is the aud claim: a string for one name, a list for several,
	// which not every other PASETO library reads.
	Audience []string
	// Claims are the caller's own claims: a map, a struct or a
	// [json.RawMessage] that encodes to a JSON object. No member may have the
	// name of a reserved claim: aud, auth_time, exp, fresh, iat, iss, jti,
	// nbf, rot, scope, sid, sub, type.
	Claims any

	// Version and Purpose of the token.
	Version Version
	Purpose Purpose
	// Footer travels beside the claims, authenticated and readable by
	// everyone: []byte and string as they are, anything else as JSON; at most
	// 2 KiB. Never put secrets in it. A footer that is given as a JSON object
	// must have no member kid, which is the key's; see [Config.OmitKeyID].
	Footer any
	// Implicit is the implicit assertion: data that the token is bound to and
	// does not contain. Whoever verifies it must present the same bytes in
	// [Requirement.Implicit].
	Implicit []byte
	// Base64 wraps the token in standard base64, for transports that want it;
	// it is verified with [Requirement.Base64].
	Base64 bool
}

// Issued is a new token.
type Issued struct {
	// Token is the token itself. Send what its Reveal returns to the owner, and to
	// nobody else.
	Token Secret
	// Claims is what the token says.
	Claims *Claims
}

// String describes the token without showing it.
func (i Issued) String() string {
	if i.Claims == nil {
		return "no token"
	}
	return i.Claims.Type + " token " + redacted
}

// LogValue implements [slog.LogValuer]: it says which token it is, and for whom.
func (i Issued) LogValue() slog.Value { return i.Claims.LogValue() }

// Pair is what a login or a refresh returns: two tokens of one session.
type Pair struct {
	// Access is the token that requests are made with.
	Access Issued
	// Refresh buys the next pair.
	Refresh Issued
}

// LogValue implements [slog.LogValuer]: it says which tokens they are, and for whom.
func (p Pair) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("access", p.Access), slog.Any("refresh", p.Refresh))
}

// check reports names that could not be written as they are: encoding would
// replace what is not UTF-8, and make one name of two.
func (g Grant) check() error {
	for field, name := range map[string]string{"Subject": g.Subject, "Session": g.Session, "Issuer": g.Issuer} {
		if !utf8.ValidString(name) {
			return fmt.Errorf("%w: %s is not valid UTF-8", ErrGrant, field)
		}
	}
	for field, name := range map[string]string{"Subject": g.Subject, "Session": g.Session} {
		if err := checkName(name); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrGrant, field, err)
		}
	}
	for _, name := range g.Audience {
		if !utf8.ValidString(name) {
			return fmt.Errorf("%w: Audience is not valid UTF-8", ErrGrant)
		}
	}
	return nil
}

// footer returns the bytes of g.Footer, with the kid, unless that is empty, where
// the footer has room for it.
func (g Grant) footer(kid string) ([]byte, error) {
	switch footer := g.Footer.(type) {
	case []byte:
		return footer, nil
	case string:
		return []byte(footer), nil
	}
	if g.Footer == nil {
		if kid == "" {
			return nil, nil
		}
		return json.Marshal(map[string]string{kidMember: kid})
	}
	encoded, err := encodeGiven(g.Footer)
	if err != nil {
		return nil, fmt.Errorf("%w: Footer: %w", ErrGrant, err)
	}
	if encoded[0] != '{' {
		if err := strictjson.Value(encoded); err != nil {
			return nil, fmt.Errorf("%w: Footer: %w", ErrGrant, err)
		}
		return encoded, nil
	}
	members := make(map[string]json.RawMessage)
	err = strictjson.Object(encoded, func(name string, value json.RawMessage) error {
		if name == kidMember {
			return fmt.Errorf("%q is reserved; it names the key", kidMember)
		}
		members[name] = value
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: Footer: %w", ErrGrant, err)
	}
	if kid == "" {
		return encoded, nil
	}
	members[kidMember] = json.RawMessage(`"` + kid + `"`) // an identifier needs no escapes
	return encode(members)
}

// custom returns the members of g.Claims.
func (g Grant) custom() (map[string]any, error) {
	members := make(map[string]any)
	if g.Claims == nil {
		return members, nil
	}
	encoded, err := encodeGiven(g.Claims)
	if err != nil {
		return nil, fmt.Errorf("%w: Claims: %w", ErrGrant, err)
	}
	if string(encoded) == "null" { // a nil map
		return members, nil
	}
	err = strictjson.Object(encoded, func(name string, value json.RawMessage) error {
		if setter, ok := reserved[name]; ok {
			return fmt.Errorf("%q is reserved; it is set by %s", name, setter)
		}
		members[name] = value
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: Claims: %w", ErrGrant, err)
	}
	return members, nil
}

// scope returns the scope claim.
func (g Grant) scope() (string, error) {
	for _, scope := range g.Scopes {
		if !settings.IsScope(scope) {
			return "", fmt.Errorf("%w: Scopes: %.32q is not a scope", ErrGrant, scope)
		}
	}
	return strings.Join(g.Scopes, " "), nil
}

// audience returns the aud claim: a string for one name, as most readers
// expect, else a list.
func audience(names []string) any {
	if len(names) == 1 {
		return names[0]
	}
	return slices.Clone(names)
}
