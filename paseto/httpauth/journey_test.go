package httpauth_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestBrowser has a client with a cookie jar, as a browser is, log in, look
// around, refresh and log out over TLS, without ever seeing a token.
func TestBrowser(t *testing.T) {
	t.Parallel()
	for name, cookies := range map[string]httpauth.CookieConfig{
		"session cookies":    {},
		"persistent cookies": {Persistent: true},
		"limited to paths":   {Path: "/me", RefreshPath: "/session"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: httpauth.Config{Locations: onlyCookies, Cookie: cookies}})
			mux := http.NewServeMux()
			mux.Handle("POST /session/login", s.web.Login(accept))
			mux.Handle("POST /session/refresh", s.web.Refresh())
			mux.Handle("POST /session/logout", s.web.Logout())
			mux.Handle("GET /me", s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
			mux.Handle("POST /me/fresh", s.web.Require(paseto.Requirement{Fresh: true}, http.HandlerFunc(whoami)))
			server := httptest.NewTLSServer(mux)
			defer server.Close()
			client := server.Client()
			client.Jar = must(cookiejar.New(nil))

			do := func(method, path, text string) answer {
				t.Helper()
				r := must(http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(text)))
				r.Header.Set("Content-Type", asForm)
				r.Header.Set("Origin", server.URL)
				r.Header.Set("Sec-Fetch-Site", "same-origin")
				res, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				return read(t, res)
			}
			missing := refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)

			checkProblem(t, do("GET", "/me", ""), missing)
			tokens(t, do("POST", "/session/login", passwordForm))
			checkOK(t, do("GET", "/me", ""), "alice")
			checkOK(t, do("POST", "/me/fresh", ""), "alice")

			tokens(t, do("POST", "/session/refresh", ""))
			checkOK(t, do("GET", "/me", ""), "alice")
			checkProblem(t, do("POST", "/me/fresh", ""), refusal(http.StatusUnauthorized, paseto.ErrNotFresh,
				challenge("insufficient_user_authentication", paseto.ErrNotFresh.Message())))

			checkLoggedOut(t, do("POST", "/session/logout", ""))
			checkProblem(t, do("GET", "/me", ""), missing)
			checkProblem(t, do("POST", "/session/refresh", ""), missing)
		})
	}
}

// TestProgram does the same as a client that keeps its tokens itself.
func TestProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	mux := http.NewServeMux()
	mux.Handle("POST /login", s.web.Login(accept))
	mux.Handle("POST /refresh", s.web.Refresh())
	mux.Handle("POST /logout", s.web.Logout())
	mux.Handle("GET /me", s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
	server := httptest.NewServer(mux)
	defer server.Close()

	do := func(method, path, token, text string) answer {
		t.Helper()
		var content io.Reader
		if text != "" {
			content = strings.NewReader(text)
		}
		r := must(http.NewRequestWithContext(t.Context(), method, server.URL+path, content))
		r.Header.Set("Content-Type", asJSON)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, res)
	}

	first := tokens(t, do("POST", "/login", "", `{"username":"alice","password":"secret"}`))
	checkOK(t, do("GET", "/me", first.AccessToken.Reveal(), ""), "alice")
	second := tokens(t, do("POST", "/refresh", "", `{"refresh_token":"`+first.RefreshToken.Reveal()+`"}`))
	checkOK(t, do("GET", "/me", second.AccessToken.Reveal(), ""), "alice")
	checkLoggedOut(t, do("POST", "/logout", second.RefreshToken.Reveal(), ""))
	checkProblem(t, do("GET", "/me", second.AccessToken.Reveal(), ""), revoked)
	checkProblem(t, do("POST", "/refresh", second.RefreshToken.Reveal(), ""), revoked)
}
