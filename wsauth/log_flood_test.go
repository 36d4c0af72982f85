package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// shareOfLog is how many lines of one kind a client address causes in a minute.
const shareOfLog = 20

// TestLogOfLongRequests is short, and shows no character that a terminal would obey.
func TestLogOfLongRequests(t *testing.T) {
	t.Parallel()
	const size = 900_000
	long := func(s string) string { return strings.Repeat(s, size/len(s)) }
	get := func(target string) string { return strings.Replace(upgrade(), "/ws", target, 1) }
	for _, test := range []struct{ name, request string }{
		{"path", get("/" + long("a"))},
		{"path of escapes", get("/" + long("%1b%5b2J%ff%e2%80%ae"))},
		{"query", get("/ws?" + long("token=%00&"))},
		{"origin", upgrade("Origin: " + long("a"))},
		{"origin that is one", upgrade("Origin: https://" + long("a"))},
		{"origin of bytes", upgrade("Origin: " + long("\xff\u202e"))},
		{"method", strings.Replace(upgrade(), "GET", long("A"), 1)},
		{"host", strings.Replace(upgrade("Origin: https://evil.example"), "chat.example.com", long("a"), 1)},
		{"token", upgrade("Authorization: Bearer " + long("v"))},
		{"scheme", upgrade("Authorization: " + long("v"))},
		{"version of a token", upgrade("Authorization: Bearer v4.local." + long("v"))},
		{"subprotocol", upgrade("Sec-WebSocket-Protocol: " + long("v"))},
		{"key", upgrade("Sec-WebSocket-Key: " + long("v"))},
		{"forwarded for", upgrade("X-Forwarded-For: " + long("v"))},
		{"no handshake", "GET /" + long("a") + " HTTP/1.1\r\nHost: h\r\nOrigin: " + strings.Repeat("o", 90_000) + "\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			logger, log := newLogger()
			guard := newGuard(t, newAuthorizer(t, paseto.Config{}), setup{web: httpauth.Config{TrustedProxies: []string{"127.0.0.1"}}}, logger)
			srv := listen(t, guard.Require(paseto.Requirement{}, unreachable(t)))
			raw(t, srv, test.request)
			until(t, "it is logged", func() bool { return log.String() != "" })
			checkShort(t, log.String())
		})
	}
}

// checkShort checks what is logged of one refusal.
func checkShort(t *testing.T, logged string) {
	t.Helper()
	if len(logged) > 3000 || strings.Count(logged, "\n") != 1 || strings.ContainsAny(logged, "\x1b\u202e\x00") {
		t.Errorf("%d bytes are logged: %.4000s", len(logged), logged)
	}
}

// TestLogOfFirstMessage is short too, whatever stands in the handshake and the message.
func TestLogOfFirstMessage(t *testing.T) {
	t.Parallel()
	logger, log := newLogger()
	guard := newGuard(t, newAuthorizer(t, paseto.Config{}), setup{Config: wsauth.Config{Locations: byMessage}}, logger)
	srv := listen(t, guard.Require(paseto.Requirement{}, unreachable(t)))
	ws := connect(t, srv, at("/"+strings.Repeat("%1b", 50_000)))
	say(t, ws, `{"type":"auth","token":"x","`+strings.Repeat("\U0010fffe", 1000)+`":1}`)
	_ = endOf(ws)
	until(t, "it is logged", func() bool { return log.String() != "" })
	checkShort(t, log.String())
}

// flooded is a guard that is flooded.
type flooded struct {
	stage
	route http.Handler
	clock *clock
	log   *testlog.Buffer
}

// ask makes a handshake from an address.
func (f *flooded) ask(t *testing.T, address string, h handshake) int {
	t.Helper()
	r := upgrading.request(t.Context())
	r.RemoteAddr = address
	for name, values := range h.header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	rec := httptest.NewRecorder()
	f.route.ServeHTTP(rec, r)
	return rec.Code
}

// TestLogOfFloods has a bounded number of lines of one address in a minute, and then one
// that says how many were left out; other addresses are still seen.
func TestLogOfFloods(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		times  int
		limits wsauth.Limits
		send   handshake // without it, a handshake with a right token
		level  string
		away   bool // the denylist
	}{
		{"no token", 10_000, wsauth.Limits{}, header("X-A", "b"), "INFO", false},
		{"bad token", 1000, wsauth.Limits{}, bearer("nonsense"), "INFO", false},
		{"origin", 10_000, wsauth.Limits{}, header("Origin", "https://evil.example"), "INFO", false},
		{"no handshake", 1000, wsauth.Limits{}, header("Upgrade", "no"), "INFO", false},
		{"malformed handshake", 1000, wsauth.Limits{}, header("Sec-WebSocket-Version", "12"), "INFO", false},
		{"throttled", 1000, wsauth.Limits{HandshakesPerMinute: 1}, bearer("nonsense"), "INFO", false},
		{"throttled origin", 1000, wsauth.Limits{HandshakesPerMinute: 1}, header("Origin", "https://evil.example"), "INFO", false},
		{"denylist away", 1000, wsauth.Limits{}, handshake{}, "ERROR", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := newFlooded(t, test.limits)
			send := test.send
			if send.header == nil {
				send = bearer(access(t, f.auth, paseto.Grant{Subject: "alice"}))
			}
			if test.away {
				f.store.OnLook(down)
			}
			for n := range test.times {
				if status := f.ask(t, fmt.Sprintf("192.0.2.1:%d", n), send); status < 400 {
					t.Fatalf("status is %d", status)
				}
			}
			if lines := f.lines(`msg="handshake refused"`); lines != shareOfLog {
				t.Errorf("there are %d lines, want %d", lines, shareOfLog)
			}
			f.ask(t, "192.0.2.2:1", send)
			if lines := f.lines("remote=192.0.2.2:1"); lines != 1 {
				t.Errorf("another address has %d lines, want 1", lines)
			}
			f.clock.Advance(time.Minute)
			f.ask(t, "192.0.2.2:2", send)
			want := fmt.Sprintf(`level=%s msg="lines left out" of="handshake refused" lines=%d client=192.0.2.1/32`, test.level, test.times-shareOfLog)
			if lines := f.lines(want); lines != 1 {
				t.Errorf("there are %d lines with %s, want 1", lines, want)
			}
			if all := f.lines("\n"); all > 5*shareOfLog { // those of the Authorizer included
				t.Errorf("there are %d lines in all", all)
			}
		})
	}
}

func newFlooded(t *testing.T, limits wsauth.Limits) *flooded {
	t.Helper()
	f := &flooded{clock: newClock()}
	logger, log := newLogger()
	f.log = log
	f.store = testdenylist.New(t)
	f.auth = newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(f.store), paseto.WithClock(f.clock.Now), paseto.WithLogger(logger))
	f.guard = newGuard(t, f.auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, Limits: limits}}, logger)
	f.route = f.guard.Require(paseto.Requirement{}, unreachable(t))
	return f
}

// lines returns how many lines have a text.
func (f *flooded) lines(text string) (n int) {
	for line := range strings.Lines(f.log.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// TestLogOfPanics is bounded as well: a client may know how to make a handler panic, or
// an observer, and what the panic says.
func TestLogOfPanics(t *testing.T) {
	t.Parallel()
	logger, log := newLogger()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(newClock().Now)) // in which no minute passes
	huge := strings.Repeat("\x1b", 100_000)
	guard := newGuard(t, auth, setup{}, logger, live.WithObserver(func(live.Event) { panic(errors.New(huge)) }))
	srv := listen(t, guard.Require(paseto.Requirement{}, func(context.Context, *wsauth.Conn) { panic(huge) }))
	token := bearer(access(t, auth, paseto.Grant{Subject: huge[:500]}))
	for range shareOfLog + 5 {
		checkClosed(t, connect(t, srv, token), wsauth.CloseInternalError, "Internal error")
	}
	until(t, "all are gone", func() bool { return guard.Stats().Connections == 0 })
	logged := log.String()
	for _, msg := range []string{`msg="handler of a connection panicked"`, `msg="observer of rights panicked"`} {
		if lines := strings.Count(logged, msg); lines != shareOfLog {
			t.Errorf("there are %d lines with %s, want %d", lines, msg, shareOfLog)
		}
	}
	if most := shareOfLog * 12_000; len(logged) > most || strings.ContainsRune(logged, '\x1b') {
		t.Errorf("%d bytes are logged, want at most %d: %.2000s", len(logged), most, logged)
	}
	if !strings.Contains(logged, "TestLogOfPanics") {
		t.Errorf("no stack says where the panic was: %.2000s", logged)
	}
}
