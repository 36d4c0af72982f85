package paseto_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

const valid = `"type":"access","exp":"2099-01-01T00:00:00Z"`

func TestClaimsRead(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name, member string
		ok           func(*paseto.Claims) bool
	}{
		{"string subject", `"sub":"42"`, func(c *paseto.Claims) bool { return c.Subject == "42" }},
		{"integer subject", `"sub":42`, func(c *paseto.Claims) bool { return c.Subject == "42" }},
		{"negative subject", `"sub":-42`, func(c *paseto.Claims) bool { return c.Subject == "-42" }},
		{"subject beyond float64", `"sub":12345678901234567890123`, func(c *paseto.Claims) bool { return c.Subject == "12345678901234567890123" }},
		{"no subject", `"a":1`, func(c *paseto.Claims) bool { return c.Subject == "" }},
		{"audience as a string", `"aud":"web"`, func(c *paseto.Claims) bool { return slices.Equal(c.Audience, []string{"web"}) }},
		{"audience as a list", `"aud":["web","app"]`, func(c *paseto.Claims) bool { return slices.Equal(c.Audience, []string{"web", "app"}) }},
		{"scope as a string", `"scope":"a b"`, func(c *paseto.Claims) bool { return slices.Equal(c.Scopes, []string{"a", "b"}) }},
		{"scope as a list", `"scope":["a","b c"]`, func(c *paseto.Claims) bool { return slices.Equal(c.Scopes, []string{"a", "b", "c"}) }},
		{"empty scope", `"scope":""`, func(c *paseto.Claims) bool { return len(c.Scopes) == 0 }},
		{"login as a time", `"auth_time":"2030-01-02T05:04:05+02:00"`, func(c *paseto.Claims) bool { return c.AuthTime.Equal(issuedAt) }},
		{"login as seconds", `"auth_time":1893553445`, func(c *paseto.Claims) bool { return c.AuthTime.Equal(issuedAt) }},
		{"login as parts of a second", `"auth_time":1893553445.6`, func(c *paseto.Claims) bool { return c.AuthTime.Equal(issuedAt) }},
		{"login at the beginning of time", `"auth_time":0`, func(c *paseto.Claims) bool { return c.AuthTime.Equal(time.Unix(0, 0)) && !c.AuthTime.IsZero() }},
		{"no login", `"a":1`, func(c *paseto.Claims) bool { return c.AuthTime.IsZero() }},
		{"time elsewhere", `"iat":"2030-01-02T05:04:05+02:00"`, func(c *paseto.Claims) bool { return c.IssuedAt.Equal(issuedAt) }},
		{"escaped name", `"\u0073ub":"alice"`, func(c *paseto.Claims) bool { return c.Subject == "alice" }},
		{"names in capitals are others", `"SUB":"eve","EXP":"2001-01-01T00:00:00Z","Type":"refresh"`, func(c *paseto.Claims) bool {
			return c.Subject == "" && c.Type == "access" && c.ExpiresAt.Year() == 2099
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			claims := verify(t, auth, sign("{"+valid+","+test.member+"}", "", ""), paseto.Requirement{})
			if !test.ok(claims) {
				t.Errorf("claims are %s", says(t, claims))
			}
		})
	}
}

func TestClaimsRefused(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{AllowNoExpiry: true})
	refused := func(name, payload string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims, err := auth.Verify(t.Context(), sign(payload, "", ""), paseto.Requirement{})
			if claims != nil {
				t.Errorf("claims are %s", says(t, claims))
			}
			checkRefused(t, err, paseto.ErrClaims, "Token claims are not valid")
		})
	}
	refused("not JSON", "claims")
	refused("list", "[1]")
	refused("null", "null")
	refused("two objects", "{"+valid+"}{}")
	refused("not UTF-8", "{"+valid+",\"a\":\"\xff\"}")
	refused("duplicate", "{"+valid+`,"exp":"2098-01-01T00:00:00Z"}`)
	refused("duplicate by escape", "{"+valid+`,"\u0065xp":"2098-01-01T00:00:00Z"}`)
	refused("duplicate of a claim of one's own", "{"+valid+`,"role":"user","role":"admin"}`)
	refused("duplicate in depth", "{"+valid+`,"a":[{"b":1,"b":2}]}`)
	refused("half of a pair in a name", "{"+valid+`,"a\udc01":1}`)
	refused("half of a pair in a claim of one's own", "{"+valid+`,"a":{"b":["\ud800"]}}`)
	refused("zero with a sign", "{"+valid+`,"sub":-0}`)
	refused("numeric subject that no store holds", "{"+valid+`,"sub":`+strings.Repeat("1", 4001)+"}")
	for name, values := range map[string][]string{
		"jti":  {`"t\ud800"`, `1`, `true`, `["a"]`},
		"type": {`"access\ud800"`, `1`, `{}`, `["access"]`},
		"sub":  {`"bob\ud800"`, `"bob\udc01"`, `1.5`, `1e3`, `true`, `["a"]`, `{}`},
		"sid":  {`"s\ud800"`, `1`, `["a"]`},
		"iss":  {`"me\ud800"`, `1`, `["a"]`},
		"aud":  {`"web\ud800"`, `["web","app\ud800"]`, `1`, `{}`, `[1]`, `["a",2]`, `[null]`, `["a",null]`, `[["a"]]`},
		"iat":  {`"2030-01-02T3:04:05Z"`, `"2030-01-02T03:04:05,5Z"`, `"2030-01-02T03:04:05+24:00"`, `1893553445`, `"yesterday"`, `""`, `"2030-01-02"`, `["2030-01-02T03:04:05Z"]`},
		"nbf":  {`"2030-01-02T3:04:05Z"`, `"2030-01-02T03:04:05,5Z"`, `"2030-01-02T03:04:05-00:60"`, `1893553445`, `"2030-01-02 03:04:05Z"`, `true`},
		"exp":  {`"2099-01-01T1:00:00Z"`, `"2099-01-01T01:00:00,5Z"`, `"9999-12-31T23:59:59-00:01"`, `4070908800`, `"2099-01-01T00:00:00"`, `"2099-13-01T00:00:00Z"`, `false`},
		"auth_time": {
			`"2030-01-02T3:04:05Z"`, `"2030-01-02T03:04:05,5Z"`, `"2030-01-02T03:04:05+24:00"`, `253402300800`,
			`"1893553445"`, `-1`, `1e300`, `1e400`, `2e12`, `true`, `[1893553445]`, `{}`, `""`, `"yesterday"`, `"2030-01-02"`, `"2030-01-02T03:04:05"`,
		},
		"fresh": {`"true"`, `1`, `[]`},
		"scope": {`"read\ud800"`, `["read","write\udc01"]`, `1`, `{}`, `[1]`, `[null]`},
	} {
		for _, value := range append(values, "null") {
			refused(name+" "+value, `{"`+name+`":`+value+`}`)
		}
	}
}

func TestClaimsDecode(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := sign("{"+valid+`,"role":"admin","big":12345678901234567}`, `{"kid":"k1"}`, "")
	claims := verify(t, auth, token, paseto.Requirement{})
	var mine struct {
		Role string    `json:"role"`
		Big  int64     `json:"big"`
		Exp  time.Time `json:"exp"`
	}
	if err := claims.Decode(&mine); err != nil {
		t.Fatal(err)
	}
	if mine.Role != "admin" || mine.Big != 12345678901234567 || mine.Exp.Year() != 2099 {
		t.Errorf("decoded %+v", mine)
	}
	var footer struct {
		Key string `json:"kid"`
	}
	if err := claims.DecodeFooter(&footer); err != nil || footer.Key != "k1" {
		t.Errorf("decoded footer %+v, error %v", footer, err)
	}
	if err := claims.Decode(new([]int)); err == nil {
		t.Error("claims decode into a list")
	}

	none := verify(t, auth, sign("{"+valid+"}", "", ""), paseto.Requirement{})
	if err := none.DecodeFooter(&footer); err == nil || !strings.Contains(err.Error(), "has no footer") {
		t.Errorf("error of no footer is %v", err)
	}
	for name, token := range map[string]string{
		"not JSON":       sign("{"+valid+"}", "k1", ""),
		"half of a pair": sign("{"+valid+"}", `{"user":"bob\ud800"}`, ""), "half of a pair in a list": sign("{"+valid+"}", `["\udc01"]`, ""),
		"duplicate": sign("{"+valid+"}", `{"kid":"k1","kid":"k2"}`, ""),
	} {
		if err := verify(t, auth, token, paseto.Requirement{}).DecodeFooter(&footer); err == nil {
			t.Errorf("%s: the footer decodes", name)
		}
	}
}

func TestNilClaims(t *testing.T) {
	t.Parallel()
	var anonymous *paseto.Claims
	if !anonymous.Anonymous() || (&paseto.Claims{}).Anonymous() {
		t.Error("Anonymous does not tell nil from claims")
	}
	if anonymous.HasScopes("a") || !anonymous.HasScopes() {
		t.Error("an anonymous caller has every empty set of scopes and no other")
	}
	if got := anonymous.LogValue().String(); got != "anonymous" {
		t.Errorf("logged as %q", got)
	}
	if err := anonymous.Decode(&struct{}{}); err == nil {
		t.Error("Decode returns no error")
	}
	if err := anonymous.DecodeFooter(&struct{}{}); err == nil {
		t.Error("DecodeFooter returns no error")
	}
	if deadline := newAuthorizer(t, paseto.Config{}).Deadline(anonymous); !deadline.IsZero() {
		t.Errorf("deadline is %s, want none", deadline)
	}
}

func TestClaimsLogged(t *testing.T) {
	t.Parallel()
	issued := issueAccess(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{
		Subject: "alice", Session: "s1", Claims: map[string]string{"secret": "of-alice"},
	})
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("login", "token", issued.Claims)
	for _, want := range []string{`"sub":"alice"`, `"type":"access"`, `"sid":"s1"`, issued.Claims.ID} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s: %s", want, &out)
		}
	}
	if strings.Contains(out.String(), "of-alice") {
		t.Errorf("the log has the claims of one's own: %s", &out)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	claims := &paseto.Claims{Subject: "alice"}
	if got := paseto.FromContext(context.Background()); got != nil {
		t.Errorf("a context without claims gives %v", got)
	}
	outer := paseto.NewContext(context.Background(), claims)
	if got := paseto.FromContext(outer); got != claims {
		t.Errorf("claims are %v, want %v", got, claims)
	}
	if got := paseto.FromContext(paseto.NewContext(outer, nil)); got != nil {
		t.Errorf("nil does not hide the outer claims: %v", got)
	}
}
