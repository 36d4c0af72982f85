package wsauth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// beenRevoked is what the client of a revoked token is told.
const beenRevoked = "Token has been revoked"

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

// revocable opens a connection whose handler must be told that its token is revoked.
func revocable(t *testing.T, cfg setup, serve func(context.Context, *wsauth.Conn) error) (ws *websocket.Conn, revoke func(), ended <-chan struct{}) {
	t.Helper()
	auth := newAuthorizer(t, paseto.Config{})
	began, done := make(chan struct{}), make(chan struct{})
	srv := listen(t, newGuard(t, auth, cfg).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		defer close(done)
		close(began)
		if err := serve(ctx, conn); !errors.Is(err, paseto.ErrRevoked) {
			t.Errorf("the handler was told %v, want ErrRevoked", err)
		}
		if cause := context.Cause(ctx); !errors.Is(cause, paseto.ErrRevoked) {
			t.Errorf("the context ended with %v, want ErrRevoked", cause)
		}
	}))
	token := issued(t, auth, paseto.Grant{Subject: "alice"})
	ws = connect(t, srv, bearer(token.Token.Reveal()))
	wait(t, began, "the handler")
	return ws, func() {
		if err := auth.Revoke(t.Context(), token.Claims); err != nil {
			t.Error(err)
		}
	}, done
}

// TestRevocationOfEveryPeer comes to it whatever it and its handler are doing.
func TestRevocationOfEveryPeer(t *testing.T) {
	t.Parallel()
	writes := func(_ context.Context, conn *wsauth.Conn) error {
		for {
			if err := conn.WriteMessage(wsauth.TextMessage, []byte("news")); err != nil {
				return err
			}
		}
	}
	for _, test := range []struct {
		name  string
		serve func(context.Context, *wsauth.Conn) error
		flood bool
	}{
		{"silent", readUntilError, false},
		{"silent, handler waits for its context", func(ctx context.Context, _ *wsauth.Conn) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, false},
		{"handler writes", writes, false},
		{"floods", readUntilError, true},
		{"floods, handler writes", writes, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ws, revoke, ended := revocable(t, setup{}, test.serve)
			var group sync.WaitGroup
			if test.flood {
				group.Go(func() { flood(ws) })
			}
			revoke()
			if err := endOf(ws); !isClose(err, wsauth.ClosePolicyViolation, beenRevoked) {
				t.Errorf("the connection ended with %v, want the close for the revocation", err)
			}
			wait(t, ended, "the handler")
			_ = ws.Close()
			group.Wait()
		})
	}
}

// TestRevocationOfStalledPeer cuts one that has stopped reading in the midst of a
// message: the buffers are full, and no close frame can be sent.
func TestRevocationOfStalledPeer(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{WriteTimeout: 10 * time.Minute, CloseTimeout: soon}}
	ws, revoke, ended := revocable(t, cfg, func(_ context.Context, conn *wsauth.Conn) error {
		return conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 32<<20))
	})
	if _, err := io.ReadFull(ws.NetConn(), make([]byte, 1<<10)); err != nil { // the write is under way
		t.Fatal(err)
	}
	revoke()
	wait(t, ended, "the handler")
	checkCut(t, ws)
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
