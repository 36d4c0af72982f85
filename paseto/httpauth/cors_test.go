package httpauth_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var corsOrigins = []string{"https://app.example.net", "HTTP://local.example:80", "https://*.example.org"}

// allowed returns what an answer lets a page of another origin do.
func allowed(a answer) map[string]string {
	got := make(map[string]string)
	for name := range a.header {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			got[short] = strings.Join(a.header.Values(name), "\n")
		}
	}
	return got
}

// preflight asks for a request as a browser does: without any credential.
func preflight(t *testing.T, h http.Handler, origin, method, headers string) answer {
	t.Helper()
	return send(t, h, http.MethodOptions, header("Origin", origin),
		header("Access-Control-Request-Method", method), header("Access-Control-Request-Headers", headers))
}

// TestCORS has pages of several origins use a guarded route and an endpoint behind a
// mux that knows POST alone: browsers ask first, by OPTIONS and without a credential.
func TestCORS(t *testing.T) {
	t.Parallel()
	for _, site := range []struct {
		name        string
		locations   []httpauth.Location
		credentials bool
	}{
		{"header", nil, false},
		{"cookies", headerOrCookies, true},
	} {
		s := newSite(t, setup{web: httpauth.Config{Locations: site.locations, AllowedOrigins: corsOrigins}})
		mux := http.NewServeMux()
		mux.Handle("POST /{$}", s.web.Ticket())
		mux.Handle("GET /{$}", s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
		h := s.web.CORS(mux)
		token := bearer(s.access(t, paseto.Grant{Subject: "alice"}))
		for _, page := range []struct {
			name, origin string
			allowed      bool
		}{
			{"listed", "https://app.example.net", true},
			{"listed with a default port", "http://local.example", true},
			{"below a listed domain", "https://a.b.example.org", true},
			{"the domain itself", "https://example.org", false},
			{"other scheme", "http://app.example.net", false},
			{"other port", "https://app.example.net:8443", false},
			{"a longer host", "https://app.example.net.evil.example", false},
			{"another", "https://evil.example", false},
			{"sandboxed", "null", false},
			{"wildcard", "*", false},
		} {
			t.Run(site.name+"/"+page.name, func(t *testing.T) {
				t.Parallel()
				asked, answered := map[string]string{}, map[string]string{}
				if page.allowed {
					asked = map[string]string{
						"Allow-Origin": page.origin, "Allow-Methods": http.MethodPost,
						"Allow-Headers": "authorization,content-type", "Max-Age": "600",
					}
					answered = map[string]string{"Allow-Origin": page.origin, "Expose-Headers": "Www-Authenticate, Retry-After"}
					if site.credentials {
						asked["Allow-Credentials"], answered["Allow-Credentials"] = "true", "true"
					}
				}
				a := preflight(t, h, page.origin, http.MethodPost, "authorization,content-type")
				if got := allowed(a); a.status != http.StatusNoContent || !maps.Equal(got, asked) {
					t.Errorf("a preflight is answered with %d and %v, want 204 and %v", a.status, got, asked)
				}
				for _, test := range []struct {
					method string
					parts  []part
					status int
				}{
					{http.MethodPost, []part{token}, http.StatusOK},
					{http.MethodGet, []part{token}, http.StatusOK},
					{http.MethodGet, nil, http.StatusUnauthorized}, // which the page may read as well
				} {
					a := send(t, h, test.method, append(test.parts, header("Origin", page.origin))...)
					if got := allowed(a); a.status != test.status || !maps.Equal(got, answered) {
						t.Errorf("%s is answered with %d and %v, want %d and %v", test.method, a.status, got, test.status, answered)
					}
					if !strings.Contains(a.header.Get("Vary"), "Origin") {
						t.Error("a cache could give the answer to pages of other origins")
					}
				}
			})
		}
	}
}

// TestCORSPreflightOfAnyRoute: a route may look for its token in another header, and
// take other methods than the endpoints.
func TestCORSPreflightOfAnyRoute(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{AllowedOrigins: corsOrigins}})
	h := s.web.CORS(s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami), httpauth.WithKey("X-Token")))
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		got := allowed(preflight(t, h, corsOrigins[0], method, "x-token"))
		if got["Allow-Methods"] != method || got["Allow-Headers"] != "x-token" {
			t.Errorf("for %s a preflight allows %v", method, got)
		}
	}
}

// TestCORSLeavesOthersAlone: what is no preflight goes on, and without allowed origins
// everything: an empty list must not mean all.
func TestCORSLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{AllowedOrigins: corsOrigins}})
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	if a := send(t, s.web.CORS(next), http.MethodOptions, header("Origin", corsOrigins[0])); a.status != http.StatusTeapot {
		t.Errorf("an OPTIONS request without a preflight.s headers is answered with %d", a.status)
	}
	twice := []part{header("Origin", corsOrigins[0]), header("Origin", "https://evil.example")}
	if got := allowed(get(t, s.web.CORS(next), twice...)); len(got) > 0 {
		t.Errorf("with two origins, allowed are %v", got)
	}
	none := newSite(t, setup{})
	a := preflight(t, none.web.CORS(next), corsOrigins[0], http.MethodPost, "authorization")
	if got := allowed(a); a.status != http.StatusTeapot || len(got) > 0 {
		t.Errorf("without allowed origins a preflight is answered with %d and %v", a.status, got)
	}
}

// TestCORSWithoutHandler: a mistake in a program is answered, and not a panic.
func TestCORSWithoutHandler(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{AllowedOrigins: corsOrigins}})
	for _, next := range []http.Handler{nil, http.HandlerFunc(nil)} {
		if a := get(t, s.web.CORS(next)); a.status != http.StatusInternalServerError {
			t.Errorf("the answer is %d, want 500", a.status)
		}
	}
}
