package httpauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// theirs signs the tokens of another issuer, whose public half the site has.
var theirs = paseto.NewSecretKey()

// newHostileSite returns a site with as many features as possible, all of which
// answer with cookies as well.
func newHostileSite(t testing.TB, auth paseto.Config) *site {
	t.Helper()
	half := must(theirs.PublicKey())
	retired := must(paseto.NewKey(paseto.V3, paseto.Local)).Retire(start.Add(time.Hour))
	auth.Keys = []paseto.Key{localKey, secretKey, half, retired}
	return newSite(t, setup{auth: auth, web: httpauth.Config{
		Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationJSON, httpauth.LocationCookie},
	}})
}

// endpoints are all that a client may send a token or a body to.
func (s *site) endpoints() map[string]http.Handler {
	return map[string]http.Handler{
		"login":             s.web.Login(granting(paseto.Grant{Subject: "alice"})),
		"refresh":           s.web.Refresh(),
		"ticket":            s.web.Ticket(),
		"bound ticket":      s.web.Ticket(httpauth.WithTicketPath("/ws"), httpauth.WithTicketOrigin()),
		"logout":            s.web.Logout(),
		"logout everywhere": s.web.LogoutEverywhere(),
		"resource":          s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)),
		"optional":          s.web.Require(paseto.Requirement{Optional: true, Fresh: true, Scopes: []string{"a"}}, http.HandlerFunc(whoami)),
	}
}

// checkClientsFault sends the same to every endpoint, and checks that none takes it
// for the server's fault. A logout may say that it cannot revoke the token.
func (s *site) checkClientsFault(t testing.TB, name string, parts ...part) {
	t.Helper()
	for endpoint, handler := range s.endpoints() {
		if a := post(t, handler, parts...); a.status >= http.StatusInternalServerError && a.status != http.StatusNotImplemented {
			t.Errorf("%s, %s: answer is %d %s\n%s", name, endpoint, a.status, a.body, s.log)
		}
	}
}

// hostileClaims are members that an authentic token may have, and no Authorizer
// here would give it.
func hostileClaims() map[string]string {
	member := func(name string, value any) string { return fmt.Sprintf("%q:%s", name, must(json.Marshal(value))) }
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprint("s", i)
	}
	deep := func(n int) string { return `"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) }
	return map[string]string{
		"nothing":                      `"a":1`,
		"login ahead":                  `"auth_time":"2031-01-01T00:00:00Z"`,
		"login ahead in seconds":       `"auth_time":253402300799`,
		"login at the end of time":     `"auth_time":"9999-12-31T23:59:59Z"`,
		"login at the beginning":       `"auth_time":"0001-01-01T00:00:00Z"`,
		"login before the beginning":   `"auth_time":"0000-01-01T00:00:00Z"`,
		"login long ago":               `"auth_time":0`,
		"issued long ago":              `"iat":"0001-01-01T00:00:00Z"`,
		"valid since long ago":         `"nbf":"0000-01-01T00:00:00Z"`,
		"scope that is none":           `"scope":["lesen und \"schreiben\"","\\","\u0000"]`,
		"many scopes":                  member("scope", many),
		"long scope":                   member("scope", strings.Repeat("s", 5000)),
		"many audiences":               member("aud", many),
		"empty audience":               `"aud":[]`,
		"long issuer":                  member("iss", strings.Repeat("i", 5000)),
		"odd issuer":                   `"iss":"\u0000\r\n"`,
		"long subject":                 member("sub", strings.Repeat("a", 4000)),
		"longer subject":               member("sub", strings.Repeat("a", 4097)),
		"subject of control codes":     `"sub":"` + strings.Repeat(`\u0001`, 900) + `"`,
		"numeric subject":              `"sub":` + strings.Repeat("1", 3000),
		"long session":                 member("sid", strings.Repeat("a", 4000)),
		"longer session":               member("sid", strings.Repeat("a", 4090)),
		"long id":                      member("jti", strings.Repeat("a", 4000)),
		"longer id":                    member("jti", strings.Repeat("a", 4096)),
		"no id":                        `"jti":""`,
		"half of a pair":               `"sub":"bob\ud800"`,
		"large claims":                 member("a", strings.Repeat("x", 5300)),
		"claims that HTML escapes":     `"a":"` + strings.Repeat("<", 3000) + `"`,
		"claims that grow":             `"a":"` + strings.Repeat("\u2028", 1500) + `"`,
		"many claims":                  `"` + strings.Join(many, `":1,"`) + `":1`,
		"deep claims":                  deep(63),
		"deeper claims":                deep(64),
		"fresh":                        `"fresh":true`,
		"last generation":              `"sid":"s1","jti":"t3","rot":"2147483647.a"`,
		"generation of no session":     `"jti":"t4","rot":"1.a"`,
		"generation that is none":      `"sid":"s1","jti":"t5","rot":{}`,
		"generation with a space":      `"sid":"s1","jti":"t6","rot":"1.a b"`,
		"names of a ticket's own":      `"path":1,"origin":{},"access":null,"access_footer":"!"`,
		"a ticket for nothing":         `"access":{}`,
		"names of another case":        `"EXP":1,"Sub":null`,
		"all that a string may escape": `"sub":"\"\\\/\b\f\n\r\t\u0000\ud83d\ude00"`,
	}
}

var hostileFooters = map[string]string{
	"none":             "",
	"text":             "text",
	"bytes":            "\x00\xff",
	"of another kid":   `{"kid":"theirs","a":1}`,
	"two kids":         `{"kid":"a","kid":"b"}`,
	"half of a pair":   `{"a":"\ud800"}`,
	"long":             `{"kid":"a","a":"` + strings.Repeat("<", 1900) + `"}`,
	"longest":          strings.Repeat("x", 2048),
	"too long":         strings.Repeat("x", 2049),
	"deep":             `{"kid":"a","a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`,
	"deeper":           `{"kid":"a","a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
	"number":           "1e400",
	"object for a kid": `{"kid":{}}`,
}

// TestNoTokenIsTheServersFault presents authentic tokens of other programs, ours and
// another issuer's, with claims and footers that nobody here would give them.
func TestNoTokenIsTheServersFault(t *testing.T) {
	t.Parallel()
	open := paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry, Leeway: time.Minute, Denylist: paseto.DenylistConfig{FailOpen: true}}
	for _, from := range []struct {
		name string
		cfg  paseto.Config
		key  paseto.Key
	}{{"ours", paseto.Config{}, secretKey}, {"theirs", paseto.Config{}, theirs}, {"ours, by rules that bound little", open, secretKey}} {
		for _, tokenType := range []string{"access", "refresh", "ticket"} {
			t.Run(from.name+", "+tokenType, func(t *testing.T) {
				t.Parallel()
				s := newHostileSite(t, from.cfg)
				check := func(name, payload, footer string) {
					t.Helper()
					token := testtoken.Sign(from.key, payload, footer, "")
					page := header("Origin", "https://example.com")
					s.checkClientsFault(t, name+" by header", bearer(token), page)
					if tokenType == "refresh" {
						byCookie := post(t, s.web.Refresh(), cookie("__Host-refresh_token", token), page)
						if byCookie.status >= http.StatusInternalServerError {
							t.Errorf("%s by cookie: answer is %d %s\n%s", name, byCookie.status, byCookie.body, s.log)
						}
					}
				}
				payload := func(exp, member string) string {
					return fmt.Sprintf(`{"type":%q,%s%s}`, tokenType, exp, member)
				}
				const soon = `"exp":"2030-01-03T00:00:00Z",`
				for name, member := range hostileClaims() {
					check(tokenType+" with "+name, payload(soon, member), "")
				}
				for _, exp := range []string{
					"", `"exp":"9999-12-31T23:59:59Z",`, `"exp":"2030-01-02T03:04:06Z",`, `"exp":"2030-01-03T00:00:00Z","iat":"2030-01-03T00:00:00Z",`,
					`"exp":"9999-12-31T23:59:59Z","iat":"0000-01-01T00:00:00Z",`, `"exp":"2030-01-03T00:00:00Z","nbf":"9999-01-01T00:00:00Z",`,
				} {
					check(tokenType+" with "+exp, payload(exp, `"jti":"t1"`), "")
				}
				for name, footer := range hostileFooters {
					check(tokenType+" with a footer, "+name, payload(soon, `"jti":"t2"`), footer)
				}
			})
		}
	}
}

// TestNoBodyIsTheServersFault sends bodies of every kind with good tokens.
func TestNoBodyIsTheServersFault(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1000)
	s := newHostileSite(t, paseto.Config{})
	full := s.access(t, paseto.Grant{Subject: "alice", Claims: map[string]string{"a": strings.Repeat("x", 5300)}})
	for name, values := range map[string]map[string]string{
		"nothing":             {},
		"long path":           {"path": "/" + long},
		"longest path":        {"path": "/" + strings.Repeat("a", 1023)},
		"longer path":         {"path": "/" + strings.Repeat("a", 1024)},
		"path of controls":    {"path": "/" + strings.Repeat("\x01", 1000)},
		"path of escapes":     {"path": "/" + strings.Repeat("%00", 340)},
		"path of signs":       {"path": "/" + strings.Repeat("<", 1000)},
		"path with a query":   {"path": "/a?b"},
		"relative path":       {"path": "a"},
		"long origin":         {"origin": "https://" + strings.Repeat("a.", 500) + "com"},
		"origin that is none": {"origin": "null"},
		"both":                {"path": "/" + long, "origin": "https://" + strings.Repeat("a.", 400) + "com"},
		"long user name":      {"username": strings.Repeat("<", 256), "password": "x"},
		"control codes":       {"username": strings.Repeat("\x00", 256), "password": "\x00"},
		"beyond ASCII":        {"username": strings.Repeat("😀", 256), "password": strings.Repeat("😀", 1024)},
		"tokens":              {"access_token": full, "refresh_token": full, "token": full},
	} {
		form := url.Values{}
		for name, value := range values {
			form.Set(name, value)
		}
		object := string(must(json.Marshal(values)))
		for _, token := range []string{full, s.access(t, paseto.Grant{Subject: "alice"})} {
			s.checkClientsFault(t, name, bearer(token), body(asJSON, object))
			s.checkClientsFault(t, name+" in a form", bearer(token), body(asForm, form.Encode()), header("Origin", "https://example.com"))
		}
	}
	deep := `{"path":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`
	for _, text := range []string{
		"", " ", "null", "[]", "1", `{"path":null}`, `{"path":1,"origin":{},"username":[],"password":true}`, "{", "\xff", `{"\ud800":1}`,
		deep, strings.Repeat("x", 1<<16), strings.Repeat(`{"a":`, 1<<12), "path=%zz", "path=/&path=/", "a;b", "%00=%00", "username=%ff&password=%ff",
	} {
		for _, mediaType := range []string{asJSON, asForm, "text/plain", "", "/", asJSON + "; charset=utf-16"} {
			s.checkClientsFault(t, fmt.Sprintf("%q as %q", text[:min(len(text), 20)], mediaType), bearer(full), body(mediaType, text))
		}
	}
}

// TestTicketTooLong says what is too much, with the access token of a client that
// can only ask for less.
func TestTicketTooLong(t *testing.T) {
	t.Parallel()
	s := newHostileSite(t, paseto.Config{})
	tooMuch := problem{status: http.StatusBadRequest, code: "body_invalid", detail: "Bad ticket request. The access token, path and origin are too much for one ticket"}
	token := s.access(t, paseto.Grant{Subject: "alice", Claims: map[string]string{"a": strings.Repeat("x", 4800)}})
	checkProblem(t, post(t, s.web.Ticket(), bearer(token), object("path", "/"+strings.Repeat("a", 1000))), tooMuch)
	if a := post(t, s.web.Ticket(), bearer(token)); a.status != http.StatusOK {
		t.Errorf("without a path the answer is %d %s", a.status, a.body)
	}
	deep := testtoken.Sign(secretKey, `{"type":"access","exp":"2030-01-03T00:00:00Z","a":`+strings.Repeat("[", 63)+strings.Repeat("]", 63)+"}", "", "")
	checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(deep)), "")
	checkProblem(t, post(t, s.web.Ticket(), bearer(deep)), tooMuch)
}

// TestRefreshOfWhatIsNotIssued: no pair can follow these tokens, now or later.
func TestRefreshOfWhatIsNotIssued(t *testing.T) {
	t.Parallel()
	s := newHostileSite(t, paseto.Config{})
	claims := refusal(http.StatusUnauthorized, paseto.ErrClaims, challenge("invalid_token", paseto.ErrClaims.Message()))
	forbidden := problem{status: http.StatusForbidden, code: "access_denied", detail: "Access denied"}
	for name, member := range map[string]string{
		"login ahead":        `"auth_time":"2031-01-01T00:00:00Z"`,
		"scope that is none": `"scope":"lesen und sch\u00f6n"`,
		"no room for more":   `"a":"` + strings.Repeat("x", 5900) + `"`,
	} {
		payload := `{"type":"refresh","jti":"t1","exp":"2030-01-03T00:00:00Z","iat":"2030-01-02T00:00:00Z",` + member + `}`
		t.Run(name, func(t *testing.T) {
			checkProblem(t, post(t, s.web.Refresh(), bearer(testtoken.Sign(secretKey, payload, "", ""))), claims)
			checkProblem(t, post(t, s.web.Refresh(), bearer(testtoken.Sign(theirs, payload, "", ""))), forbidden)
		})
	}
}

// TestRefreshAfterAChangeOfVersion: tokens of a version that is retired are followed
// by those of the configured one.
func TestRefreshAfterAChangeOfVersion(t *testing.T) {
	t.Parallel()
	old := must(paseto.NewKey(paseto.V3, paseto.Local))
	before := newSite(t, setup{auth: paseto.Config{Version: paseto.V3, Keys: []paseto.Key{old}}})
	after := newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{localKey, old.Retire(start.Add(time.Hour))}}})
	_, refresh := before.pair(t)
	next := tokens(t, post(t, after.web.Refresh(), bearer(refresh)))
	for _, token := range []paseto.Secret{next.AccessToken, next.RefreshToken} {
		if !strings.HasPrefix(token.Reveal(), "v4.local.") {
			t.Errorf("a token is %.9s, want v4.local", token.Reveal())
		}
	}
}

// TestLogoutOfANameThatNoStoreHolds has a store of shorter names than ours.
func TestLogoutOfANameThatNoStoreHolds(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{store: shortNames{denylist.NewMemory()}, auth: paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}})
	access, refresh := s.pair(t)
	claims := refusal(http.StatusUnauthorized, paseto.ErrClaims, challenge("invalid_token", paseto.ErrClaims.Message()))
	alive := problem{status: http.StatusNotImplemented, code: "revocation_unsupported",
		detail: "This token cannot be revoked. It is valid until it expires"}
	checkProblem(t, post(t, s.web.Logout(), bearer(access)), alive)
	checkProblem(t, post(t, s.web.LogoutEverywhere(), bearer(access)), alive)
	checkProblem(t, post(t, s.web.Refresh(), bearer(refresh)), claims)
}

// FuzzEndpoints sends any claims, footer and body to every endpoint.
func FuzzEndpoints(f *testing.F) {
	for _, member := range hostileClaims() {
		f.Add(`"type":"refresh","exp":"2030-01-03T00:00:00Z",`+member, "", `{"path":"/ws"}`, true)
	}
	for _, footer := range hostileFooters {
		f.Add(`"type":"access","exp":"2030-01-03T00:00:00Z"`, footer, "path=/ws", false)
	}
	f.Fuzz(func(t *testing.T, members, footer, text string, inJSON bool) {
		mediaType := asForm
		if inJSON {
			mediaType = asJSON
		}
		s := newHostileSite(t, paseto.Config{})
		for _, key := range []paseto.Key{secretKey, theirs} {
			s.checkClientsFault(t, "fuzzed", bearer(testtoken.Sign(key, "{"+members+"}", footer, "")), body(mediaType, text))
		}
	})
}

// shortNames holds no name at all.
type shortNames struct{ denylist.Store }

var errTooLong = fmt.Errorf("the name is too long: %w", denylist.ErrInvalid)

func (shortNames) Revoke(context.Context, denylist.Revocation) error { return errTooLong }

func (shortNames) Consume(context.Context, string, string, time.Time) (winner string, first bool, err error) {
	return "", false, errTooLong
}

func (shortNames) Advance(context.Context, string, string, string, time.Time) (current string, advanced bool, err error) {
	return "", false, errTooLong
}
