package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// writes are what a program may do with a connection from any goroutine.
func writes(guard *wsauth.Guard, token string) []func(conn *wsauth.Conn) error {
	return []func(conn *wsauth.Conn) error{
		func(conn *wsauth.Conn) error { return conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 1<<10)) },
		func(conn *wsauth.Conn) error { return conn.WriteJSON("news") },
		func(conn *wsauth.Conn) error { return conn.Send(wsauth.TextMessage, []byte("news")) },
		func(conn *wsauth.Conn) error { return conn.SendJSON("news") },
		func(conn *wsauth.Conn) error { return conn.Renew(context.Background(), token) },
		func(conn *wsauth.Conn) error {
			_, err := guard.Broadcast(wsauth.TextMessage, []byte("to all"), func(c *wsauth.Conn) bool { return c == conn })
			return errors.Join(err, context.Cause(conn.Context()))
		},
	}
}

// TestWritersAgainstTheEnd has fifty goroutines write, send and renew while the
// connection ends in one way or another. Each is told why there is none any more, and
// is not left waiting.
func TestWritersAgainstTheEnd(t *testing.T) {
	t.Parallel()
	const writers, rounds, endless = 50, 10, 1_000_000
	for _, test := range []struct {
		name  string
		queue int
		end   func(t *testing.T, s stage, conn *wsauth.Conn, ws *websocket.Conn)
		cause error // nil: what the network says
	}{
		{"closed by many", endless, func(_ *testing.T, _ stage, conn *wsauth.Conn, _ *websocket.Conn) {
			for range writers {
				go conn.Close(4000, "")
			}
		}, live.ErrClosed},
		{"revoked", endless, func(t *testing.T, s stage, conn *wsauth.Conn, _ *websocket.Conn) {
			t.Helper()
			if err := s.auth.RevokeSession(t.Context(), conn.Claims().Session); err != nil {
				t.Error(err)
			}
		}, paseto.ErrRevoked},
		{"client vanishes", endless, func(_ *testing.T, _ stage, _ *wsauth.Conn, ws *websocket.Conn) { _ = ws.NetConn().Close() }, nil},
		{"too slow", 0, func(_ *testing.T, _ stage, conn *wsauth.Conn, _ *websocket.Conn) {
			large := make([]byte, 1<<10)
			for err := error(nil); err == nil; err = conn.Send(wsauth.BinaryMessage, large) { // faster than anyone reads
				continue
			}
		}, live.ErrSlow},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conns := make(chan *wsauth.Conn)
			cfg := setup{Config: wsauth.Config{SendQueue: test.queue}, live: live.Config{RenewInterval: paseto.NoLimit}}
			s := newStage(t, cfg, func(ctx context.Context, conn *wsauth.Conn) {
				conns <- conn
				_ = readUntilError(ctx, conn)
			})
			for n := range rounds {
				token := paseto.Grant{Subject: "alice", Session: fmt.Sprint("session ", n)}
				ws := connect(t, s.srv, bearer(access(t, s.auth, token)))
				conn := wait(t, conns, "the connection")
				var group sync.WaitGroup
				group.Go(func() { _ = endOf(ws) })
				ways := writes(s.guard, access(t, s.auth, token))
				for n := range writers {
					group.Go(func() {
						for conn.Context().Err() == nil {
							_ = ways[n%len(ways)](conn)
						}
						if err, cause := ways[n%len(ways)](conn), context.Cause(conn.Context()); !errors.Is(err, cause) {
							t.Errorf("error is %v, and the context ended with %v", err, cause)
						}
					})
				}
				test.end(t, s, conn, ws)
				group.Wait()
				if cause := context.Cause(conn.Context()); test.cause != nil && !errors.Is(cause, test.cause) {
					t.Errorf("the context ended with %v, want %v", cause, test.cause)
				}
			}
		})
	}
}
