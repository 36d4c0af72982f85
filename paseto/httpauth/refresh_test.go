package httpauth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestRefresh(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		cfg      httpauth.Config
		send     func(token string) []part
		byCookie bool
	}{
		{name: "header", send: func(token string) []part { return []part{bearer(token)} }},
		{name: "JSON member", send: func(token string) []part { return []part{object("refresh_token", token)} }},
		{name: "form member", send: func(token string) []part {
			return []part{body(asForm, "grant_type=refresh_token&refresh_token="+token)}
		}},
		{
			name: "custom header", cfg: httpauth.Config{HeaderName: "X-Token", HeaderScheme: httpauth.NoScheme},
			send: func(token string) []part { return []part{header("X-Token", token)} },
		},
		{
			name: "cookie", cfg: httpauth.Config{Locations: onlyCookies}, byCookie: true,
			send: func(token string) []part {
				return []part{cookie("__Host-refresh_token", token+"; __Host-access_token=stale")}
			},
		},
		{
			name: "cookie among locations", cfg: httpauth.Config{Locations: headerOrCookies}, byCookie: true,
			send: func(token string) []part { return []part{cookie("__Host-refresh_token", token), body(asJSON, "{}")} },
		},
		{
			name: "header where cookies are", cfg: httpauth.Config{Locations: headerOrCookies},
			send: func(token string) []part { return []part{bearer(token), cookie("__Host-access_token", "stale")} },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: test.cfg})
			_, refresh := s.pair(t)
			old, _ := s.auth.Verify(t.Context(), refresh, paseto.Requirement{Type: paseto.TypeRefresh})
			s.clock.Advance(time.Hour)

			a := post(t, s.web.Refresh(), test.send(refresh)...)
			pair := tokens(t, a)
			if pair.TokenType != "Bearer" || pair.ExpiresIn != 15*60 {
				t.Errorf("the answer is %+v", pair)
			}
			if test.byCookie {
				if strings.Contains(a.body, "v4.local.") {
					t.Errorf("the body shows a token: %s", a.body)
				}
				lax := attributes{path: "/", sameSite: http.SameSiteLaxMode}
				checkCookie(t, a, "__Host-access_token", "", lax)
				checkCookie(t, a, "__Host-refresh_token", "", lax)
				pair.AccessToken = paseto.NewSecret(a.cookies["__Host-access_token"].Value)
				pair.RefreshToken = paseto.NewSecret(a.cookies["__Host-refresh_token"].Value)
			} else if len(a.cookies) > 0 {
				t.Errorf("cookies are set: %v", a.cookies)
			}

			access, err := s.auth.Verify(t.Context(), pair.AccessToken.Reveal(), paseto.Requirement{})
			if err != nil {
				t.Fatalf("the access token is refused: %v", err)
			}
			if access.Fresh || access.Subject != "alice" || access.Session != old.Session {
				t.Errorf("the access token says %+v", access)
			}

			tokens(t, post(t, s.web.Refresh(), test.send(pair.RefreshToken.Reveal())...))
			s.clock.Advance(10*time.Second + time.Second)
			again := post(t, s.web.Refresh(), test.send(refresh)...)
			checkProblem(t, again, reused)
			if len(again.cookies) > 0 {
				t.Errorf("cookies are set: %v", again.cookies)
			}
		})
	}
}

func TestRefusedRefreshes(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
	access, refresh := s.pair(t)
	byCookie, member := cookie("__Host-refresh_token", refresh), object("refresh_token", refresh)

	missing := refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)
	wrongType := &paseto.Error{Code: "type_mismatch", Message: "Refresh token required but access provided"}
	ambiguous := refusal(http.StatusBadRequest, paseto.ErrAmbiguousCredential,
		challenge("invalid_request", paseto.ErrAmbiguousCredential.Message()))
	for _, test := range []struct {
		name  string
		parts []part
		want  problem
	}{
		{"nothing", nil, missing},
		{"access cookie alone", []part{cookie("__Host-access_token", access)}, missing},
		{"member of another name", []part{object("access_token", refresh)}, missing},
		{"access token", []part{bearer(access)}, refusal(http.StatusUnauthorized, wrongType, challenge("invalid_token", wrongType.Message))},
		{"junk", []part{object("refresh_token", "junk")}, refusal(http.StatusUnauthorized, paseto.ErrMalformed, challenge("invalid_token", "Invalid PASETO format"))},
		{"malformed header", []part{header("Authorization", "Bearer"), byCookie}, refusal(http.StatusBadRequest, paseto.ErrMalformedCredential,
			challenge("invalid_request", "Bad Authorization header. Expected value 'Bearer <PASETO>'"))},

		{"header and member", []part{bearer(refresh), member}, ambiguous},
		{"header and cookie", []part{bearer(refresh), byCookie}, ambiguous},
		{"member and cookie", []part{member, byCookie}, ambiguous},
		{"form member and cookie", []part{body(asForm, "refresh_token="+refresh), byCookie}, ambiguous},
		{"two cookies", []part{byCookie, byCookie}, ambiguous},
		{
			"JSON as a form", []part{body(asForm, `{"refresh_token":"`+refresh+`"}`)},
			refusal(http.StatusBadRequest, &paseto.Error{Code: "body_invalid", Message: "Bad request body. For JSON, send Content-Type: application/json"}, ""),
		},
		{
			"duplicate member", []part{body(asJSON, `{"refresh_token":"a","refresh_token":"b"}`)},
			refusal(http.StatusBadRequest, &paseto.Error{Code: "credential_malformed", Message: "Bad request body. Expected a JSON object"},
				challenge("invalid_request", "Bad request body. Expected a JSON object")),
		},
		{
			"half of a surrogate pair", []part{body(asJSON, `{"refresh_token":"`+refresh+`","a":"\ud800"}`)},
			refusal(http.StatusBadRequest, &paseto.Error{Code: "credential_malformed", Message: "Bad request body. Expected a JSON object"},
				challenge("invalid_request", "Bad request body. Expected a JSON object")),
		},
		{"duplicate field", []part{body(asForm, "refresh_token=a&refresh_token=b")}, ambiguous},
		{
			"other media type", []part{body("text/plain", refresh)},
			problem{status: http.StatusUnsupportedMediaType, code: "media_type_unsupported", detail: "Expected a body of type application/json or application/x-www-form-urlencoded"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := post(t, s.web.Refresh(), test.parts...)
			checkProblem(t, a, test.want)
			if len(a.cookies) > 0 {
				t.Errorf("cookies are set: %v", a.cookies)
			}
		})
	}

	t.Run("none of them used the token up", func(t *testing.T) {
		tokens(t, post(t, s.web.Refresh(), member))
	})

	t.Run("a cookie counts only where cookies are configured", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, setup{})
		_, refresh := s.pair(t)
		checkProblem(t, post(t, s.web.Refresh(), cookie("__Host-refresh_token", refresh)), missing)
	})
}

// TestMalformedRefreshMember sends a member that is there and is no token. It
// must be refused, rather than passed over for a token elsewhere.
func TestMalformedRefreshMember(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]part{
		"number":       body(asJSON, `{"refresh_token":5}`),
		"null":         body(asJSON, `{"refresh_token":null}`),
		"list":         body(asJSON, `{"refresh_token":["v4.local.AAAA"]}`),
		"empty":        object("refresh_token", ""),
		"empty field":  body(asForm, "refresh_token="),
		"several, CSV": object("refresh_token", "v4.local.AAAA,v4.local.AAAA"),
		"space":        object("refresh_token", " v4.local.AAAA"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
			_, refresh := s.pair(t)
			if a := post(t, s.web.Refresh(), send); a.status != http.StatusBadRequest {
				t.Errorf("alone it is answered with %d %s, want 400", a.status, a.body)
			}
			if a := post(t, s.web.Refresh(), send, cookie("__Host-refresh_token", refresh)); a.status != http.StatusBadRequest {
				t.Errorf("beside a good cookie it is answered with %d, want 400", a.status)
			}
		})
	}
}
