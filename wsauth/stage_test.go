package wsauth_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

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
