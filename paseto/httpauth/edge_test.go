package httpauth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestRefreshTokenByCookie: of the two cookies that a browser sends, a route
// takes the one whose type it requires.
func TestRefreshTokenByCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: onlyCookies}})
	access, refresh := s.pair(t)
	both := []part{cookie("__Host-access_token", access), cookie("__Host-refresh_token", refresh)}
	checkOK(t, get(t, s.web.Require(paseto.Requirement{Type: paseto.TypeRefresh}, http.HandlerFunc(whoami)), both...), "alice")
	checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), both...), "alice")
	named := s.web.Require(paseto.Requirement{Type: paseto.TypeRefresh}, http.HandlerFunc(whoami), httpauth.WithKey("mine"))
	checkOK(t, get(t, named, append(both, cookie("mine", refresh))...), "alice")
}

// TestLogoutWithRefreshTokenInBody: a client whose access token has expired
// holds nothing else.
func TestLogoutWithRefreshTokenInBody(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(token string) part{
		"JSON": func(token string) part { return object("refresh_token", token) },
		"form": func(token string) part { return body(asForm, "refresh_token="+token) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{})
			access, refresh := s.pair(t)
			checkLoggedOut(t, post(t, s.web.Logout(), send(refresh)))
			checkProblem(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(access)), revoked)

		})
	}
}

// TestCrossOriginWithToken: a page of another origin that holds a token may use
// it; only cookies are sent without its having any.
func TestCrossOriginWithToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationJSON}}})
	access, _ := s.pair(t)
	foreign := header("Sec-Fetch-Site", "cross-site")
	route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	checkOK(t, post(t, route, foreign, bearer(access)), "alice")
	checkOK(t, post(t, route, foreign, object("access_token", access)), "alice")
	optional := s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami))
	checkOK(t, post(t, optional, foreign), "anonymous")
	checkLoggedOut(t, post(t, s.web.Logout(), foreign, bearer(access)))
}

// TestFormIsUTF8: what a token could not carry is the client's mistake.
func TestFormIsUTF8(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	a := post(t, s.web.Login(nil), body(asForm, "username=%ff&password=x"))
	checkProblem(t, a, problem{status: http.StatusBadRequest, code: "body_invalid", detail: "Bad request body. A form field is not valid UTF-8"})
}

// TestNothingToCall: an endpoint without its function answers as a failing one
// does.
func TestNothingToCall(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	access, _ := s.pair(t)
	for name, a := range map[string]answer{
		"login":      post(t, s.web.Login(nil), body(asForm, "username=a&password=x")),
		"handler":    get(t, s.web.Require(paseto.Requirement{}, nil, nil), bearer(access)),
		"middleware": get(t, s.web.Middleware(paseto.Requirement{})(nil), bearer(access)),
	} {
		if a.status != http.StatusInternalServerError || strings.Contains(a.body, "nil") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if _, err := httpauth.New(s.auth, httpauth.Config{}, nil); err != nil {
		t.Errorf("a nil option: %v", err)
	}
}

// TestMessagesAreReadable: angle brackets are not escaped, for the answer is no
// HTML.
func TestMessagesAreReadable(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	a := get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), header("Authorization", "x"))
	if !strings.Contains(a.body, "'Bearer <PASETO>'") {
		t.Errorf("the body is %s", a.body)
	}
}
