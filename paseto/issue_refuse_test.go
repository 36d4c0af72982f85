package paseto_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// namedKey is a footer that names its key in its own way.
type namedKey struct {
	Name string `json:"kid"`
}

func TestIssueRefuses(t *testing.T) {
	t.Parallel()
	month := 30 * 24 * time.Hour
	for _, test := range []struct {
		name  string
		cfg   paseto.Config
		grant paseto.Grant
		want  error
		why   string
	}{
		{"no expiry", paseto.Config{}, paseto.Grant{TTL: paseto.NoExpiry}, paseto.ErrGrant, "AllowNoExpiry"},
		{"no expiry beyond the longest lifetime", paseto.Config{AllowNoExpiry: true, MaxTTL: month}, paseto.Grant{TTL: paseto.NoExpiry}, paseto.ErrGrant, "MaxTTL"},
		{"longer than the longest lifetime", paseto.Config{}, paseto.Grant{TTL: month + time.Second}, paseto.ErrGrant, "MaxTTL"},
		{"longer than the configured lifetime", paseto.Config{MaxTTL: month + time.Hour}, paseto.Grant{TTL: month + 2*time.Hour}, paseto.ErrGrant, "MaxTTL"},
		{"time beyond the longest lifetime", paseto.Config{}, paseto.Grant{ExpiresAt: start.Add(month + time.Second)}, paseto.ErrGrant, "MaxTTL"},
		{"time centuries ahead", paseto.Config{}, paseto.Grant{ExpiresAt: start.AddDate(5000, 0, 0)}, paseto.ErrGrant, "MaxTTL"},
		{"shorter than a second", paseto.Config{}, paseto.Grant{TTL: time.Millisecond}, paseto.ErrGrant, "at least 1s"},
		{"negative", paseto.Config{}, paseto.Grant{TTL: -time.Hour}, paseto.ErrGrant, "at least 1s"},
		{"time that is over", paseto.Config{}, paseto.Grant{ExpiresAt: start.Add(-time.Hour)}, paseto.ErrGrant, "at least 1s"},
		{"time of issue", paseto.Config{}, paseto.Grant{ExpiresAt: start}, paseto.ErrGrant, "at least 1s"},
		{"lifetime and time", paseto.Config{}, paseto.Grant{TTL: time.Hour, ExpiresAt: start.Add(time.Hour)}, paseto.ErrGrant, "both"},
		{"never valid", paseto.Config{}, paseto.Grant{TTL: time.Minute, NotBefore: start.Add(time.Minute)}, paseto.ErrGrant, "NotBefore"},

		{"long footer", paseto.Config{}, paseto.Grant{Footer: strings.Repeat("x", 2049)}, paseto.ErrGrant, "Footer"},
		{"footer too long with the kid", paseto.Config{}, paseto.Grant{Footer: map[string]string{"a": strings.Repeat("x", 2000)}}, paseto.ErrGrant, "Footer"},
		{"kid in a map for a footer", paseto.Config{}, paseto.Grant{Footer: map[string]string{"kid": "k1"}}, paseto.ErrGrant, `"kid" is reserved`},
		{"kid in a struct for a footer", paseto.Config{}, paseto.Grant{Footer: namedKey{"k1"}}, paseto.ErrGrant, `"kid" is reserved`},
		{"kid by escape in a footer", paseto.Config{}, paseto.Grant{Footer: json.RawMessage(`{"\u006bid":"k1"}`)}, paseto.ErrGrant, `"kid" is reserved`},
		{"kid in a footer where none is written", paseto.Config{OmitKeyID: true}, paseto.Grant{Footer: namedKey{"k1"}}, paseto.ErrGrant, `"kid" is reserved`},
		{"footer with a duplicate", paseto.Config{}, paseto.Grant{Footer: json.RawMessage(`{"a":1,"a":2}`)}, paseto.ErrGrant, "twice"},
		{"footer with half of a pair", paseto.Config{}, paseto.Grant{Footer: json.RawMessage(`{"a":"\ud800"}`)}, paseto.ErrGrant, "surrogate"},
		{"footer that is half of a pair", paseto.Config{}, paseto.Grant{Footer: json.RawMessage(`"\ud800"`)}, paseto.ErrGrant, "surrogate"},
		{"raw claims with half of a pair", paseto.Config{}, paseto.Grant{Claims: json.RawMessage(`{"a":["\ud800"]}`)}, paseto.ErrGrant, "surrogate"},
		{"subject that no store holds", paseto.Config{}, paseto.Grant{Subject: strings.Repeat("a", 4001)}, paseto.ErrGrant, "Subject: it has 4001 bytes"},
		{"session that no store holds", paseto.Config{}, paseto.Grant{Session: strings.Repeat("a", 4001)}, paseto.ErrGrant, "Session: it has 4001 bytes"},
		{"footer that JSON cannot carry", paseto.Config{}, paseto.Grant{Footer: func() {}}, paseto.ErrGrant, "Footer"},
		{"claims that JSON cannot carry", paseto.Config{}, paseto.Grant{Claims: map[string]any{"x": math.Inf(1)}}, paseto.ErrGrant, "Claims"},
		{"claims that are a list", paseto.Config{}, paseto.Grant{Claims: []string{"x"}}, paseto.ErrGrant, "Claims"},
		{"claims that are a string", paseto.Config{}, paseto.Grant{Claims: "x"}, paseto.ErrGrant, "Claims"},
		{"raw claims that are not JSON", paseto.Config{}, paseto.Grant{Claims: json.RawMessage(`{"a":`)}, paseto.ErrGrant, "Claims"},
		{"raw claims with a duplicate", paseto.Config{}, paseto.Grant{Claims: json.RawMessage(`{"a":1,"a":2}`)}, paseto.ErrGrant, "twice"},
		{"reserved claim by escape", paseto.Config{}, paseto.Grant{Claims: json.RawMessage(`{"\u0073ub":"x"}`)}, paseto.ErrGrant, "reserved"},
		{"long token", paseto.Config{}, paseto.Grant{Claims: map[string]string{"x": strings.Repeat("x", 8192)}}, paseto.ErrGrant, "MaxLength"},
		{"long token by wrapping", paseto.Config{}, paseto.Grant{Base64: true, Claims: map[string]string{"x": strings.Repeat("x", 5000)}}, paseto.ErrGrant, "MaxLength"},

		{"empty scope", paseto.Config{}, paseto.Grant{Scopes: []string{""}}, paseto.ErrGrant, "Scopes"},
		{"scope with a space", paseto.Config{}, paseto.Grant{Scopes: []string{"read write"}}, paseto.ErrGrant, "Scopes"},
		{"scope with a quote", paseto.Config{}, paseto.Grant{Scopes: []string{`a"b`}}, paseto.ErrGrant, "Scopes"},
		{"scope with a backslash", paseto.Config{}, paseto.Grant{Scopes: []string{`a\b`}}, paseto.ErrGrant, "Scopes"},
		{"scope beyond ASCII", paseto.Config{}, paseto.Grant{Scopes: []string{"läsen"}}, paseto.ErrGrant, "Scopes"},

		{"unknown purpose", paseto.Config{}, paseto.Grant{Purpose: "other"}, paseto.ErrConfig, "v4.other"},
		{"no key of the purpose", paseto.Config{Keys: []paseto.Key{localKey}}, paseto.Grant{Purpose: paseto.Public}, paseto.ErrConfig, "v4.public"},
		{"key that only verifies", paseto.Config{Keys: []paseto.Key{publicKey}, Purpose: paseto.Public}, paseto.Grant{}, paseto.ErrConfig, "v4.public"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var seen events
			auth := newAuthorizer(t, test.cfg, paseto.WithObserver(seen.observe))
			issued, err := auth.IssueAccess(test.grant)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.why) {
				t.Errorf("error is %v, want %v about %s", err, test.want, test.why)
			}
			if issued.Token.Reveal() != "" || issued.Claims != nil {
				t.Errorf("%v comes with the error", issued)
			}
			if all := seen.take(); len(all) != 0 {
				t.Errorf("events are %v, want none", all)
			}
			if _, err := auth.IssuePair(test.grant); !errors.Is(err, test.want) {
				t.Errorf("error of the pair is %v, want %v", err, test.want)
			}
		})
	}
}

func TestIssueRefusesReservedClaims(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, name := range []string{"aud", "auth_time", "exp", "fresh", "iat", "iss", "jti", "nbf", "scope", "sid", "sub", "type"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.IssueAccess(paseto.Grant{Claims: map[string]any{"mine": 1, name: "x"}})
			if !errors.Is(err, paseto.ErrGrant) || !strings.Contains(err.Error(), `"`+name+`"`) {
				t.Errorf("error is %v, want one that names %s", err, name)
			}
		})
	}
}

func TestIssueRefusesATypeThatIsNone(t *testing.T) {
	t.Parallel()
	for tokenType, why := range map[string]string{"": "token type", "a b": "token type", "ticket": "IssueTicket"} {
		issued, err := newAuthorizer(t, paseto.Config{}).Issue(tokenType, paseto.Grant{})
		if !errors.Is(err, paseto.ErrGrant) || !strings.Contains(err.Error(), why) || issued.Token.Reveal() != "" {
			t.Errorf("%q: error is %v, want %v about %s", tokenType, err, paseto.ErrGrant, why)
		}
	}
}

// TestIssuePairRefusesABadRefreshToken has a grant of which the access token
// alone could be issued.
func TestIssuePairRefusesABadRefreshToken(t *testing.T) {
	t.Parallel()
	pair, err := newAuthorizer(t, paseto.Config{}).IssuePair(paseto.Grant{RefreshTTL: time.Millisecond})
	if !errors.Is(err, paseto.ErrGrant) || pair.Access.Token.Reveal() != "" {
		t.Errorf("error is %v with %v, want %v alone", err, pair, paseto.ErrGrant)
	}
}

// TestIssueNeverChangesAName issues for names that JSON cannot carry. Silently
// replaced, two subjects would become one, and the revocation of a subject
// would miss its tokens.
func TestIssueNeverChangesAName(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	raw := json.RawMessage(`"\ufffd"`)
	for name, grant := range map[string]paseto.Grant{
		"subject":  {Subject: "\xff"},
		"session":  {Session: "\xff"},
		"issuer":   {Issuer: "\xff"},
		"audience": {Audience: []string{"\xff"}},
		"claim":    {Claims: map[string]any{"tenant": []string{"\xff"}}},
		"member":   {Claims: map[string]any{"\xff": 1}},
		"field":    {Claims: struct{ Tenant string }{"a\xff"}},
		"footer":   {Footer: map[string]string{"tenant": "\xff"}},
		"raw":      {Claims: json.RawMessage("{\"tenant\":\"\xff\"}")},

		"beside a raw one":   {Claims: map[string]any{"raw": json.RawMessage(`"\ufffd"`), "tenant": "\xff"}},
		"raw in a map":       {Claims: map[string]any{"raw": json.RawMessage("\"\xff\"")}},
		"behind a pointer":   {Claims: &struct{ Tenant *string }{new("\xff")}},
		"embedded":           {Claims: struct{ tenant }{tenant{"\xff"}}},
		"name of a text":     {Claims: map[texter]int{{"\xff"}: 1}},
		"text":               {Claims: map[string]any{"tenant": texter{"\xff"}}},
		"of a method":        {Claims: map[string]any{"tenant": marshaler{"\xff"}}},
		"of a pointer's":     {Claims: &struct{ Tenant pointerMarshaler }{pointerMarshaler{"\xff"}}},
		"footer, beside raw": {Footer: []any{json.RawMessage(`"\ufffd"`), "\xff"}},
	} {
		issued, err := auth.IssueAccess(grant)
		if err == nil {
			t.Errorf("%s: %s is issued, want an error", name, says(t, issued.Claims))
		} else if !errors.Is(err, paseto.ErrGrant) {
			t.Errorf("%s: error is %v, want %v", name, err, paseto.ErrGrant)
		}
	}
	for name, grant := range map[string]paseto.Grant{
		"subject": {Subject: "\ufffd"},
		"claims":  {Claims: map[string]any{"tenant": "\ufffd"}, Footer: map[string]string{"tenant": "\ufffd"}},
		"raw":     {Claims: json.RawMessage(`{"tenant":"\ufffd"}`)},

		"raw in a map":         {Claims: map[string]any{"tenant": json.RawMessage(`"\ufffd"`)}},
		"raw in a list":        {Claims: map[string][]json.RawMessage{"tenant": {json.RawMessage(`"\ufffd"`)}}},
		"raw in a struct":      {Claims: struct{ Tenant json.RawMessage }{json.RawMessage(`"\ufffd"`)}},
		"raw behind a pointer": {Claims: &map[string]any{"tenant": &raw}},
		"raw beside others":    {Claims: map[string]any{"raw": raw, "tenant": "\ufffd", "n": nil, "text": (*texter)(nil)}},
		"raw beside what is not": {Claims: struct {
			Raw    json.RawMessage
			Tenant string `json:"-"`
			tenant string
		}{raw, "\xff", "\xff"}},
		"raw in a footer": {Footer: map[string]any{"tenant": raw}},
	} {
		if _, err := auth.IssuePair(grant); err != nil {
			t.Errorf("%s: the character that stands for others is refused: %v", name, err)
		}
	}
}

// texter, marshaler and pointerMarshaler encode themselves.
type (
	tenant           struct{ Tenant string }
	texter           struct{ s string }
	marshaler        struct{ s string }
	pointerMarshaler struct{ s string }
)

func (t texter) MarshalText() ([]byte, error) { return []byte(t.s), nil }

func (m marshaler) MarshalJSON() ([]byte, error) { return json.Marshal(m.s) }

func (m *pointerMarshaler) MarshalJSON() ([]byte, error) { return json.Marshal(m.s) }
