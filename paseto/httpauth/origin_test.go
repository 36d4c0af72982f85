package httpauth_test

import (
	"crypto/rand"
	"net/http"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var crossOrigin = problem{status: http.StatusForbidden, code: "cross_origin", detail: "Cross-origin request refused"}

// TestCrossOrigin sends what the pages of other sites can have a browser send:
// with the visitor's cookies, to every endpoint that takes them.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{
		Locations:      headerOrCookies,
		AllowedOrigins: []string{"https://app.example.net", "https://*.example.org:443"},
	}})
	route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	optional := s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami))
	access := func() []part {
		token, _ := s.pair(t)
		return []part{cookie("__Host-access_token", token)}
	}
	refresh := func() []part {
		_, token := s.pair(t)
		return []part{cookie("__Host-refresh_token", token)}
	}
	somebody := func() []part { // else the others would be logged out as well
		pair := must(s.auth.IssuePair(paseto.Grant{Subject: rand.Text()}))
		return []part{cookie("__Host-refresh_token", pair.Refresh.Token.Reveal())}
	}
	login := func() []part { return []part{body(asForm, "username=alice&password=secret")} }

	for _, endpoint := range []struct {
		name    string
		handler http.Handler
		valid   func() []part
		status  int
	}{
		{"route", route, access, http.StatusOK},
		{"optional route", optional, access, http.StatusOK},
		{"login", s.web.Login(accept), login, http.StatusOK},
		{"refresh", s.web.Refresh(), refresh, http.StatusOK},
		{"logout", s.web.Logout(), refresh, http.StatusNoContent},
		{"logout everywhere", s.web.LogoutEverywhere(), somebody, http.StatusNoContent},
		{"ticket", s.web.Ticket(), access, http.StatusOK},
	} {
		for _, sender := range []struct {
			name    string
			parts   []part
			refused bool
		}{
			{"no browser", nil, false},
			{"own page", []part{header("Sec-Fetch-Site", "same-origin"), header("Origin", "https://example.com")}, false},
			{"address bar", []part{header("Sec-Fetch-Site", "none")}, false},
			{"own page of an old browser", []part{header("Origin", "https://example.com")}, false},
			{"allowed page", []part{header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://app.example.net")}, false},
			{"allowed page of an old browser", []part{header("Origin", "https://app.example.net")}, false},
			{"page below an allowed domain", []part{header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://a.example.org")}, false},
			{"the domain itself", []part{header("Origin", "https://example.org")}, true},
			{"two origins", []part{header("Origin", "https://app.example.net"), header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")}, true},
			{"foreign page", []part{header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example")}, true},
			{"foreign page without origin", []part{header("Sec-Fetch-Site", "cross-site")}, true},
			{"sister site", []part{header("Sec-Fetch-Site", "same-site"), header("Origin", "https://www.example.com")}, true},
			{"foreign page of an old browser", []part{header("Origin", "https://evil.example")}, true},
			{"other port", []part{header("Origin", "https://example.com:8443")}, true},
			{"allowed host, other scheme", []part{header("Origin", "http://app.example.net")}, true},
			{"sandboxed page", []part{header("Origin", "null")}, true},
		} {
			t.Run(endpoint.name+"/"+sender.name, func(t *testing.T) {
				t.Parallel()
				a := post(t, endpoint.handler, append(sender.parts, endpoint.valid()...)...)
				if sender.refused {
					checkProblem(t, a, crossOrigin)
					if len(a.cookies) > 0 {
						t.Errorf("cookies are set: %v", a.cookies)
					}
					return
				}
				if a.status != endpoint.status {
					t.Errorf("answer is %d %s, want %d", a.status, a.body, endpoint.status)
				}
			})
		}
	}
}

func TestCrossOriginMatters(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie}}})
	route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	access := s.access(t, paseto.Grant{Subject: "alice"})
	foreign := header("Sec-Fetch-Site", "cross-site")
	byCookie := cookie("__Host-access_token", access)

	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		if a := send(t, route, method, byCookie, foreign); a.status != http.StatusOK {
			t.Errorf("%s by cookie: status is %d, want 200", method, a.status)
		}
	}
	upgrade, own := header("Upgrade", "websocket"), header("Sec-Fetch-Site", "same-origin")
	for name, guarded := range map[string]http.Handler{
		"route": route, "stream": s.web.Stream(paseto.Requirement{}, http.HandlerFunc(whoami)),
	} {
		if a := send(t, guarded, http.MethodGet, byCookie, foreign, upgrade); a.status != http.StatusForbidden {
			t.Errorf("a handshake of a foreign page at a %s: status is %d, want 403", name, a.status)
		}
		for _, parts := range [][]part{{byCookie, own, upgrade}, {byCookie, upgrade}, {bearer(access), foreign, upgrade}} {
			checkOK(t, send(t, guarded, http.MethodGet, parts...), "alice")
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, "BREW"} {
		checkProblem(t, send(t, route, method, byCookie, foreign), crossOrigin)
		// A header is never sent by a browser of its own accord.
		checkOK(t, send(t, route, method, bearer(access), foreign), "alice")
	}

	t.Run("a login that sets no cookie may come from anywhere", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, setup{})
		tokens(t, post(t, s.web.Login(accept), body(asForm, "username=alice&password=secret"), foreign))
	})
}
