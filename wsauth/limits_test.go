package wsauth_test

import (
	"context"
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
