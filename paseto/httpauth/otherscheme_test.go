package httpauth_test

import (
	"net/http"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestOtherScheme sends a header that is somebody else's, as browsers add it by
// themselves behind HTTP authentication. It hides no token, on no route and at no
// endpoint, and an optional route stays anonymous. Alone, where a token is required, it
// is refused.
func TestOtherScheme(t *testing.T) {
	t.Parallel()
	everywhere := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationJSON}}
	cookies := httpauth.Config{Locations: onlyCookies}
	named := everywhere
	named.HeaderName, named.HeaderScheme = "X-Auth", "PASETO"
	route := func(optional bool) func(*httpauth.Web) http.Handler {
		return func(web *httpauth.Web) http.Handler {
			return web.Require(paseto.Requirement{Optional: optional}, http.HandlerFunc(whoami))
		}
	}
	ticket := func(web *httpauth.Web) http.Handler { return web.Ticket() }
	access := func(l loggedIn) part { return cookie("__Host-access_token", l.access) }
	refresh := func(l loggedIn) part { return cookie("__Host-refresh_token", l.refresh) }
	accessInBody := func(l loggedIn) part { return object("access_token", l.access) }
	refreshInBody := func(l loggedIn) part { return object("refresh_token", l.refresh) }
	for _, test := range []struct {
		name    string
		cfg     httpauth.Config
		handler func(*httpauth.Web) http.Handler
		token   func(loggedIn) part
		status  int
		alone   int // the status without a token
	}{
		{"route, cookie", everywhere, route(false), access, 200, 400},
		{"route, member", everywhere, route(false), accessInBody, 200, 400},
		{"optional route, cookie", everywhere, route(true), access, 200, 200},
		{"optional route, member", everywhere, route(true), accessInBody, 200, 200},
		{"refresh, cookie", everywhere, (*httpauth.Web).Refresh, refresh, 200, 400},
		{"refresh, cookies only", cookies, (*httpauth.Web).Refresh, refresh, 200, 400},
		{"refresh, member", everywhere, (*httpauth.Web).Refresh, refreshInBody, 200, 400},
		{"logout, access cookie", everywhere, (*httpauth.Web).Logout, access, 204, 400},
		{"logout, refresh cookie", everywhere, (*httpauth.Web).Logout, refresh, 204, 400},
		{"logout, member", everywhere, (*httpauth.Web).Logout, refreshInBody, 204, 400},
		{"logout everywhere", everywhere, (*httpauth.Web).LogoutEverywhere, refresh, 204, 400},
		{"ticket, cookie", everywhere, ticket, access, 200, 400},
		{"ticket, member", everywhere, ticket, accessInBody, 200, 400},
		{"another header", named, route(false), access, 200, 400},
	} {
		for _, value := range []string{"Basic YTpi", "Basic", "Negotiate YII=", `Digest username="a", realm="b"`, "Token x"} {
			t.Run(test.name+"/"+value, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, setup{web: test.cfg})
				handler := test.handler(s.web)
				name, scheme := "Authorization", "Bearer"
				if test.cfg.HeaderName != "" {
					name, scheme = test.cfg.HeaderName, test.cfg.HeaderScheme
				}
				l := s.login(t, paseto.Grant{Subject: "alice"})
				a := post(t, handler, header(name, value), test.token(l))
				if a.status != test.status || test.status == 200 && a.body == "anonymous" {
					t.Errorf("answer is %d %s, want %d", a.status, a.body, test.status)
				}
				if test.status == http.StatusNoContent {
					s.checkSession(t, "logged out", l, true)
				}
				l = s.login(t, paseto.Grant{Subject: "bob"})
				detail := "Bad " + name + " header. Expected value '" + scheme + " <PASETO>'"
				refused := problem{
					http.StatusBadRequest, "credential_malformed", detail,
					scheme + ` realm="api", error="invalid_request", error_description="` + detail + `"`,
				}
				if a := post(t, handler, header(name, value)); test.alone == http.StatusOK {
					checkOK(t, a, "anonymous")
				} else {
					checkProblem(t, a, refused)
				}
				// A value of our own scheme is never passed over.
				for _, bad := range []string{scheme, scheme + "\tx", l.access} {
					checkProblem(t, post(t, handler, header(name, bad), test.token(l)), refused)
				}
				s.checkSession(t, "refused", l, false)
			})
		}
	}
}
