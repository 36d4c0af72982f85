package httpauth_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var (
	onlyCookies     = []httpauth.Location{httpauth.LocationCookie}
	headerOrCookies = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie}
)

// attributes is a cookie without name and value.
type attributes struct {
	path, domain string
	maxAge       int
	insecure     bool
	sameSite     http.SameSite
}

// checkCookie checks a cookie that was set, which must be HttpOnly. An empty
// value stands for any but none.
func checkCookie(t testing.TB, a answer, name, value string, want attributes) {
	t.Helper()
	c := a.cookies[name]
	if c == nil {
		t.Errorf("no cookie %s is set; set are %v", name, a.cookies)
		return
	}
	if value == "" && c.Value == "" || value != "" && c.Value != value {
		t.Errorf("cookie %s has the wrong value", name)
	}
	if !c.HttpOnly {
		t.Errorf("cookie %s is not HttpOnly", name)
	}
	if !c.Expires.IsZero() {
		t.Errorf("cookie %s expires by the client's clock, %s", name, c.Expires)
	}
	if got := (attributes{c.Path, c.Domain, c.MaxAge, !c.Secure, c.SameSite}); got != want {
		t.Errorf("cookie %s has the attributes %+v, want %+v", name, got, want)
	}
}

// checkCleared checks that a cookie was deleted. A browser deletes only the
// cookie that it has under the same name, domain and path.
func checkCleared(t testing.TB, a answer, name string, want attributes) {
	t.Helper()
	if c := a.cookies[name]; c != nil && c.Value != "" {
		t.Errorf("deleted cookie %s has a value", name)
	}
	if c := a.cookies[name]; c != nil {
		c.Value = "deleted"
	}
	want.maxAge = -1
	checkCookie(t, a, name, "deleted", want)
}

func TestCookies(t *testing.T) {
	t.Parallel()
	lax := attributes{path: "/", sameSite: http.SameSiteLaxMode}
	for _, test := range []struct {
		name                  string
		cfg                   httpauth.CookieConfig
		auth                  paseto.Config
		access, refresh       string
		accessAttr, refreshAt attributes
	}{
		{
			name: "defaults", access: "__Host-access_token", refresh: "__Host-refresh_token",
			accessAttr: lax, refreshAt: lax,
		},
		{
			name: "names", cfg: httpauth.CookieConfig{AccessName: "door", RefreshName: "gate"},
			access: "__Host-door", refresh: "__Host-gate", accessAttr: lax, refreshAt: lax,
		},
		{
			name: "names with prefix", cfg: httpauth.CookieConfig{AccessName: "__Secure-door", RefreshName: "__Host-gate"},
			access: "__Secure-door", refresh: "__Host-gate", accessAttr: lax, refreshAt: lax,
		},
		{
			name: "refresh path", cfg: httpauth.CookieConfig{RefreshPath: "/session"},
			access: "__Host-access_token", refresh: "__Secure-refresh_token",
			accessAttr: lax, refreshAt: attributes{path: "/session", sameSite: http.SameSiteLaxMode},
		},
		{
			name: "path", cfg: httpauth.CookieConfig{Path: "/api"},
			access: "__Secure-access_token", refresh: "__Host-refresh_token",
			accessAttr: attributes{path: "/api", sameSite: http.SameSiteLaxMode}, refreshAt: lax,
		},
		{
			name: "domain", cfg: httpauth.CookieConfig{Domain: "example.com", SameSite: httpauth.SameSiteStrict},
			access: "__Secure-access_token", refresh: "__Secure-refresh_token",
			accessAttr: attributes{path: "/", domain: "example.com", sameSite: http.SameSiteStrictMode},
			refreshAt:  attributes{path: "/", domain: "example.com", sameSite: http.SameSiteStrictMode},
		},
		{
			name: "insecure", cfg: httpauth.CookieConfig{Insecure: true},
			access: "access_token", refresh: "refresh_token",
			accessAttr: attributes{path: "/", insecure: true, sameSite: http.SameSiteLaxMode},
			refreshAt:  attributes{path: "/", insecure: true, sameSite: http.SameSiteLaxMode},
		},
		{
			name: "other sites", cfg: httpauth.CookieConfig{SameSite: httpauth.SameSiteNone},
			access: "__Host-access_token", refresh: "__Host-refresh_token",
			accessAttr: attributes{path: "/", sameSite: http.SameSiteNoneMode},
			refreshAt:  attributes{path: "/", sameSite: http.SameSiteNoneMode},
		},
		{
			// The clock stands between two seconds: the cookie goes before the token.
			name: "persistent", cfg: httpauth.CookieConfig{Persistent: true},
			access: "__Host-access_token", refresh: "__Host-refresh_token",
			accessAttr: attributes{path: "/", maxAge: 15*60 - 1, sameSite: http.SameSiteLaxMode},
			refreshAt:  attributes{path: "/", maxAge: 30*24*3600 - 1, sameSite: http.SameSiteLaxMode},
		},
		{
			name: "persistent with leeway and without expiry", cfg: httpauth.CookieConfig{Persistent: true},
			auth: paseto.Config{
				AccessTTL: time.Second, RefreshTTL: paseto.NoExpiry, AllowNoExpiry: true, MaxTTL: paseto.NoExpiry,
				Leeway: 10 * time.Second,
			},
			access: "__Host-access_token", refresh: "__Host-refresh_token",
			accessAttr: attributes{path: "/", maxAge: 10, sameSite: http.SameSiteLaxMode}, refreshAt: lax,
		},
		{
			name: "persistent for longer than 32 bits can count", cfg: httpauth.CookieConfig{Persistent: true},
			auth:   paseto.Config{RefreshTTL: 100 * 365 * 24 * time.Hour, SessionTTL: paseto.NoExpiry, MaxTTL: paseto.NoExpiry},
			access: "__Host-access_token", refresh: "__Host-refresh_token",
			accessAttr: attributes{path: "/", maxAge: 15*60 - 1, sameSite: http.SameSiteLaxMode},
			refreshAt:  attributes{path: "/", maxAge: math.MaxInt32, sameSite: http.SameSiteLaxMode},
		},
		{
			// Max-Age 0 would delete the cookie.
			name: "persistent for less than a second", cfg: httpauth.CookieConfig{Persistent: true},
			auth:   paseto.Config{AccessTTL: time.Second},
			access: "__Host-access_token", refresh: "__Host-refresh_token",
			accessAttr: attributes{path: "/", maxAge: 1, sameSite: http.SameSiteLaxMode},
			refreshAt:  attributes{path: "/", maxAge: 30*24*3600 - 1, sameSite: http.SameSiteLaxMode},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := httpauth.Config{Locations: headerOrCookies, Cookie: test.cfg}
			if a, r := cfg.AccessCookieName(), cfg.RefreshCookieName(); a != test.access || r != test.refresh {
				t.Errorf("the names are %s and %s, want %s and %s", a, r, test.access, test.refresh)
			}
			s := newSite(t, setup{web: cfg, auth: test.auth})
			a := post(t, s.web.Login(accept), body(asForm, passwordForm))
			pair := tokens(t, a)
			checkCookie(t, a, test.access, pair.AccessToken.Reveal(), test.accessAttr)
			checkCookie(t, a, test.refresh, pair.RefreshToken.Reveal(), test.refreshAt)
			if len(a.cookies) != 2 {
				t.Errorf("%d cookies are set, want 2", len(a.cookies))
			}
			checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), cookie(test.access, pair.AccessToken.Reveal())), "alice")

			a = post(t, s.web.Logout(), cookie(test.refresh, pair.RefreshToken.Reveal()))
			if a.status != http.StatusNoContent {
				t.Fatalf("logout is answered with %d %s", a.status, a.body)
			}
			checkCleared(t, a, test.access, test.accessAttr)
			checkCleared(t, a, test.refresh, test.refreshAt)
		})
	}
}

// TestCookieOfASisterHost sends a cookie that another host of the same domain
// can set: no browser takes its name for one with the prefix __Host-, and
// whoever reads it so is logged in as somebody else.
func TestCookieOfASisterHost(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: onlyCookies}})
	missing := refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)
	for _, space := range []string{"\u0085", "\u00a0", "\u2000", "\u3000"} {
		access, refresh := s.pair(t)
		a := get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), cookie(space+"__Host-access_token", access))
		checkProblem(t, a, missing)
		checkProblem(t, post(t, s.web.Refresh(), cookie("n=1; "+space+"__Host-refresh_token", refresh)), missing)
		checkProblem(t, post(t, s.web.Logout(), cookie(space+"__Host-refresh_token", refresh)), missing)
	}
}

func TestOnlyCookiesKeepTokensFromScripts(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: onlyCookies}})
	a := post(t, s.web.Login(accept), body(asForm, passwordForm))
	tokens(t, a)
	if want := `{"token_type":"Bearer","expires_in":900}` + "\n"; a.body != want {
		t.Errorf("answer is %s, want %s", a.body, want)
	}
	access := a.cookies["__Host-access_token"].Value
	if _, err := s.auth.Verify(t.Context(), access, paseto.Requirement{Fresh: true}); err != nil {
		t.Errorf("the access token is not fresh: %v", err)
	}
}

// TestCookieTooLarge logs in with more than browsers keep: they would drop the
// cookie without a word, and the user would not know why nothing works.
func TestCookieTooLarge(t *testing.T) {
	t.Parallel()
	internal := problem{status: http.StatusInternalServerError, code: "server_error", detail: "The server could not answer the request"}
	tooLarge := refusal(http.StatusUnauthorized, paseto.ErrClaims, challenge("invalid_token", paseto.ErrClaims.Message()))
	grant := paseto.Grant{Subject: "alice", Claims: map[string]string{"data": strings.Repeat("x", 3000)}}
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
	pair := must(s.auth.IssuePair(grant))

	login := post(t, s.web.Login(granting(grant)), body(asForm, passwordForm))
	checkProblem(t, login, internal) // the program's grant
	refresh := post(t, s.web.Refresh(), cookie("__Host-refresh_token", pair.Refresh.Token.Reveal()))
	checkProblem(t, refresh, tooLarge) // the client's cookie, which no browser has
	if len(login.cookies)+len(refresh.cookies) > 0 {
		t.Errorf("cookies are set: %v, %v", login.cookies, refresh.cookies)
	}
	log := s.log.String()
	if strings.Count(log, "level=ERROR") != 1 || strings.Count(log, "level=INFO") != 1 || !strings.Contains(log, "__Host-access_token") || !strings.Contains(log, "4096") {
		t.Errorf("logged is %s", log)
	}
}
