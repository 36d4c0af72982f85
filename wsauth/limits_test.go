package wsauth_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	overloaded = "Server has too many connections"
	tooMany    = "Too many connections of this subject"
	replaced   = "Replaced by a newer connection"
)

// greet says hello to those who are let in, and then echoes.
func greet(ctx context.Context, conn *wsauth.Conn) {
	_ = conn.WriteMessage(wsauth.TextMessage, []byte("hello"))
	echo(ctx, conn)
}

// countOf returns how many connections of a subject are open.
func countOf(guard *wsauth.Guard, subject string) (n int) {
	for range guard.ConnectionsOf(subject) {
		n++
	}
	return n
}

// leave ends a connection as a client does that has said good-bye.
func leave(t testing.TB, ws *websocket.Conn) {
	t.Helper()
	_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	if err := endOf(ws); !isClose(err, wsauth.CloseNormal, "") { // after what it has been sent
		t.Errorf("the connection ended with %v, want the answer to its close", err)
	}
}

// checkOverload checks that a handshake is refused for the number of connections.
func checkOverload(t *testing.T, srv *httptest.Server, h handshake) {
	t.Helper()
	ws, resp := dial(t, srv, h)
	if ws != nil {
		t.Fatal("the handshake succeeded")
	}
	checkProblem(t, resp, http.StatusServiceUnavailable, "overloaded", overloaded)
	if resp.Header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
}

// TestConnectionsLimit refuses whoever comes when all places are taken, over HTTP
// whatever is configured, and has room again when one has gone.
func TestConnectionsLimit(t *testing.T) {
	t.Parallel()
	for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
		t.Run(string(reject), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, setup{Config: wsauth.Config{Reject: reject}, live: live.Config{MaxRights: 2}}, greet)
			alice := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
			first, second := connect(t, s.srv, alice), connect(t, s.srv, none())
			for _, send := range []handshake{alice, none()} {
				checkOverload(t, s.srv, send)
			}
			for _, ws := range []*websocket.Conn{first, second} {
				leave(t, ws)
				until(t, "there is a place", func() bool { return s.guard.Stats().Connections == 1 })
				checkMessage(t, connect(t, s.srv, alice), "hello")
				checkOverload(t, s.srv, alice)
			}
		})
	}
}

// TestRefusedHoldNoPlaces while they are being closed, so that nobody can keep others
// out without a token.
func TestRefusedHoldNoPlaces(t *testing.T) {
	t.Parallel()
	s := newStage(t, setup{Config: wsauth.Config{}, live: live.Config{MaxRights: 1}}, greet)
	alice := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
	refused := connect(t, s.srv, header("Authorization", "Bearer"))
	checkMessage(t, connect(t, s.srv, alice), "hello")
	checkOverload(t, s.srv, alice)
	checkClosed(t, refused, wsauth.ClosePolicyViolation, "Bad Authorization header. Expected value 'Bearer <PASETO>'")
}

// crush opens so many connections at once, and returns those that are let in and how
// many are refused. Each of the others must be refused as the mode says.
func crush(t *testing.T, s stage, reject wsauth.Reject, handshakes int, send handshake) (admitted []*websocket.Conn, refused int) {
	t.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	for range handshakes {
		group.Go(func() {
			ws, status, err := tryDial(t.Context(), s.srv, send)
			var first []byte
			if ws != nil {
				_, first, err = ws.ReadMessage()
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case string(first) == "hello":
				admitted = append(admitted, ws)
			case ws == nil && reject == wsauth.RejectHTTP && status == http.StatusTooManyRequests,
				ws != nil && reject == wsauth.RejectClose && isClose(err, wsauth.CloseTryAgainLater, tooMany):
				refused++
			default:
				t.Errorf("a handshake is answered with status %d and message %q, error %v", status, first, err)
			}
			if ws != nil && first == nil {
				_ = ws.Close()
			}
		})
	}
	group.Wait()
	return admitted, refused
}

// TestPerSubjectUnderPressure lets in as many as may be, whoever comes at the same
// time, and keeps no place when they have gone.
func TestPerSubjectUnderPressure(t *testing.T) {
	t.Parallel()
	const handshakes, limit = 100, 5
	for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
		t.Run(string(reject), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, setup{Config: wsauth.Config{Reject: reject}, live: live.Config{PerSubject: limit}}, greet)
			send := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
			var bobs []*websocket.Conn
			for range 3 {
				admitted, refused := crush(t, s, reject, handshakes, send)
				if len(admitted) != limit || refused != handshakes-limit {
					t.Errorf("%d connections are let in and %d refused, want %d and %d", len(admitted), refused, limit, handshakes-limit)
				}
				bobs = append(bobs, connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "bob"}))))
				for _, ws := range admitted {
					leave(t, ws)
					_ = ws.Close()
				}
				until(t, "all are leaving", func() bool { return countOf(s.guard, "alice") == 0 })
			}
			for _, ws := range bobs {
				checkMessage(t, ws, "hello")
				leave(t, ws)
			}
			until(t, "nothing is counted", func() bool { return s.guard.Stats() == wsauth.Stats{} })
		})
	}
}

// TestReplaceOldest ends the connections that were opened first, in their order.
func TestReplaceOldest(t *testing.T) {
	t.Parallel()
	const limit = 5
	s := newStage(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: limit, OnExcess: live.ReplaceOldest}}, greet)
	send := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
	bob := connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "bob"})))
	checkMessage(t, bob, "hello")
	var clients []*websocket.Conn
	for range 3 * limit {
		ws := connect(t, s.srv, send)
		checkMessage(t, ws, "hello")
		if clients = append(clients, ws); len(clients) > limit {
			checkClosed(t, clients[0], wsauth.ClosePolicyViolation, replaced)
			clients = clients[1:]
		}
	}
	for _, ws := range append(clients, bob) {
		checkEcho(t, ws, "still here")
	}
}

// TestRefusedReplaceNobody, although their token was right at first.
func TestRefusedReplaceNobody(t *testing.T) {
	t.Parallel()
	limits := live.Config{PerSubject: 1, OnExcess: live.ReplaceOldest}
	s := newStage(t, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}, live: limits}, greet)
	oldest := connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "alice"})))
	checkMessage(t, oldest, "hello")
	revokedAtLook(2)(t, s, issued(t, s.auth, paseto.Grant{Subject: "alice"}))
	checkEcho(t, oldest, "still here")
}

// TestManyRefused are told over HTTP what there would be too many close frames for.
func TestManyRefused(t *testing.T) {
	t.Parallel()
	const told = 1000 // by a close frame at a time
	s := newStage(t, setup{Config: wsauth.Config{}}, greet)
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
	ws, resp := dial(t, s.srv, wrong)
	if ws != nil {
		t.Fatal("the handshake succeeded")
	}
	checkProblem(t, resp, http.StatusBadRequest, "credential_malformed", malformed)
	checkMessage(t, connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))), "hello")
	for conn := range conns {
		_ = conn.Close()
	}
	until(t, "there is room for a close frame", func() bool {
		ws, _ = dial(t, s.srv, wrong)
		return ws != nil
	})
	checkClosed(t, ws, wsauth.ClosePolicyViolation, malformed)
}

// TestReplaceOldestUnderPressure never leaves more than may be, nor fewer.
func TestReplaceOldestUnderPressure(t *testing.T) {
	t.Parallel()
	const handshakes, limit = 100, 5
	var guard *wsauth.Guard
	s := newStage(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: limit, OnExcess: live.ReplaceOldest}}, func(ctx context.Context, conn *wsauth.Conn) {
		if n := countOf(guard, "alice"); n > limit {
			t.Errorf("%d connections are live, want at most %d", n, limit)
		}
		if err := readUntilError(ctx, conn); !errors.Is(err, live.ErrReplaced) && !errors.Is(err, live.ErrShutdown) {
			t.Errorf("the handler was told %v, want ErrReplaced", err)
		}
	})
	guard = s.guard
	send := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
	ends := make(chan error, handshakes)
	for range handshakes {
		go func() {
			ws, _, err := tryDial(context.WithoutCancel(t.Context()), s.srv, send)
			if ws != nil {
				err = endOf(ws)
				_ = ws.Close()
			}
			ends <- err
		}()
	}
	for range handshakes - limit {
		if err := wait(t, ends, "a connection to be replaced"); !isClose(err, wsauth.ClosePolicyViolation, replaced) {
			t.Errorf("a connection ended with %v", err)
		}
	}
	until(t, "those are gone", func() bool { return guard.Stats().Connections == limit })
	if n := countOf(guard, "alice"); n != limit {
		t.Errorf("%d connections are live, want %d", n, limit)
	}
	done := shutdown(t.Context(), guard)
	for range limit {
		if err := wait(t, ends, "the others"); !isClose(err, wsauth.CloseGoingAway, shuttingDown) {
			t.Errorf("a connection ended with %v", err)
		}
	}
	if err := wait(t, done, "Shutdown"); err != nil {
		t.Error(err)
	}
}

// TestUncounted are those of whom nobody knows whose they are.
func TestUncounted(t *testing.T) {
	t.Parallel()
	for _, excess := range []live.Excess{live.RejectNewest, live.ReplaceOldest} {
		s := newStage(t, setup{Config: wsauth.Config{}, live: live.Config{PerSubject: 1, OnExcess: excess}}, echo)
		nameless := bearer(access(t, s.auth, paseto.Grant{Session: "s1"}))
		var clients []*websocket.Conn
		for _, send := range []handshake{none(), nameless, none(), nameless, none(), nameless} {
			clients = append(clients, connect(t, s.srv, send))
		}
		for _, ws := range clients {
			checkEcho(t, ws, "still here")
		}
	}
}

// TestPlacesAreGivenBack on every way out.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	for _, way := range waysOut() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s, _ := way.walk(t, setup{Config: wsauth.Config{}, live: live.Config{MaxRights: 1, PerSubject: 1}})
			send := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
			until(t, "there is a place", func() bool {
				ws, _ := dial(t, s.srv, send)
				if ws != nil {
					checkMessage(t, ws, "hello")
				}
				return ws != nil
			})
			if n := s.guard.Stats().Connections; n != 1 {
				t.Errorf("%d connections are open, want 1", n)
			}
		})
	}
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
			if err := ws.WriteJSON(map[string]string{"type": "auth", "token": access(t, l.auth, paseto.Grant{})}); err != nil {
				t.Fatal(err)
			}
			checkClosed(t, ws, wsauth.CloseInternalError, "Internal error")
		}},
		{"Authenticate", func(t *testing.T, l toll, req paseto.Requirement) {
			t.Helper()
			defer func() { _ = recover() }() // as net/http does
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws", nil)
			r.RemoteAddr, r.Header = "127.0.0.1:1234", l.right(t).header
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
