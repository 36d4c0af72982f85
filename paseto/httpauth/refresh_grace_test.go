package httpauth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// reused is the answer to a refresh token that comes back after the grace.
var reused = refusal(http.StatusUnauthorized, paseto.ErrReused, challenge("invalid_token", "Refresh token has been used before"))

// identifiers of the tokens of a pair.
type identifiers struct{ access, refresh, session string }

func (s *site) identify(t testing.TB, access, refresh string) identifiers {
	t.Helper()
	a, err := s.auth.Verify(t.Context(), access, paseto.Requirement{})
	if err != nil {
		t.Fatalf("the access token is refused: %v", err)
	}
	r, err := s.auth.Verify(t.Context(), refresh, paseto.Requirement{Type: paseto.TypeRefresh})
	if err != nil {
		t.Fatalf("the refresh token is refused: %v", err)
	}
	if a.Session != r.Session {
		t.Errorf("the tokens are of the sessions %q and %q", a.Session, r.Session)
	}
	return identifiers{a.ID, r.ID, a.Session}
}

// identifyCookies is identify for a pair that was set as cookies.
func (s *site) identifyCookies(t testing.TB, a answer) identifiers {
	t.Helper()
	access, refresh := a.cookies["__Host-access_token"], a.cookies["__Host-refresh_token"]
	if access == nil || refresh == nil {
		t.Fatalf("answer is %d %s with cookies %v", a.status, a.body, a.cookies)
	}
	return s.identify(t, access.Value, refresh.Value)
}

// TestParallelTabs refresh with the same cookie at the same time, at two
// servers. Whichever answer comes last, the browser has a pair that works.
func TestParallelTabs(t *testing.T) {
	t.Parallel()
	const tabs = 32
	clk := testclock.New(start)
	store := denylist.NewMemory(denylist.WithClock(clk.Now))
	t.Cleanup(func() { store.Close() })
	servers := make([]*site, 2)
	for i := range servers {
		servers[i] = newSite(t, setup{store: store, clock: clk, web: httpauth.Config{Locations: onlyCookies}})
	}
	s := servers[0]
	_, refresh := s.pair(t)
	results := make([]*http.Response, tabs)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range tabs {
		handler := servers[i%len(servers)].web.Refresh()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://example.com/", http.NoBody)
		r.Header.Set("Cookie", "__Host-refresh_token="+refresh)
		group.Go(func() {
			<-begin
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, r)
			results[i] = rec.Result()
		})
	}
	close(begin)
	group.Wait()

	pairs := make(map[identifiers]int)
	var last answer
	for _, res := range results {
		last = read(t, res)
		tokens(t, last)
		pairs[s.identifyCookies(t, last)]++
	}
	if len(pairs) != 1 {
		t.Errorf("the tabs got %d pairs, want one: %v", len(pairs), pairs)
	}
	// The pair's own refresh token works once the tabs are done.
	s.clock.Advance(time.Hour)
	next := post(t, s.web.Refresh(), cookie("__Host-refresh_token", last.cookies["__Host-refresh_token"].Value))
	if _, same := pairs[s.identifyCookies(t, next)]; same {
		t.Error("the next refresh gives the same pair")
	}
}

// TestRepeatedRefresh within the grace gets the same pair again, and is told
// what is left of its life.
func TestRepeatedRefresh(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: headerOrCookies, Cookie: httpauth.CookieConfig{Persistent: true}}})
	_, refresh := s.pair(t)
	byCookie := cookie("__Host-refresh_token", refresh)
	first := post(t, s.web.Refresh(), byCookie)
	want := s.identifyCookies(t, first)
	for _, test := range []struct {
		name  string
		after time.Duration
		left  int64
	}{
		{"at once", 0, 900},
		{"in the next second", 400 * time.Millisecond, 899},
		{"later", 5600 * time.Millisecond, 894},
		{"at the last moment", 3999 * time.Millisecond, 890},
	} {
		s.clock.Advance(test.after)
		a := post(t, s.web.Refresh(), byCookie)
		if got := s.identifyCookies(t, a); got != want {
			t.Errorf("%s: the pair is %+v, want %+v", test.name, got, want)
		}
		if left := tokens(t, a).ExpiresIn; left != test.left {
			t.Errorf("%s: it expires in %d seconds, want %d", test.name, left, test.left)
		}
		if age := a.cookies["__Host-access_token"].MaxAge; age > int(test.left) || age < int(test.left)-1 {
			t.Errorf("%s: the cookie lives for %d seconds, and the token for %d", test.name, age, test.left)
		}
	}
	// A header gets the pair in the body, as ever.
	pair := tokens(t, post(t, s.web.Refresh(), bearer(refresh)))
	if got := s.identify(t, pair.AccessToken.Reveal(), pair.RefreshToken.Reveal()); got != want {
		t.Errorf("in the body the pair is %+v, want %+v", got, want)
	}
	s.clock.Advance(time.Millisecond)
	checkProblem(t, post(t, s.web.Refresh(), byCookie), reused)
}

// TestReusedRefreshToken ends its session, whoever holds tokens of it, and no
// other session.
func TestReusedRefreshToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		cfg   paseto.Config
		after time.Duration
		alive bool
	}{
		{"default grace, in time", paseto.Config{}, 9 * time.Second, true},
		{"default grace, too late", paseto.Config{}, 10 * time.Second, false},
		{"longer grace, in time", paseto.Config{RefreshGrace: time.Minute}, 59 * time.Second, true},
		{"longer grace, too late", paseto.Config{RefreshGrace: time.Minute}, time.Minute, false},
		{"no grace", paseto.Config{RefreshGrace: paseto.NoGrace}, 0, false},
		{"leeway is no grace", paseto.Config{Leeway: time.Hour}, time.Minute, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{auth: test.cfg})
			access, refresh := s.pair(t)
			other := s.login(t, paseto.Grant{Subject: "alice"})
			first := tokens(t, post(t, s.web.Refresh(), object("refresh_token", refresh)))
			second := tokens(t, post(t, s.web.Refresh(), object("refresh_token", first.RefreshToken.Reveal())))

			s.clock.Advance(test.after)
			a := post(t, s.web.Refresh(), object("refresh_token", refresh))
			route := s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
			if test.alive {
				tokens(t, a)
				checkOK(t, get(t, route, bearer(second.AccessToken.Reveal())), "alice")
				return
			}
			checkProblem(t, a, reused)
			if log := s.log.String(); !strings.Contains(log, "level=INFO") || !strings.Contains(log, "code=refresh_reused") || strings.Contains(log, "v4.local.") {
				t.Errorf("log is %s", log)
			}
			for _, token := range []string{access, first.AccessToken.Reveal(), second.AccessToken.Reveal()} {
				checkProblem(t, get(t, route, bearer(token)), revoked)
				checkProblem(t, post(t, s.web.Ticket(), bearer(token)), revoked)
			}
			for _, token := range []string{refresh, first.RefreshToken.Reveal(), second.RefreshToken.Reveal()} {
				checkProblem(t, post(t, s.web.Refresh(), bearer(token)), revoked)
			}
			s.checkSession(t, "another session", other, false)
		})
	}
}

// TestTooManyRefreshes are refused until the client has waited as long as it is
// told to. Its refresh token, and the cookies, stay.
func TestTooManyRefreshes(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{RefreshesPerMinute: 2}, web: httpauth.Config{Locations: headerOrCookies}})
	_, refresh := s.pair(t)
	for range 2 {
		refresh = tokens(t, post(t, s.web.Refresh(), bearer(refresh))).RefreshToken.Reveal()
		s.clock.Advance(1500 * time.Millisecond)
	}
	limited := refusal(http.StatusTooManyRequests, paseto.ErrRefreshes, "")
	for _, send := range []part{bearer(refresh), cookie("__Host-refresh_token", refresh), object("refresh_token", refresh)} {
		a := post(t, s.web.Refresh(), send)
		checkProblem(t, a, limited)
		if got := a.header.Get("Retry-After"); got != "57" {
			t.Errorf("Retry-After is %q, want 57", got)
		}
		if len(a.cookies) > 0 {
			t.Errorf("cookies are set: %v", a.cookies)
		}
	}
	s.clock.Advance(56999 * time.Millisecond) // of 57 seconds
	a := post(t, s.web.Refresh(), bearer(refresh))
	checkProblem(t, a, limited)
	if got := a.header.Get("Retry-After"); got != "1" {
		t.Errorf("in the last moment Retry-After is %q, want 1", got)
	}
	s.clock.Advance(time.Millisecond)
	tokens(t, post(t, s.web.Refresh(), bearer(refresh)))
}
