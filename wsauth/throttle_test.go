package wsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	cfg := setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, Limits: limits}, live: rights, web: httpauth.Config{TrustedProxies: proxies}}
	guard := newGuard(t, auth, cfg)
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
	retry := checkRefused(t, l.srv, h, wsauth.ErrThrottled).Header.Get("Retry-After")
	seconds, err := strconv.Atoi(retry)
	if err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("Retry-After is %q", retry)
	}
	return time.Duration(seconds) * time.Second
}

// checkLooked makes handshakes that must not be refused for those that came before.
func (l toll) checkLooked(t *testing.T, send ...handshake) {
	t.Helper()
	for n, h := range send {
		if l.knocks(t, h) {
			t.Fatalf("handshake %d is refused", n)
		}
	}
}

// TestHandshakesPerMinute counts all that begin. How they are forgotten is shown in package
// throttle.
func TestHandshakesPerMinute(t *testing.T) {
	t.Parallel()
	l := newToll(t, wsauth.Limits{HandshakesPerMinute: 4}, paseto.Requirement{})
	wrong := bearer("nonsense")
	l.checkLooked(t, l.right(t), wrong, l.right(t), none())
	for range 3 { // which do not count again
		if wait := l.checkThrottled(t, l.right(t)); wait < 15*time.Second || wait > 16*time.Second {
			t.Errorf("told to wait for %s, want 15 to 16 seconds", wait)
		}
	}
	l.clock.Advance(14 * time.Second)
	l.clock.Advance(l.checkThrottled(t, wrong))
	l.checkLooked(t, l.right(t))
	l.checkThrottled(t, l.right(t))
}

// TestFailuresPerMinute refuses whoever failed too often, and what he brings then is
// not looked at.
func TestFailuresPerMinute(t *testing.T) {
	t.Parallel()
	l := newToll(t, wsauth.Limits{FailuresPerMinute: 3}, paseto.Requirement{})
	l.checkLooked(t, slices.Repeat([]handshake{l.right(t)}, 10)...)
	l.checkLooked(t, slices.Repeat([]handshake{bearer("nonsense")}, 3)...)
	l.store.OnLook(func(context.Context, denylist.Token) (bool, error) {
		t.Error("the token is looked at")
		return false, nil
	})
	retry := l.checkThrottled(t, l.right(t))
	l.store.OnLook(nil)
	l.clock.Advance(retry)
	l.checkLooked(t, l.right(t), l.right(t), none())
	l.checkThrottled(t, l.right(t))
}

// TestWhatCountsAsFailure is what the client brings, and not the server's state.
func TestWhatCountsAsFailure(t *testing.T) {
	t.Parallel()
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
	sendsRevoked := func(t *testing.T, l toll) handshake {
		t.Helper()
		token := issued(t, l.auth, paseto.Grant{Subject: "alice"})
		if err := l.auth.Revoke(t.Context(), token.Claims); err != nil {
			t.Fatal(err)
		}
		return bearer(token.Token.Reveal())
	}
	for _, test := range []struct {
		name   string
		limits live.Config
		req    paseto.Requirement
		send   func(t *testing.T, l toll) handshake
		counts bool
	}{
		{name: "no token", send: sendsThis(none()), counts: true},
		{name: "malformed credential", send: sendsThis(header("Authorization", "Bearer")), counts: true},
		{name: "bad token", send: sendsThis(bearer("v4.local.nonsense")), counts: true},
		{name: "revoked", send: sendsRevoked, counts: true},
		{name: "scope", req: paseto.Requirement{Scopes: []string{"admin"}}, send: sendsRight, counts: true},
		{name: "check", req: paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New("banned") }}, send: sendsRight, counts: true},
		{name: "bad ticket", send: sendsThis(ticket("nonsense")), counts: true},

		{name: "right token", send: sendsRight},
		{name: "bad token of an optional route", req: paseto.Requirement{Optional: true}, send: sendsThis(bearer("nonsense"))},
		{name: "origin", send: sendsThis(header("Origin", "https://evil.example"))},
		{name: "no handshake of version 13", send: sendsThis(header("Sec-WebSocket-Version", "12"))},
		{name: "impossible requirement", req: paseto.Requirement{Fresh: true, Type: "refresh"}, send: sendsRight},
		{name: "overload", limits: live.Config{MaxRights: 1}, send: sendsAnother},
		{name: "too many of the subject", limits: live.Config{PerSubject: 1}, send: sendsAnother},
		{name: "outage", send: func(t *testing.T, l toll) handshake {
			t.Helper()
			l.store.OnLook(down)
			return l.right(t)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := tollBehind(t, nil, wsauth.Limits{FailuresPerMinute: 1}, test.limits, test.req)
			l.checkLooked(t, test.send(t, l))
			if got := l.knocks(t, l.right(t)); got != test.counts {
				t.Errorf("the next handshake is refused: %t, want %t", got, test.counts)
			}
		})
	}
}

// TestWhoseHandshakesCount are those of one network. What its address is, and who is
// believed to know it, is shown in package clientaddr.
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
				l.checkLooked(t, fromAddress(test.first))
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
	route := fromAddress("192.0.2.1") // as the requests of httptest
	ask := func(h handshake, want error) error {
		t.Helper()
		_, err := l.guard.Authenticate(h.request(t.Context()), paseto.Requirement{})
		if !errors.Is(err, want) {
			t.Errorf("error is %v, want %v", err, want)
		}
		return err
	}
	for range 5 {
		_ = ask(l.right(t), nil)
	}
	_ = ask(bearer("nonsense"), paseto.ErrMalformed)
	l.checkLooked(t, bearer("nonsense").and(route))
	err := ask(l.right(t), wsauth.ErrThrottled)
	if limited, ok := errors.AsType[*paseto.Error](err); !ok || limited.RetryAfter <= 0 || httpauth.Status(err) != http.StatusTooManyRequests {
		t.Errorf("the refusal is %#v, want 429 with the time to try again", err)
	}
	l.checkThrottled(t, l.right(t).and(route))
	l.clock.Advance(time.Minute)
	_ = ask(l.right(t), nil)
}

// TestFirstMessagesCount as what they are, and those that have yet to come as failures.
func TestFirstMessagesCount(t *testing.T) {
	t.Parallel()
	l := newToll(t, wsauth.Limits{FailuresPerMinute: 2}, paseto.Requirement{}, httpauth.WithLocations(httpauth.LocationMessage))
	open := func() *websocket.Conn { return connect(t, l.srv, none()) }
	one, two := open(), open()
	l.checkThrottled(t, none()) // both may yet fail
	for _, ws := range []*websocket.Conn{one, two} {
		say(t, ws, authMessage(access(t, l.auth, paseto.Grant{})))
		_ = nextAnswer(t, ws)
		checkMessage(t, ws, "hello")
	}
	for _, wrong := range []string{authMessage("nonsense"), `{"type":"chat"}`} {
		ws := open()
		say(t, ws, wrong)
		if err := endOf(ws); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
			t.Errorf("the connection ended with %v", err)
		}
	}
	l.checkThrottled(t, none())
	l.clock.Advance(time.Minute)
	_ = open()
}
