package httpauth_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// browser keeps the cookies of a visitor of https://app.example.com.
type browser struct{ *cookiejar.Jar }

func (b browser) post(t testing.TB, handler http.Handler, path string, parts ...part) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://app.example.com"+path, http.NoBody)
	for _, c := range b.Cookies(r.URL) {
		r.AddCookie(c)
	}
	for _, p := range parts {
		p(r)
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r)
	res := rec.Result()
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if err := c.Valid(); err != nil {
			t.Errorf("a cookie is not valid: %v", err)
		}
		if c.MaxAge >= 0 && strings.HasPrefix(c.Name, "__") != c.Secure {
			t.Errorf("browsers drop %v", c)
		}
	}
	b.SetCookies(r.URL, res.Cookies())
	return res.StatusCode
}

// TestChangedCookieScope changes the path or domain of cookies while a browser has old
// ones. A login, a refresh and a logout leave none of them, where the old scope is listed;
// a logout ends the old session as well.
func TestChangedCookieScope(t *testing.T) {
	t.Parallel()
	const site, subdomain = "example.com", "app.example.com"
	type config = httpauth.CookieConfig
	for _, test := range []struct {
		name     string
		old, now config
		former   []string
		locked   bool // browsers send two cookies of one name
	}{
		{"longer path", config{Path: "/api", RefreshPath: "/api"}, config{Path: "/api/v2", RefreshPath: "/api/v2"},
			[]string{"/api"}, true},
		{"shorter path", config{Path: "/api/v2", RefreshPath: "/api/v2"}, config{Path: "/api", RefreshPath: "/api"},
			[]string{"/api/v2"}, true},
		{"smaller domain", config{Domain: site}, config{Domain: subdomain}, []string{site + "/"}, true},
		{"larger domain", config{Domain: subdomain}, config{Domain: site}, []string{subdomain + "/"}, true},
		{"domain to path", config{Domain: site}, config{Path: "/api", RefreshPath: "/api"}, []string{site + "/"}, true},
		{"two former ones", config{Domain: site}, config{Path: "/api", RefreshPath: "/api"},
			[]string{"/api/v2", site + "/", "EXAMPLE.com/"}, true},
		{"insecure path", config{Insecure: true}, config{Insecure: true, Path: "/api", RefreshPath: "/api"}, []string{"/"}, true},
		{"refresh path alone", config{RefreshPath: "/api"}, config{RefreshPath: "/api/v2"}, []string{"/api"}, false},
		{"names that differ by the prefix", config{}, config{Domain: site}, []string{"/"}, false},
		{"domain dropped", config{Domain: site}, config{}, []string{site + "/"}, false},
		{"insecure to secure", config{Insecure: true}, config{}, []string{"/"}, false},
		{"secure to insecure", config{}, config{Insecure: true}, []string{"/"}, false},
		{"listed, and in use", config{Path: "/api", RefreshPath: "/api"}, config{Path: "/api", RefreshPath: "/api"},
			[]string{"/api"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			const at = "/api/v2/x" // where all paths are sent
			login := body(asForm, passwordForm)
			open := func(c httpauth.CookieConfig) *httpauth.Web {
				return newSite(t, setup{web: httpauth.Config{Locations: onlyCookies, Cookie: c}}).web
			}
			visit := func(t testing.TB) browser {
				t.Helper()
				b := browser{must(cookiejar.New(nil))}
				if status := b.post(t, open(test.old).Login(accept), at, login); status != http.StatusOK {
					t.Fatalf("the old login answers %d", status)
				}
				return b
			}
			guarded := func(web *httpauth.Web) http.Handler {
				return web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
			}

			unaware, b := open(test.now), visit(t)
			if status := b.post(t, unaware.Login(accept), at, login); status != http.StatusOK {
				t.Fatalf("login beside old cookies answers %d", status)
			}
			if status := b.post(t, guarded(unaware), at); (status == http.StatusBadRequest) != test.locked {
				t.Errorf("without a list of former scopes the route answers %d", status)
			}

			test.now.Former = test.former
			web := open(test.now)
			for name, handler := range map[string]http.Handler{"refresh": web.Refresh(), "ticket": web.Ticket()} {
				if status := b.post(t, handler, at); test.locked && status != http.StatusBadRequest {
					t.Errorf("%s with two cookies of one name answers %d", name, status)
				}
			}
			for _, b := range []browser{b, visit(t)} {
				if status := b.post(t, web.Login(accept), at, login); status != http.StatusOK {
					t.Fatalf("login answers %d", status)
				}
				checkCookies(t, b, at, 2)
				for i, handler := range []http.Handler{guarded(web), web.Refresh(), guarded(web)} {
					if status := b.post(t, handler, at); status != http.StatusOK {
						t.Errorf("request %d after the login is answered with %d", i, status)
					}
				}
				checkCookies(t, b, at, 2)
			}
			b = visit(t)
			b.post(t, unaware.Login(accept), at, login)
			if status := b.post(t, web.Logout(), at); status != http.StatusNoContent {
				t.Errorf("logout beside old cookies answers %d", status)
			}
			checkCookies(t, b, at, 0)
		})
	}
}

// checkCookies checks how many cookies a browser has of its tokens.
func checkCookies(t testing.TB, b browser, path string, want int) {
	t.Helper()
	if got := b.Cookies(&url.URL{Scheme: "https", Host: "app.example.com", Path: path}); len(got) != want {
		t.Errorf("the browser has %d cookies, want %d: %v", len(got), want, got)
	}
}

func TestFormerScopesAreChecked(t *testing.T) {
	t.Parallel()
	auth := newSite(t, setup{}).auth
	for _, test := range []struct {
		name   string
		former []string
		why    string
	}{
		{"too many", strings.Fields("/1 /2 /3 /4 /5 /6 /7 /8 /9"), "Cookie.Former: must list at most 8"},
		{"relative path", []string{"/", "api"}, `Cookie.Former[1] = "api": expected a path that begins with /`},
		{"path with a semicolon", []string{"/a;b"}, "Cookie.Former[0]"},
		{"domain", []string{"a b/"}, "Cookie.Former[0]"},
	} {
		_, err := httpauth.New(auth, httpauth.Config{Cookie: httpauth.CookieConfig{Former: test.former}})
		if !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%s: error is %v, want one with %q", test.name, err, test.why)
		}
	}
}

// TestWarningOfCookies is logged once, where a setting gives up the prefix __Host-.
func TestWarningOfCookies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		locations []httpauth.Location
		cookie    httpauth.CookieConfig
		want      int
	}{
		{"default", onlyCookies, httpauth.CookieConfig{}, 0},
		{"domain", onlyCookies, httpauth.CookieConfig{Domain: "example.com"}, 1},
		{"path", headerOrCookies, httpauth.CookieConfig{Path: "/api"}, 1},
		{"refresh path", onlyCookies, httpauth.CookieConfig{RefreshPath: "/session"}, 1},
		{"domain, and no cookies", nil, httpauth.CookieConfig{Domain: "example.com"}, 0},
		{"former ones alone", onlyCookies, httpauth.CookieConfig{Former: []string{"example.com/"}}, 0},
	} {
		s := newSite(t, setup{web: httpauth.Config{Locations: test.locations, Cookie: test.cookie}})
		get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
		if n := strings.Count(s.log.String(), "level=WARN"); n != test.want || n > 0 && !strings.Contains(s.log.String(), "__Host-") {
			t.Errorf("%s: there are %d warnings, want %d:\n%s", test.name, n, test.want, s.log)
		}
	}
}
