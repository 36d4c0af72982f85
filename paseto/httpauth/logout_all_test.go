package httpauth_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestLogoutEndsAllThatCame sends the credentials of several sessions. A 204 means that
// all of them are dead; every other answer has ended what it could.
func TestLogoutEndsAllThatCame(t *testing.T) {
	t.Parallel()
	accessCookie := func(l loggedIn) part { return cookie("__Host-access_token", l.access) }
	refreshCookie := func(l loggedIn) part { return cookie("__Host-refresh_token", l.refresh) }
	inHeader := func(l loggedIn) part { return bearer(l.access) }
	inMember := func(l loggedIn) part { return object("refresh_token", l.refresh) }
	inForm := func(l loggedIn) part { return body(asForm, "refresh_token="+l.refresh) }
	both := func(l loggedIn) part {
		return func(r *http.Request) { accessCookie(l)(r); refreshCookie(l)(r) }
	}
	junk := func(loggedIn) part { return cookie("__Host-refresh_token", "junk") }
	empty := func(loggedIn) part { return cookie("__Host-access_token", "") }
	for _, test := range []struct {
		name string
		send []func(loggedIn) part // each of a session of its own
		also []part
	}{
		{name: "refresh cookies of two sessions", send: []func(loggedIn) part{refreshCookie, refreshCookie}},
		{name: "access cookies of two sessions", send: []func(loggedIn) part{accessCookie, accessCookie}},
		{name: "access cookie of one, refresh cookie of another", send: []func(loggedIn) part{accessCookie, refreshCookie}},
		{name: "both cookies of three sessions", send: []func(loggedIn) part{both, both, both}},
		{name: "header and cookies", send: []func(loggedIn) part{inHeader, both}},
		{name: "header and member", send: []func(loggedIn) part{inHeader, inMember}},
		{name: "header, form and cookie", send: []func(loggedIn) part{inHeader, inForm, refreshCookie}},
		{name: "beside junk", send: []func(loggedIn) part{junk, refreshCookie, accessCookie}},
		{name: "beside an empty cookie", send: []func(loggedIn) part{empty, accessCookie}},
		{name: "beside another scheme", send: []func(loggedIn) part{refreshCookie, accessCookie}, also: []part{header("Authorization", "Basic x")}},
	} {
		for name, endpoint := range map[string]func(*httpauth.Web) http.Handler{
			"Logout": (*httpauth.Web).Logout, "LogoutEverywhere": (*httpauth.Web).LogoutEverywhere,
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
				parts := test.also
				var sessions []loggedIn
				for i, send := range test.send {
					l := s.login(t, paseto.Grant{Subject: string(rune('a' + i))})
					sessions, parts = append(sessions, l), append(parts, send(l))
				}
				a := post(t, endpoint(s.web), parts...)
				checkLoggedOut(t, a)
				checkCleared(t, a, "__Host-access_token", laxCookie)
				checkCleared(t, a, "__Host-refresh_token", laxCookie)
				for i, l := range sessions {
					sent := !strings.HasPrefix(test.name, "beside") || i > 0 || len(test.also) > 0
					s.checkSession(t, "session", l, sent)
				}
			})
		}
	}
}

// TestLogoutEndsTheTokenInTheHeader with cookies as the only location: refresh takes a
// token in the header there too, so that it must not outlive a logout.
func TestLogoutEndsTheTokenInTheHeader(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationCookie}}})
	inHeader, inCookie, alone := s.login(t, paseto.Grant{}), s.login(t, paseto.Grant{}), s.login(t, paseto.Grant{})
	checkLoggedOut(t, post(t, s.web.Logout(), bearer(inHeader.refresh), cookie("__Host-refresh_token", inCookie.refresh)))
	checkLoggedOut(t, post(t, s.web.Logout(), bearer(alone.refresh)))
	s.checkSession(t, "header", inHeader, true)
	s.checkSession(t, "cookie", inCookie, true)
	s.checkSession(t, "header alone", alone, true)
}

// TestLogoutBesideATokenThatIsAliveElsewhere presents, beside a good token, one that is
// valid tomorrow or at another service. It is not dead, and that service does not hear of
// this logout.
func TestLogoutBesideATokenThatIsAliveElsewhere(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		grant paseto.Grant
		want  paseto.Code
	}{
		{"tomorrow", paseto.Grant{NotBefore: start.Add(time.Minute)}, paseto.ErrNotYetValid},
		{"another issuer", paseto.Grant{Issuer: "theirs"}, paseto.ErrIssuer},
		{"another audience", paseto.Grant{Audience: []string{"theirs"}}, paseto.ErrAudience},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{
				web:  httpauth.Config{Locations: headerOrCookies},
				auth: paseto.Config{Issuer: "us", RequireIssuer: "us", Audience: []string{"us"}, RequireAudience: []string{"us"}},
			})
			test.grant.Subject = "alice"
			here, there := s.login(t, paseto.Grant{Subject: "alice"}), s.login(t, test.grant)
			a := post(t, s.web.Logout(), cookie("__Host-refresh_token", here.refresh), cookie("__Host-refresh_token", there.refresh))
			checkProblem(t, a, refusal(http.StatusUnauthorized, test.want, challenge("invalid_token", test.want.Message())))
			s.checkSession(t, "here", here, true)
		})
	}
}

// TestLogoutThatFailsForOne tells the client, and keeps the cookies that it has to come
// back with. The next try ends what is left.
func TestLogoutThatFailsForOne(t *testing.T) {
	t.Parallel()
	store := &failingOnce{Store: denylist.NewMemory()}
	t.Cleanup(func() { store.Close() })
	s := newSite(t, setup{store: store, web: httpauth.Config{Locations: headerOrCookies}})
	one, two, three := s.login(t, paseto.Grant{}), s.login(t, paseto.Grant{}), s.login(t, paseto.Grant{})
	parts := []part{bearer(one.access), cookie("__Host-refresh_token", two.refresh), cookie("__Host-access_token", three.access)}
	a := post(t, s.web.Logout(), parts...)
	checkProblem(t, a, unavailable)
	if len(a.cookies) > 0 {
		t.Errorf("cookies are deleted although a session lives on: %v", a.cookies)
	}
	s.checkSession(t, "the first one", one, true)
	s.checkSession(t, "the one that failed", two, false)
	s.checkSession(t, "the last one", three, true)
	checkLoggedOut(t, post(t, s.web.Logout(), parts...))
	s.checkSession(t, "tried again", two, true)
}

// failingOnce cannot keep its second record.
type failingOnce struct {
	denylist.Store
	calls int
}

func (f *failingOnce) Revoke(ctx context.Context, r denylist.Revocation) error {
	f.calls++
	if f.calls == 2 {
		return denylist.ErrUnavailable
	}
	return f.Store.Revoke(ctx, r)
}

// shared is a store that others share.
type shared struct{ denylist.Store }

func (shared) Shared() bool { return true }

// Wrappers of a store: one hides whether that is shared, and one does not.
type (
	hiding      struct{ denylist.Store }
	transparent struct{ denylist.Store }
)

func (t transparent) Unwrap() denylist.Store { return t.Store }

// TestLogoutThatCannotBePromised says 501 wherever a revocation leaves a credential of
// the request alive somewhere. What can be revoked is.
func TestLogoutThatCannotBePromised(t *testing.T) {
	t.Parallel()
	memory := func(t testing.TB) denylist.Store {
		t.Helper()
		store := denylist.NewMemory()
		t.Cleanup(func() { store.Close() })
		return store
	}
	inFile := func(t testing.TB) denylist.Store {
		t.Helper()
		store := must(bolt.Open(t.Context(), bolt.Config{Path: filepath.Join(t.TempDir(), "denylist")}))
		t.Cleanup(func() { store.Close() })
		return store
	}
	sharedStore := func(t testing.TB) denylist.Store { t.Helper(); return shared{memory(t)} }
	wrapped := func(made func(testing.TB) denylist.Store) func(testing.TB) denylist.Store {
		return func(t testing.TB) denylist.Store { t.Helper(); return transparent{made(t)} }
	}
	hidden := func(made func(testing.TB) denylist.Store) func(testing.TB) denylist.Store {
		return func(t testing.TB) denylist.Store { t.Helper(); return hiding{made(t)} }
	}
	verifier := []paseto.Key{must(theirs.PublicKey())}
	issuer := []paseto.Key{secretKey, must(theirs.PublicKey())}
	const elsewhere = "This server cannot revoke tokens of another issuer. Log out where the token was issued"
	const unchecked = "This server does not look up revocations of this type of token. It is valid until it expires"
	for _, test := range []struct {
		name   string
		keys   []paseto.Key
		check  []string
		store  func(testing.TB) denylist.Store
		own    bool // the tokens are the server's own
		only   string
		detail string // empty for 204
		warned bool
	}{
		{name: "verifier, memory", keys: verifier, store: memory, detail: elsewhere, warned: true},
		{name: "verifier, bolt", keys: verifier, store: inFile, detail: elsewhere, warned: true},
		{name: "verifier, shared store", keys: verifier, store: sharedStore},
		{name: "verifier, wrapped shared store", keys: verifier, store: wrapped(sharedStore)},
		{name: "verifier, wrapped memory", keys: verifier, store: wrapped(memory), detail: elsewhere, warned: true},
		{name: "verifier, hidden shared store", keys: verifier, store: hidden(sharedStore), detail: elsewhere, warned: true},
		{name: "verifier, hidden memory", keys: verifier, store: hidden(memory), detail: elsewhere, warned: true},
		{name: "issuer, another's token", keys: issuer, store: memory, detail: elsewhere},
		{name: "issuer, another's token, shared store", keys: issuer, store: sharedStore},
		{name: "issuer, another's token, hidden memory", keys: issuer, store: hidden(memory), detail: elsewhere},
		{name: "issuer, own token", keys: issuer, store: memory, own: true},
		{name: "issuer, own token, hidden memory", keys: issuer, store: hidden(memory), own: true},
		{name: "access not looked up", keys: issuer, check: []string{paseto.TypeRefresh}, store: memory, own: true, detail: unchecked, warned: true},
		{name: "access not looked up, refresh sent", keys: issuer, check: []string{paseto.TypeRefresh}, store: memory, own: true, only: paseto.TypeRefresh, warned: true},
		{name: "refresh not looked up", keys: issuer, check: []string{paseto.TypeAccess}, store: sharedStore, own: true, detail: unchecked, warned: true},
		{name: "refresh not looked up, access sent", keys: issuer, check: []string{paseto.TypeAccess}, store: memory, own: true, only: paseto.TypeAccess, warned: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{
				auth:  paseto.Config{Keys: test.keys, Purpose: paseto.Public, Denylist: paseto.DenylistConfig{Check: test.check}},
				store: test.store(t), web: httpauth.Config{Locations: headerOrCookies},
			})
			from := s
			if !test.own {
				from = newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{theirs}, Purpose: paseto.Public}, noDenylist: true})
			}
			for _, endpoint := range []func(*httpauth.Web) http.Handler{(*httpauth.Web).Logout, (*httpauth.Web).LogoutEverywhere} {
				l := from.login(t, paseto.Grant{Subject: "alice"})
				var parts []part
				if test.only != paseto.TypeRefresh {
					parts = append(parts, cookie("__Host-access_token", l.access))
				}
				if test.only != paseto.TypeAccess {
					parts = append(parts, cookie("__Host-refresh_token", l.refresh))
				}
				a := post(t, endpoint(s.web), parts...)
				if test.detail == "" {
					checkLoggedOut(t, a)
				} else {
					checkProblem(t, a, problem{status: http.StatusNotImplemented, code: "revocation_unsupported", detail: test.detail})
				}
				checkCleared(t, a, "__Host-access_token", laxCookie)
				checkCleared(t, a, "__Host-refresh_token", laxCookie)
				if test.check == nil {
					s.checkSession(t, "here", l, true)
				}
				s.clock.Advance(time.Second) // past what a logout everywhere covers
				from.clock.Set(s.clock.Now())
			}
			if warned := strings.Contains(s.log.String(), "level=WARN"); warned != test.warned {
				t.Errorf("a warning is %t, want %t:\n%s", warned, test.warned, s.log)
			}
		})
	}
}

// TestLogoutForAnotherOriginsPage ends what the page itself sends, and neither trusts nor
// touches the visitor's cookies, however many there are.
func TestLogoutForAnotherOriginsPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies}})
	foreign := header("Sec-Fetch-Site", "cross-site")
	pages, visitors := s.login(t, paseto.Grant{}), s.login(t, paseto.Grant{})
	cookies := cookie("__Host-refresh_token", visitors.refresh+"; __Host-refresh_token="+visitors.refresh+"; __Host-access_token="+visitors.access)
	checkProblem(t, post(t, s.web.Logout(), foreign, cookies), crossOrigin)
	checkProblem(t, post(t, s.web.Logout(), foreign, cookies, header("Authorization", "Basic x")), crossOrigin)
	checkProblem(t, post(t, s.web.Logout(), foreign), refusal(http.StatusUnauthorized, paseto.ErrNoToken, noCredential))
	a := post(t, s.web.Logout(), foreign, cookies, bearer(pages.access))
	checkLoggedOut(t, a)
	if len(a.cookies) > 0 {
		t.Errorf("cookies are set: %v", a.cookies)
	}
	s.checkSession(t, "the page's", pages, true)
	s.checkSession(t, "the visitor's", visitors, false)
}
