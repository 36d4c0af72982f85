package wsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// toll is a guarded route whose limits go by a clock that the test moves.
type toll struct {
	stage
	clock    *clock
	underWay *atomic.Int32 // handshakes
}

// newToll opens a route that refuses over HTTP, with a denylist whose answers the test
// may give.
func newToll(t *testing.T, limits wsauth.Limits, req paseto.Requirement, opts ...httpauth.RouteOption) toll {
	t.Helper()
	return tollBehind(t, nil, limits, live.Config{}, req, opts...)
}

// tollBehind is newToll behind proxies that are trusted.
func tollBehind(t *testing.T, proxies []string, limits wsauth.Limits, rights live.Config, req paseto.Requirement, opts ...httpauth.RouteOption) toll {
	t.Helper()
	c := newClock()
	store := testdenylist.New(t, denylist.WithClock(c.Now))
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store), paseto.WithClock(c.Now))
	keeper, err := live.New(auth, rights)
	if err != nil {
		t.Fatal(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{TrustedProxies: proxies}, httpauth.WithKeeper(keeper))
	if err != nil {
		t.Fatal(err)
	}
	guard := guardOf(t, web, wsauth.Config{Reject: wsauth.RejectHTTP, Limits: limits})
	route, underWay := guard.Require(req, greet, opts...), new(atomic.Int32)
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		underWay.Add(1)
		defer underWay.Add(-1)
		route.ServeHTTP(w, r)
	}))
	return toll{stage{store, auth, guard, srv}, c, underWay}
}

// right returns a handshake that deserves to be let in.
func (l toll) right(t *testing.T) handshake {
	t.Helper()
	return bearer(access(t, l.auth, paseto.Grant{Subject: "alice"}))
}

// fromAddress is the header of a proxy.
func fromAddress(forwarded string) handshake { return header("X-Forwarded-For", forwarded) }

// rests waits until the handshakes are over that might yet fail.
func (l toll) rests(t *testing.T) {
	t.Helper()
	until(t, "the handshake is over", func() bool { return l.underWay.Load() == 0 })
}

// knocks makes a handshake, and reports whether it was refused for the number of those
// that came before.
func (l toll) knocks(t *testing.T, h handshake) (throttled bool) {
	t.Helper()
	ws, resp := dial(t, l.srv, h)
	l.rests(t)
	if ws != nil {
		_ = ws.Close()
		return false
	}
	var refusal httpauth.Problem
	if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil {
		t.Fatal(err)
	}
	return refusal.Code == wsauth.ErrThrottled
}

// checkThrottled checks such a refusal, and returns how long the client is told to
// wait.
func (l toll) checkThrottled(t *testing.T, h handshake) time.Duration {
	t.Helper()
	ws, resp := dial(t, l.srv, h)
	if ws != nil {
		t.Fatal("the handshake succeeded")
	}
	checkProblem(t, resp, http.StatusTooManyRequests, "handshakes_limited", "Too many handshakes from this address")
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("Retry-After is %q", resp.Header.Get("Retry-After"))
	}
	return time.Duration(seconds) * time.Second
}

// TestHandshakesPerMinute counts all that begin, and no address twice.
func TestHandshakesPerMinute(t *testing.T) {
	t.Parallel()
	l := newToll(t, wsauth.Limits{HandshakesPerMinute: 4}, paseto.Requirement{})
	wrong := bearer("nonsense")
	for n, send := range []handshake{l.right(t), wrong, l.right(t), none()} {
		if l.knocks(t, send) {
			t.Fatalf("handshake %d is refused", n)
		}
	}
	for range 3 { // which do not count again
		if wait := l.checkThrottled(t, l.right(t)); wait < 15*time.Second || wait > 16*time.Second {
			t.Errorf("told to wait for %s, want 15 to 16 seconds", wait)
		}
	}
	l.clock.Advance(14 * time.Second)
	l.clock.Advance(l.checkThrottled(t, wrong))
	if l.knocks(t, l.right(t)) {
		t.Error("a handshake is refused at the time that was told")
	}
	l.checkThrottled(t, l.right(t))
	l.clock.Advance(time.Minute)
	for n := range 4 {
		if l.knocks(t, wrong) {
			t.Errorf("handshake %d is refused a minute later", n)
		}
	}
}

// TestFailuresPerMinute refuses whoever failed too often, and what he brings then is
// not looked at.
func TestFailuresPerMinute(t *testing.T) {
	t.Parallel()
	l := newToll(t, wsauth.Limits{FailuresPerMinute: 3}, paseto.Requirement{})
	for range 10 {
		if l.knocks(t, l.right(t)) {
			t.Fatal("successes count")
		}
	}
	for n := range 3 {
		if l.knocks(t, bearer("nonsense")) {
			t.Fatalf("failure %d is not looked at", n)
		}
	}
	l.store.OnLook(func(context.Context, denylist.Token) (bool, error) {
		t.Error("the token is looked at")
		return false, nil
	})
	retry := l.checkThrottled(t, l.right(t))
	l.store.OnLook(nil)
	l.clock.Advance(retry)
	for range 10 {
		if l.knocks(t, l.right(t)) {
			t.Fatal("a right token is refused at the time that was told")
		}
	}
	if l.knocks(t, none()) {
		t.Error("the failure that there is room for is not looked at")
	}
	l.checkThrottled(t, l.right(t))
}

// TestWhatCountsAsFailure is what the client brings, and not the server's state.
func TestWhatCountsAsFailure(t *testing.T) {
	t.Parallel()
	revoked := func(t *testing.T, l toll) handshake {
		t.Helper()
		token := issued(t, l.auth, paseto.Grant{Subject: "alice"})
		if err := l.auth.Revoke(t.Context(), token.Claims); err != nil {
			t.Fatal(err)
		}
		return bearer(token.Token.Reveal())
	}
	sendsRight := func(t *testing.T, l toll) handshake {
		t.Helper()
		return l.right(t)
	}
	sendsThis := func(h handshake) func(*testing.T, toll) handshake {
		return func(*testing.T, toll) handshake { return h }
	}
	sendsAnother := func(t *testing.T, l toll) handshake {
		t.Helper()
		checkMessage(t, connect(t, l.srv, l.right(t)), "hello")
		l.rests(t)
		return l.right(t)
	}
	one := live.Config{}
	perSubject, few := live.Config{PerSubject: 1}, live.Config{MaxRights: 1}
	for _, test := range []struct {
		name   string
		limits live.Config
		req    paseto.Requirement
		send   func(t *testing.T, l toll) handshake
		counts bool
	}{
		{"no token", one, paseto.Requirement{}, sendsThis(none()), true},
		{"malformed credential", one, paseto.Requirement{}, sendsThis(header("Authorization", "Bearer")), true},
		{"two tokens", one, paseto.Requirement{}, sendsThis(header("Authorization", "Bearer a", "Bearer b")), true},
		{"bad token", one, paseto.Requirement{}, sendsThis(bearer("v4.local.nonsense")), true},
		{"revoked", one, paseto.Requirement{}, revoked, true},
		{"scope", one, paseto.Requirement{Scopes: []string{"admin"}}, sendsRight, true},
		{"check", one, paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New("banned") }}, sendsRight, true},
		{"bad ticket", one, paseto.Requirement{}, sendsThis(ticket("nonsense")), true},

		{"right token", one, paseto.Requirement{}, sendsRight, false},
		{"bad token of an optional route", one, paseto.Requirement{Optional: true}, sendsThis(bearer("nonsense")), false},
		{"origin", one, paseto.Requirement{}, sendsThis(header("Origin", "https://evil.example")), false},
		{"no handshake of version 13", one, paseto.Requirement{}, sendsThis(header("Sec-WebSocket-Version", "12")), false},
		{"impossible requirement", one, paseto.Requirement{Fresh: true, Type: "refresh"}, sendsRight, false},
		{"outage", one, paseto.Requirement{}, func(t *testing.T, l toll) handshake {
			t.Helper()
			l.store.OnLook(down)
			return l.right(t)
		}, false},
		{"overload", few, paseto.Requirement{}, sendsAnother, false},
		{"too many of the subject", perSubject, paseto.Requirement{}, sendsAnother, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := tollBehind(t, nil, wsauth.Limits{FailuresPerMinute: 1}, test.limits, test.req)
			if l.knocks(t, test.send(t, l)) {
				t.Fatal("the first handshake is refused")
			}
			if got := l.knocks(t, l.right(t)); got != test.counts {
				t.Errorf("the next handshake is refused: %t, want %t", got, test.counts)
			}
		})
	}
}

// TestWhoseHandshakesCount are those of one address, or of one network that a host is
// given, as far as it can be believed.
func TestWhoseHandshakesCount(t *testing.T) {
	t.Parallel()
	proxy := []string{"127.0.0.0/8", "10.0.0.1"}
	for _, test := range []struct {
		name          string
		trusted       []string
		first, second string
		same          bool
	}{
		{"one address", proxy, "192.0.2.1", "192.0.2.1", true},
		{"two addresses", proxy, "192.0.2.1", "192.0.2.2", false},
		{"two addresses, and nobody is trusted", nil, "192.0.2.1", "192.0.2.2", true},
		{"one IPv6 network", proxy, "2001:db8::1", "2001:db8::ffff:2", true},
	} {
		for _, limits := range []wsauth.Limits{{HandshakesPerMinute: 1}, {FailuresPerMinute: 1}} {
			t.Run(fmt.Sprintf("%s, %d handshakes, %d failures", test.name, limits.HandshakesPerMinute, limits.FailuresPerMinute), func(t *testing.T) {
				t.Parallel()
				l := tollBehind(t, test.trusted, limits, live.Config{}, paseto.Requirement{})
				if l.knocks(t, fromAddress(test.first)) {
					t.Fatal("the first handshake is refused")
				}
				if got := l.knocks(t, l.right(t).and(fromAddress(test.second))); got != test.same {
					t.Errorf("the next handshake is refused: %t, want %t", got, test.same)
				}
			})
		}
	}
}

// TestAuthenticateCounts as a route does, and together with it.
func TestAuthenticateCounts(t *testing.T) {
	t.Parallel()
	l := tollBehind(t, []string{"127.0.0.1"}, wsauth.Limits{FailuresPerMinute: 2}, live.Config{}, paseto.Requirement{})
	ask := func(h handshake) error {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws", nil) // from 192.0.2.1
		r.Header = h.header
		_, err := l.guard.Authenticate(r, paseto.Requirement{})
		return err
	}
	for range 5 {
		if err := ask(l.right(t)); err != nil {
			t.Fatalf("a right token is refused: %v", err)
		}
	}
	if err := ask(bearer("nonsense")); !errors.Is(err, paseto.ErrMalformed) {
		t.Errorf("error is %v, want ErrMalformed", err)
	}
	if l.knocks(t, bearer("nonsense").and(fromAddress("192.0.2.1"))) {
		t.Error("the second failure is not looked at")
	}
	err := ask(l.right(t))
	if limited, ok := errors.AsType[*paseto.Error](err); !ok || !errors.Is(err, wsauth.ErrThrottled) || limited.RetryAfter <= 0 {
		t.Errorf("error is %#v, want ErrThrottled with the time to try again", err)
	}
	if got := httpauth.Status(err); got != http.StatusTooManyRequests {
		t.Errorf("a program of its own answers with %d, want 429", got)
	}
	l.checkThrottled(t, l.right(t).and(fromAddress("192.0.2.1")))
	l.clock.Advance(time.Minute)
	if err := ask(l.right(t)); err != nil {
		t.Errorf("a right token is refused a minute later: %v", err)
	}
}

// TestFirstMessagesCount as what they are, and those that have yet to come as failures.
func TestFirstMessagesCount(t *testing.T) {
	t.Parallel()
	l := newToll(t, wsauth.Limits{FailuresPerMinute: 2}, paseto.Requirement{}, httpauth.WithLocations(httpauth.LocationMessage))
	right := func() map[string]string {
		return map[string]string{"type": "auth", "token": access(t, l.auth, paseto.Grant{})}
	}
	open := func() *websocket.Conn { return connect(t, l.srv, none()) }
	one, two := open(), open()
	l.checkThrottled(t, none()) // both may yet fail
	for _, ws := range []*websocket.Conn{one, two} {
		if err := ws.WriteJSON(right()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.ReadMessage(); err != nil {
			t.Fatal(err)
		}
		checkMessage(t, ws, "hello")
	}
	for _, wrong := range []map[string]string{{"type": "auth", "token": "nonsense"}, {"type": "chat"}} {
		ws := open()
		if err := ws.WriteJSON(wrong); err != nil {
			t.Fatal(err)
		}
		if err := endOf(ws); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
			t.Errorf("the connection ended with %v", err)
		}
	}
	l.checkThrottled(t, none())
	l.clock.Advance(time.Minute)
	_ = open()
}
