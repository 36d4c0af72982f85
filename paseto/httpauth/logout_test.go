package httpauth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var laxCookie = attributes{path: "/", sameSite: http.SameSiteLaxMode}

var revoked = refusal(http.StatusUnauthorized, paseto.ErrRevoked, challenge("invalid_token", "Token has been revoked"))

// checkLoggedOut checks the answer to a logout.
func checkLoggedOut(t testing.TB, a answer) {
	t.Helper()
	if a.status != http.StatusNoContent || a.body != "" {
		t.Errorf("logout is answered with %d %q, want 204 without body", a.status, a.body)
	}
	if cache := a.header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control is %q, want no-store", cache)
	}
}

func TestLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	inJSON := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationJSON}}
	cookies := httpauth.Config{Locations: headerOrCookies}
	for _, test := range []struct {
		name    string
		cfg     httpauth.Config
		after   time.Duration
		send    func(access, refresh string) part
		cookies bool
	}{
		{name: "access token", send: func(access, _ string) part { return bearer(access) }},
		{name: "refresh token", send: func(_, refresh string) part { return bearer(refresh) }},
		{name: "access token in a member", cfg: inJSON, send: func(access, _ string) part { return object("access_token", access) }},
		{
			name: "access token in the header, where cookies are", cfg: cookies, cookies: true,
			send: func(access, _ string) part { return bearer(access) },
		},
		{name: "both cookies", cfg: cookies, cookies: true, send: func(access, refresh string) part {
			return cookie("__Host-access_token", access+"; __Host-refresh_token="+refresh)
		}},
		{name: "both cookies, access expired", cfg: cookies, cookies: true, after: time.Hour, send: func(access, refresh string) part {
			return cookie("__Host-access_token", access+"; __Host-refresh_token="+refresh)
		}},
		{
			name: "access cookie", cfg: cookies, cookies: true,
			send: func(access, _ string) part { return cookie("__Host-access_token", access) },
		},
		{
			name: "refresh cookie", cfg: cookies, cookies: true, after: time.Hour,
			send: func(_, refresh string) part { return cookie("__Host-refresh_token", refresh) },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: test.cfg})
			access, refresh := s.pair(t)
			otherAccess, _ := s.pair(t)
			header := httpauth.WithLocations(httpauth.LocationHeader)
			route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami), header)
			checkOK(t, get(t, route, bearer(access)), "alice")

			s.clock.Advance(test.after)
			a := post(t, s.web.Logout(), test.send(access, refresh))
			checkLoggedOut(t, a)
			if test.cookies {
				checkCleared(t, a, "__Host-access_token", laxCookie)
				checkCleared(t, a, "__Host-refresh_token", laxCookie)
			} else if len(a.cookies) > 0 {
				t.Errorf("cookies are set: %v", a.cookies)
			}

			if test.after == 0 {
				checkProblem(t, get(t, route, bearer(access)), revoked)
				checkOK(t, get(t, route, bearer(otherAccess)), "alice")
			}
			checkProblem(t, post(t, s.web.Refresh(), bearer(refresh)), revoked)
		})
	}
}

func TestLogoutAfterRefreshEndsAllGenerations(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	first, refresh := s.pair(t)
	second := tokens(t, post(t, s.web.Refresh(), bearer(refresh)))
	checkLoggedOut(t, post(t, s.web.Logout(), bearer(first)))
	checkProblem(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(second.AccessToken.Reveal())), revoked)
	checkProblem(t, post(t, s.web.Refresh(), bearer(second.RefreshToken.Reveal())), revoked)
}

func TestLogoutOfATokenWithoutSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	one, other := s.access(t, paseto.Grant{Subject: "alice"}), s.access(t, paseto.Grant{Subject: "alice"})
	checkLoggedOut(t, post(t, s.web.Logout(), bearer(one)))
	checkProblem(t, get(t, route, bearer(one)), revoked)
	checkOK(t, get(t, route, bearer(other)), "alice")
}

func TestRefusedLogouts(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
	access, refresh := s.pair(t)
	wrongType := &paseto.Error{Code: "type_mismatch", Message: "Refresh token required but ticket provided"}
	badCookie := &paseto.Error{Code: "credential_malformed", Message: "Bad __Host-access_token cookie. Expected value '<PASETO>'"}
	ambiguous := refusal(http.StatusBadRequest, paseto.ErrAmbiguousCredential,
		challenge("invalid_request", paseto.ErrAmbiguousCredential.Message()))
	malformed := refusal(http.StatusBadRequest, paseto.ErrMalformedCredential,
		challenge("invalid_request", paseto.ErrMalformedCredential.Message()))

	for _, test := range []struct {
		name  string
		parts []part
		want  problem
	}{
		{"nothing", nil, refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)},
		{"another type", []part{bearer(s.ticket(t, paseto.TicketGrant{}))}, refusal(http.StatusUnauthorized, wrongType, challenge("invalid_token", wrongType.Message))},
		{"junk", []part{bearer("junk")}, refusal(http.StatusUnauthorized, paseto.ErrMalformed, challenge("invalid_token", "Invalid PASETO format"))},
		{"repeated header", []part{bearer(access), bearer(access)}, ambiguous},
		{"repeated field", []part{body(asForm, "refresh_token="+refresh+"&refresh_token="+refresh)}, ambiguous},
		{"good cookie, malformed header", []part{cookie("__Host-access_token", access), header("Authorization", "Bearer")}, malformed},
		{"empty cookie", []part{cookie("__Host-access_token", "")}, refusal(http.StatusBadRequest, badCookie, challenge("invalid_request", badCookie.Message))},
		{"too many cookies", []part{cookie("__Host-refresh_token", strings.Join(slices.Repeat([]string{refresh}, 9), "; __Host-refresh_token=")),
			cookie("__Host-access_token", strings.Join(slices.Repeat([]string{access}, 8), "; __Host-access_token="))}, ambiguous},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := post(t, s.web.Logout(), test.parts...)
			checkProblem(t, a, test.want)
			checkCleared(t, a, "__Host-access_token", laxCookie)
			checkCleared(t, a, "__Host-refresh_token", laxCookie)
		})
	}
	checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(access)), "alice")
}

// TestStaleCookiesAreDeleted logs out when there is no session left to end: the
// browser must not be stuck with what it cannot delete itself.
func TestStaleCookiesAreDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: onlyCookies}})
	_, ended := s.pair(t)
	checkLoggedOut(t, post(t, s.web.Logout(), cookie("__Host-refresh_token", ended)))
	access, _ := s.pair(t)
	s.clock.Advance(time.Hour)

	for name, test := range map[string]struct {
		send part
		want problem
	}{
		"revoked": {cookie("__Host-refresh_token", ended), revoked},
		"expired": {
			cookie("__Host-access_token", access),
			refusal(http.StatusUnauthorized, paseto.ErrExpired, challenge("invalid_token", "Token expired.")),
		},
		"junk": {
			cookie("__Host-refresh_token", "junk"),
			refusal(http.StatusUnauthorized, paseto.ErrMalformed, challenge("invalid_token", "Invalid PASETO format")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := post(t, s.web.Logout(), test.send)
			checkProblem(t, a, test.want)
			checkCleared(t, a, "__Host-access_token", laxCookie)
			checkCleared(t, a, "__Host-refresh_token", laxCookie)
		})
	}

	t.Run("not while nobody knows", func(t *testing.T) {
		t.Parallel()
		down := newSite(t, setup{store: closedStore(), web: httpauth.Config{Locations: onlyCookies}})
		_, refresh := down.pair(t)
		a := post(t, down.web.Logout(), cookie("__Host-refresh_token", refresh))
		checkProblem(t, a, unavailable)
		if len(a.cookies) > 0 {
			t.Errorf("cookies are deleted although the session lives on: %v", a.cookies)
		}
	})
}

// TestLogoutWithoutDenylist: both endpoints can do no more than delete cookies, and do
// not pretend to have done more.
func TestLogoutWithoutDenylist(t *testing.T) {
	t.Parallel()
	unsupported := refusal(http.StatusNotImplemented, paseto.ErrRevocation, "")
	for name, endpoint := range map[string]func(*httpauth.Web) http.Handler{
		"Logout": (*httpauth.Web).Logout, "LogoutEverywhere": (*httpauth.Web).LogoutEverywhere,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{noDenylist: true})
			access, _ := s.pair(t)
			handler := endpoint(s.web)
			checkProblem(t, post(t, handler, bearer(access)), unsupported)
			if n := strings.Count(s.log.String(), "level=WARN"); n != 2 { // for access and for refresh tokens
				t.Errorf("there are %d warnings, want 2:\n%s", n, s.log)
			}

			s = newSite(t, setup{noDenylist: true, web: httpauth.Config{Locations: onlyCookies}})
			access, refresh := s.pair(t)
			for name, token := range map[string]string{"__Host-access_token": access, "__Host-refresh_token": refresh} {
				a := post(t, endpoint(s.web), cookie(name, token))
				checkProblem(t, a, unsupported)
				checkCleared(t, a, "__Host-access_token", laxCookie)
				checkCleared(t, a, "__Host-refresh_token", laxCookie)
			}
			if a := post(t, endpoint(s.web), cookie("__Host-access_token", access), header("Sec-Fetch-Site", "cross-site")); len(a.cookies) > 0 {
				t.Errorf("another site's page has cookies deleted: %v", a.cookies)
			}
			checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), cookie("__Host-access_token", access)), "alice")
		})
	}
}
