package httpauth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// loggedIn is a login session on some device.
type loggedIn struct{ access, refresh string }

func (s *site) login(t testing.TB, g paseto.Grant) loggedIn {
	t.Helper()
	pair, err := s.auth.IssuePair(g)
	if err != nil {
		t.Fatal(err)
	}
	return loggedIn{pair.Access.Token.Reveal(), pair.Refresh.Token.Reveal()}
}

// checkSession checks whether both tokens of a session are valid.
func (s *site) checkSession(t testing.TB, name string, l loggedIn, ended bool) {
	t.Helper()
	for tokenType, token := range map[string]string{paseto.TypeAccess: l.access, paseto.TypeRefresh: l.refresh} {
		_, err := s.auth.Verify(t.Context(), token, paseto.Requirement{Type: tokenType})
		switch {
		case ended && (err == nil || httpauth.Refusal(err).Code != paseto.ErrRevoked):
			t.Errorf("%s: the %s token gives %v, want ErrRevoked", name, tokenType, err)
		case !ended && err != nil:
			t.Errorf("%s: the %s token is refused: %v", name, tokenType, err)
		}
	}
}

func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	cookies := httpauth.Config{Locations: headerOrCookies}
	for _, test := range []struct {
		name    string
		cfg     httpauth.Config
		after   time.Duration // longer than an access token lives, for some
		send    func(l loggedIn) part
		cookies bool
	}{
		{name: "access token", after: time.Minute, send: func(l loggedIn) part { return bearer(l.access) }},
		{name: "access token, at once", send: func(l loggedIn) part { return bearer(l.access) }},
		{name: "refresh token", after: time.Hour, send: func(l loggedIn) part { return bearer(l.refresh) }},
		{name: "refresh token in JSON", after: time.Hour, send: func(l loggedIn) part { return object("refresh_token", l.refresh) }},
		{name: "refresh token in a form", after: time.Hour, send: func(l loggedIn) part { return body(asForm, "refresh_token="+l.refresh) }},
		{name: "access token in JSON", cfg: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationJSON}},
			send: func(l loggedIn) part { return object("access_token", l.access) }},
		{name: "header where cookies are", cfg: cookies, cookies: true, send: func(l loggedIn) part { return bearer(l.access) }},
		{name: "both cookies", cfg: cookies, cookies: true, send: func(l loggedIn) part {
			return cookie("__Host-access_token", l.access+"; __Host-refresh_token="+l.refresh)
		}},
		{name: "both cookies, access expired", cfg: cookies, cookies: true, after: time.Hour, send: func(l loggedIn) part {
			return cookie("__Host-access_token", l.access+"; __Host-refresh_token="+l.refresh)
		}},
		{name: "access cookie", cfg: httpauth.Config{Locations: onlyCookies}, cookies: true,
			send: func(l loggedIn) part { return cookie("__Host-access_token", l.access) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: test.cfg, auth: paseto.Config{AccessTTL: 2 * time.Hour}})
			alice, bob := paseto.Grant{Subject: "alice"}, paseto.Grant{Subject: "bob"}
			short := alice
			short.TTL = 15 * time.Minute
			phone := s.login(t, short)
			laptop, other, nameless := s.login(t, alice), s.login(t, bob), s.login(t, paseto.Grant{})
			alone := s.access(t, alice)
			s.clock.Advance(test.after)
			tablet := s.login(t, alice)

			a := post(t, s.web.LogoutEverywhere(), test.send(phone))
			checkLoggedOut(t, a)
			if test.cookies {
				checkCleared(t, a, "__Host-access_token", laxCookie)
				checkCleared(t, a, "__Host-refresh_token", laxCookie)
			} else if len(a.cookies) > 0 {
				t.Errorf("cookies are set: %v", a.cookies)
			}
			if test.after < short.TTL {
				s.checkSession(t, "phone", phone, true)
			}
			s.checkSession(t, "laptop", laptop, true)
			s.checkSession(t, "tablet, logged in just now", tablet, true)
			s.checkSession(t, "another subject", other, false)
			s.checkSession(t, "no subject", nameless, false)
			if _, err := s.auth.Verify(t.Context(), alone, paseto.Requirement{}); httpauth.Refusal(err).Code != paseto.ErrRevoked {
				t.Errorf("a token without session gives %v, want ErrRevoked", err)
			}
			checkProblem(t, post(t, s.web.Refresh(), bearer(laptop.refresh)), revoked)

			s.clock.Advance(time.Second)
			s.checkSession(t, "logged in again", s.login(t, alice), false)
		})
	}
}

// TestLogoutEverywhereOfARefreshedSession ends what came of the login as well.
func TestLogoutEverywhereOfARefreshedSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	phone, laptop := s.login(t, paseto.Grant{Subject: "alice"}), s.login(t, paseto.Grant{Subject: "alice"})
	s.clock.Advance(time.Minute)
	next := tokens(t, post(t, s.web.Refresh(), bearer(phone.refresh)))
	checkLoggedOut(t, post(t, s.web.LogoutEverywhere(), bearer(laptop.access)))
	s.checkSession(t, "first generation", phone, true)
	s.checkSession(t, "second generation", loggedIn{next.AccessToken.Reveal(), next.RefreshToken.Reveal()}, true)
	// Within the grace, too, there is no way back.
	checkProblem(t, post(t, s.web.Refresh(), bearer(phone.refresh)), revoked)
}

// TestLogoutEverywhereAhead presents a token that was issued by a clock that is
// ahead, within the leeway.
func TestLogoutEverywhereAhead(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{StartLeeway: 30 * time.Second}})
	s.clock.Advance(5 * time.Second)
	presented := s.login(t, paseto.Grant{Subject: "alice"})
	s.clock.Advance(-5 * time.Second)
	if a := post(t, s.web.LogoutEverywhere(), bearer(presented.access)); a.status != http.StatusNoContent {
		t.Fatalf("logout answers %d", a.status)
	}
	s.checkSession(t, "the one presented", presented, true)
}

// TestLogoutEverywhereOfAnExceptedSession comes to a server whose clock is behind that of
// the one where the password was changed. The cut-off there excepts the session, and is
// later than this one.
func TestLogoutEverywhereOfAnExceptedSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	s.clock.Advance(3 * time.Second)
	pair := must(s.auth.ReplaceSessions(t.Context(), paseto.Grant{Subject: "alice"}))
	s.clock.Advance(-3 * time.Second)
	first := loggedIn{pair.Access.Token.Reveal(), pair.Refresh.Token.Reveal()}
	next := tokens(t, post(t, s.web.Refresh(), bearer(first.refresh)))
	second := loggedIn{next.AccessToken.Reveal(), next.RefreshToken.Reveal()}
	checkLoggedOut(t, post(t, s.web.LogoutEverywhere(), bearer(second.access)))
	s.checkSession(t, "as it began", first, true)
	s.checkSession(t, "refreshed", second, true)
}

// TestLogoutEverywhereOfATokenWithoutSubject ends its session, as a logout does.
func TestLogoutEverywhereOfATokenWithoutSubject(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	phone, laptop := s.login(t, paseto.Grant{}), s.login(t, paseto.Grant{})
	checkLoggedOut(t, post(t, s.web.LogoutEverywhere(), bearer(phone.access)))
	s.checkSession(t, "phone", phone, true)
	s.checkSession(t, "laptop", laptop, false)

	one, other := s.access(t, paseto.Grant{}), s.access(t, paseto.Grant{})
	checkLoggedOut(t, post(t, s.web.LogoutEverywhere(), bearer(one)))
	route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	checkProblem(t, get(t, route, bearer(one)), revoked)
	checkOK(t, get(t, route, bearer(other)), "")
}

// TestRefusedLogoutsEverywhere end nothing.
func TestRefusedLogoutsEverywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
	alice := s.login(t, paseto.Grant{Subject: "alice"})
	ended := s.login(t, paseto.Grant{Subject: "alice"})
	checkLoggedOut(t, post(t, s.web.Logout(), bearer(ended.access)))
	ambiguous := refusal(http.StatusBadRequest, paseto.ErrAmbiguousCredential,
		challenge("invalid_request", paseto.ErrAmbiguousCredential.Message()))
	for _, test := range []struct {
		name  string
		parts []part
		want  problem
	}{
		{"nothing", nil, refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential)},
		{"revoked", []part{bearer(ended.refresh)}, revoked},
		{"junk", []part{bearer("junk")}, refusal(http.StatusUnauthorized, paseto.ErrMalformed, challenge("invalid_token", "Invalid PASETO format"))},
		{"repeated header", []part{bearer(alice.access), bearer(alice.access)}, ambiguous},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := post(t, s.web.LogoutEverywhere(), test.parts...)
			checkProblem(t, a, test.want)
			checkCleared(t, a, "__Host-access_token", laxCookie)
			checkCleared(t, a, "__Host-refresh_token", laxCookie)
		})
	}
	t.Run("another site's page", func(t *testing.T) {
		foreign := header("Sec-Fetch-Site", "cross-site")
		a := post(t, s.web.LogoutEverywhere(), foreign, cookie("__Host-access_token", alice.access))
		checkProblem(t, a, crossOrigin)
		if len(a.cookies) > 0 {
			t.Errorf("cookies are set: %v", a.cookies)
		}
	})
	s.checkSession(t, "alice", alice, false)
}

// TestLogoutEverywhereWhileTheDenylistIsAway tells the client, and keeps the
// cookies that it has to come back with.
func TestLogoutEverywhereWhileTheDenylistIsAway(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]paseto.Config{"fail closed": {}, "fail open": {Denylist: paseto.DenylistConfig{FailOpen: true}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{store: closedStore(), auth: auth, web: httpauth.Config{Locations: onlyCookies}})
			for _, subject := range []string{"alice", ""} {
				l := s.login(t, paseto.Grant{Subject: subject})
				a := post(t, s.web.LogoutEverywhere(), cookie("__Host-access_token", l.access+"; __Host-refresh_token="+l.refresh))
				checkProblem(t, a, unavailable)
				if len(a.cookies) > 0 {
					t.Errorf("cookies are deleted although the sessions live on: %v", a.cookies)
				}
			}
		})
	}
}

// TestLogoutEverywhereOfALoginAhead presents a token of another program, which says
// that its login lies ahead. Later logins of its subject are none of its business.
func TestLogoutEverywhereOfALoginAhead(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	token := testtoken.Sign(secretKey, `{"type":"access","sub":"alice","iat":"2030-01-02T03:04:05Z","exp":"2030-01-03T00:00:00Z","auth_time":"9999-01-01T00:00:00Z"}`, "", "")
	before := s.login(t, paseto.Grant{Subject: "alice"})
	if a := post(t, s.web.LogoutEverywhere(), bearer(token)); a.status != http.StatusNoContent && a.status != http.StatusUnauthorized {
		t.Fatalf("logout answers %d %s", a.status, a.body)
	}
	s.checkSession(t, "before", before, true)
	if _, err := s.auth.Verify(t.Context(), token, paseto.Requirement{}); httpauth.Refusal(err).Code != paseto.ErrRevoked {
		t.Errorf("the one presented gives %v, want ErrRevoked", err)
	}
	s.clock.Advance(time.Second)
	s.checkSession(t, "logged in again", s.login(t, paseto.Grant{Subject: "alice"}), false)
}
