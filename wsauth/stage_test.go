package wsauth_test

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// stage is a guarded route beside the denylist that it is guarded with.
type stage struct {
	store *testdenylist.Store
	auth  *paseto.Authorizer
	guard *wsauth.Guard
	srv   *httptest.Server
}

// newStage opens a route for callers with a token and without.
func newStage(t testing.TB, cfg setup, serve wsauth.Handler, opts ...any) stage {
	t.Helper()
	store := testdenylist.New(t)
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store))
	guard := newGuard(t, auth, cfg, opts...)
	return stage{store, auth, guard, listen(t, guard.Require(paseto.Requirement{Optional: true}, serve))}
}

var errStoreDown = errors.New("connection refused")

// down is the answer of a denylist that is.
func down(context.Context, denylist.Token) (bool, error) { return false, errStoreDown }

// until waits for a condition.
func until(t testing.TB, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !met(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// issued is issue for a test that needs the claims as well.
func issued(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) paseto.Issued {
	t.Helper()
	token, err := auth.IssueAccess(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tryDial is dial on another goroutine than the test's. Without a connection there is
// the response that refuses it, or an error. The caller closes the connection.
func tryDial(ctx context.Context, srv *httptest.Server, h handshake) (*websocket.Conn, int, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws?" + h.query
	ws, resp, err := dialer.DialContext(ctx, url, h.header)
	switch {
	case err == nil:
		err = ws.SetReadDeadline(time.Now().Add(patience))
		return ws, resp.StatusCode, err
	case errors.Is(err, websocket.ErrBadHandshake):
		return nil, resp.StatusCode, nil
	}
	return nil, 0, err
}

// endOf reads until the connection ends, and returns how.
func endOf(ws *websocket.Conn) error {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
}

// isClose reports whether a connection ended with such a close frame.
func isClose(err error, code wsauth.CloseCode, reason string) bool {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	return ok && closed.Code == int(code) && closed.Text == reason
}

// toldOf is an echo that tells of its connection.
func toldOf(conns chan<- *wsauth.Conn) wsauth.Handler {
	return func(ctx context.Context, conn *wsauth.Conn) {
		conns <- conn
		echo(ctx, conn)
	}
}

// stall makes the buffers of a connection so small that a peer which does not read
// holds up its writer at once.
func stall(t testing.TB, conn *wsauth.Conn, ws *websocket.Conn) {
	t.Helper()
	server, ok1 := conn.Underlying().NetConn().(*net.TCPConn)
	client, ok2 := ws.NetConn().(*net.TCPConn)
	if !ok1 || !ok2 {
		t.Fatal("the connection is not TCP")
	}
	if err := errors.Join(server.SetWriteBuffer(4<<10), client.SetReadBuffer(4<<10)); err != nil {
		t.Fatal(err)
	}
}
