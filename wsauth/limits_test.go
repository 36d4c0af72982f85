package wsauth_test

import (
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// greet says hello to those who are let in, and then echoes.
func greet(ctx context.Context, conn *wsauth.Conn) {
	_ = conn.WriteMessage(wsauth.TextMessage, []byte("hello"))
	echo(ctx, conn)
}

// leave ends a connection as a client does that has said good-bye.
func leave(t testing.TB, ws *websocket.Conn) {
	t.Helper()
	_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	if err := endOf(ws); !isClose(err, wsauth.CloseNormal, "") { // after what it has been sent
		t.Errorf("the connection ended with %v, want the answer to its close", err)
	}
}

// TestRefusedHoldNoPlaces while they are being closed, so that nobody can keep others
// out without a token.
func TestRefusedHoldNoPlaces(t *testing.T) {
	t.Parallel()
	s := newStage(t, setup{live: live.Config{MaxRights: 1}}, greet)
	alice := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
	refused := connect(t, s.srv, header("Authorization", "Bearer"))
	checkMessage(t, connect(t, s.srv, alice), "hello")
	if checkRefused(t, s.srv, alice, live.ErrOverload).Header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	checkClosed(t, refused, wsauth.ClosePolicyViolation, "Bad Authorization header. Expected value 'Bearer <PASETO>'")
}

// TestManyRefused are told over HTTP what there would be too many close frames for.
func TestManyRefused(t *testing.T) {
	t.Parallel()
	const told = 1000 // by a close frame at a time
	s := newStage(t, setup{}, greet)
	wrong := header("Authorization", "Bearer")
	const malformed = "Bad Authorization header. Expected value 'Bearer <PASETO>'"
	conns := make(chan net.Conn, told) // of clients that never answer
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range told / 8 {
				conn, err := net.Dial("tcp", s.srv.Listener.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				conns <- conn
				_, err = io.WriteString(conn, upgrade("Authorization: Bearer"))
				if err == nil {
					_, err = io.ReadFull(conn, make([]byte, 1))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	close(conns)
	checkRefused(t, s.srv, wrong, &paseto.Error{Code: paseto.ErrMalformedCredential, Message: malformed})
	checkMessage(t, connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))), "hello")
	for conn := range conns {
		_ = conn.Close()
	}
	var ws *websocket.Conn
	until(t, "there is room for a close frame", func() bool {
		ws, _ = dial(t, s.srv, wrong)
		return ws != nil
	})
	checkClosed(t, ws, wsauth.ClosePolicyViolation, malformed)
}

// TestPanicIsNobodysFailure: it is the server's doing, and no attempt is under way any
// more.
func TestPanicIsNobodysFailure(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		take func(t *testing.T, l toll, req paseto.Requirement)
	}{
		{"handshake", func(t *testing.T, l toll, req paseto.Requirement) {
			t.Helper()
			srv := httptest.NewUnstartedServer(l.guard.Require(req, unreachable(t)))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.Start()
			defer srv.Close() // when the request is over
			if ws, _, err := tryDial(t.Context(), srv, l.right(t)); err == nil {
				t.Errorf("the handshake is answered; the connection is %v", ws)
			}
		}},
		{"first message", func(t *testing.T, l toll, req paseto.Requirement) {
			t.Helper()
			ws := connect(t, listen(t, l.guard.Require(req, unreachable(t), httpauth.WithLocations(httpauth.LocationMessage))), none())
			say(t, ws, authMessage(access(t, l.auth, paseto.Grant{})))
			checkClosed(t, ws, wsauth.CloseInternalError, "Internal error")
		}},
		{"Authenticate", func(t *testing.T, l toll, req paseto.Requirement) {
			t.Helper()
			defer func() { _ = recover() }() // as net/http does
			r := l.right(t).request(t.Context())
			r.RemoteAddr = "127.0.0.1:1234"
			claims, err := l.guard.Authenticate(r, req)
			t.Errorf("the claims are %v, error %v", claims, err)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := newToll(t, wsauth.Limits{FailuresPerMinute: 1}, paseto.Requirement{})
			test.take(t, l, paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { panic("oh dear") }})
			if l.knocks(t, l.right(t)) {
				t.Error("the next handshake is refused")
			}
		})
	}
}

// TestRefusalsForLoad end the HTTP connection, whatever is configured: a client that is
// refused is to cost less than one that is admitted.
func TestRefusalsForLoad(t *testing.T) {
	t.Parallel()
	const nothing, foreign, malformed = "X: y", "Origin: https://evil.example", "Authorization: Bearer"
	limits := func(l wsauth.Limits) setup { return setup{Config: wsauth.Config{Limits: l}} }
	for _, test := range []struct {
		name   string
		cfg    setup
		source paseto.KeySource
		before func(*testing.T, stage)
		again  bool   // the same handshake was made before
		line   string // of its header; default: alice's token
		status int
		code   string
	}{
		{name: "shutting down", status: 503, code: "shutting_down", before: func(t *testing.T, s stage) {
			t.Helper()
			if err := s.guard.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "too many connections", cfg: setup{live: live.Config{MaxRights: 1}}, again: true, status: 503, code: "overloaded"},
		{name: "too many connections, no token yet", cfg: setup{live: live.Config{MaxRights: 1}}, again: true, line: nothing, status: 503, code: "overloaded"},
		{name: "too many without a token yet", cfg: limits(wsauth.Limits{Pending: 1}), again: true, line: nothing, status: 503, code: "overloaded"},
		{name: "too many of them of the address", cfg: limits(wsauth.Limits{Pending: 2}), again: true, line: nothing, status: 429, code: "handshakes_limited"},
		{name: "too many handshakes", cfg: limits(wsauth.Limits{HandshakesPerMinute: 1}), again: true, status: 429, code: "handshakes_limited"},
		{name: "too many of another origin", cfg: limits(wsauth.Limits{HandshakesPerMinute: 1}), again: true, line: foreign, status: 429, code: "handshakes_limited"},
		{name: "too many failures", cfg: limits(wsauth.Limits{FailuresPerMinute: 1}), again: true, line: malformed, status: 429, code: "handshakes_limited"},
		{name: "too many of the subject", cfg: setup{live: live.Config{PerSubject: 1}}, again: true, status: 429, code: "connections_limited"},
		{name: "denylist away", before: func(_ *testing.T, s stage) { s.store.OnLook(down) }, status: 503, code: "denylist_unavailable"},
		{name: "keys away", source: unknowingKeys{}, line: "Authorization: Bearer " + foreignToken(t), status: 503, code: "keys_unavailable"},
	} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			if test.code == "connections_limited" && reject == wsauth.RejectClose {
				continue // which closes
			}
			t.Run(test.name+", "+string(reject), func(t *testing.T) {
				t.Parallel()
				s := stage{store: testdenylist.New(t)}
				s.auth = newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(s.store), paseto.WithKeySource(test.source))
				cfg := test.cfg
				cfg.Reject, cfg.Locations = reject, []httpauth.Location{httpauth.LocationHeader, httpauth.LocationMessage}
				s.guard = newGuard(t, s.auth, cfg)
				s.srv = listen(t, s.guard.Require(paseto.Requirement{}, greet))
				request := upgrade(cmp.Or(test.line, "Authorization: Bearer "+access(t, s.auth, paseto.Grant{Subject: "alice"})))
				if test.again {
					raw(t, s.srv, request)
				}
				if test.before != nil {
					test.before(t, s)
				}
				_, resp, after := exchange(t, s.srv, request) // over a connection that is to be kept
				body, err := io.ReadAll(resp.Body)
				if err != nil || resp.StatusCode != test.status || !strings.Contains(string(body), test.code) {
					t.Fatalf("the answer is %s %s (%v), want %d %s", resp.Status, body, err, test.status, test.code)
				}
				if resp.Header.Get("Retry-After") == "" && test.code != "connections_limited" {
					t.Error("there is no Retry-After")
				}
				if !resp.Close {
					t.Fatalf("the connection is kept: %v", resp.Header)
				}
				if rest, err := io.ReadAll(after); err != nil || len(rest) > 0 {
					t.Errorf("after the answer come %q and %v, want the end", rest, err)
				}
			})
		}
	}
}
