package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	expired     = "Token expired."
	beenRevoked = "Token has been revoked"
)

func readUntilError(_ context.Context, conn *wsauth.Conn) error {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return err
		}
	}
}

// TestRightEnds closes the connection and tells its handler, whatever that and the peer are
// doing.
func TestRightEnds(t *testing.T) {
	t.Parallel()
	news := func(size int) func(context.Context, *wsauth.Conn) error {
		return func(_ context.Context, conn *wsauth.Conn) error {
			for {
				if err := conn.WriteMessage(wsauth.BinaryMessage, make([]byte, size)); err != nil {
					return err
				}
			}
		}
	}
	untilEnd := func(ctx context.Context, _ *wsauth.Conn) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	for _, test := range []struct {
		name    string
		serve   func(context.Context, *wsauth.Conn) error
		floods  bool // the peer
		stalled bool // the peer has stopped reading in the midst of a message
		deaf    bool // the handler never looks at the connection again
	}{
		{name: "silent", serve: readUntilError},
		{name: "silent, handler waits for its context", serve: untilEnd},
		{name: "silent, handler has a reader", serve: func(ctx context.Context, conn *wsauth.Conn) error {
			go func() { _ = readUntilError(ctx, conn) }()
			return untilEnd(ctx, conn)
		}},
		{name: "handler writes", serve: news(4)},
		{name: "floods", serve: readUntilError, floods: true},
		{name: "floods, handler writes", serve: news(4), floods: true},
		{name: "stalled", serve: news(32 << 20), stalled: true},
		{name: "handler is deaf", deaf: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			cfg := setup{}
			if test.stalled || test.deaf {
				cfg.WriteTimeout, cfg.CloseTimeout = 10*time.Minute, soon
			}
			began, ended, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
			srv := listen(t, newGuard(t, auth, cfg).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
				defer close(ended)
				close(began)
				if test.deaf {
					<-gone
				} else if err := test.serve(ctx, conn); !errors.Is(err, paseto.ErrRevoked) || !errors.Is(context.Cause(ctx), paseto.ErrRevoked) {
					t.Errorf("the handler was told %v, and the context ended with %v; want ErrRevoked", err, context.Cause(ctx))
				}
			}))
			token := issued(t, auth, paseto.Grant{Subject: "alice"})
			ws := connect(t, srv, bearer(token.Token.Reveal()))
			wait(t, began, "the handler")
			var group sync.WaitGroup
			if test.floods {
				group.Go(func() { flood(ws) })
			}
			if test.stalled {
				if _, err := io.ReadFull(ws.NetConn(), make([]byte, 1<<10)); err != nil { // the write is under way
					t.Fatal(err)
				}
			}
			if err := auth.Revoke(t.Context(), token.Claims); err != nil {
				t.Fatal(err)
			}
			if !test.stalled { // where no frame can be sent
				if err := endOf(ws); !isClose(err, wsauth.ClosePolicyViolation, beenRevoked) {
					t.Errorf("the connection ended with %v, want the close for the revocation", err)
				}
			}
			if test.stalled || test.deaf {
				checkCut(t, ws)
			}
			close(gone)
			wait(t, ended, "the handler")
			_ = ws.Close()
			group.Wait()
		})
	}
}

// TestExpiryIsSeen by reads and writes on a machine that slept, where no timer notices: what
// is sent after the expiry reaches nobody.
func TestExpiryIsSeen(t *testing.T) {
	t.Parallel()
	const before, after = 200, 200
	for _, test := range []struct {
		name  string
		serve func(c *clock, conn *wsauth.Conn) (received int, err error)
	}{
		{"by reads", func(c *clock, conn *wsauth.Conn) (received int, err error) {
			for ; ; received++ {
				var n int
				if err := conn.ReadJSON(&n); err != nil {
					return received, err
				}
				if received == before-1 {
					c.Advance(time.Hour)
				}
				if n != received {
					return received, fmt.Errorf("message %d came after %d", n, received)
				}
			}
		}},
		{"by writes", func(c *clock, conn *wsauth.Conn) (int, error) {
			if err := conn.WriteMessage(wsauth.TextMessage, []byte("in time")); err != nil {
				return 0, err
			}
			c.Advance(time.Hour)
			return before, conn.WriteMessage(wsauth.TextMessage, []byte("too late"))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
			ended := make(chan struct{})
			srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
				defer close(ended)
				if n, err := test.serve(c, conn); n != before || !errors.Is(err, paseto.ErrExpired) || !errors.Is(context.Cause(ctx), paseto.ErrExpired) {
					t.Errorf("the handler received %d messages and was told %v, want the %d before the expiry, and ErrExpired", n, err, before)
				}
			}))
			ws := connect(t, srv, bearer(access(t, auth, paseto.Grant{TTL: time.Hour})))
			for n := range before + after {
				if ws.WriteJSON(n) != nil {
					break
				}
			}
			if err := endOf(ws); !isClose(err, wsauth.ClosePolicyViolation, expired) {
				t.Errorf("the connection ended with %v, want the close for the expiry", err)
			}
			wait(t, ended, "the handler")
		})
	}
}

// TestRenewalAfterEnd fails with what ended the connection, and does not keep that in
// memory.
func TestRenewalAfterEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		late bool // whether there is a renewal
	}{{"without a renewal", false}, {"with a renewal", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conns := make(chan *wsauth.Conn, 1)
			s := newStage(t, setup{Config: wsauth.Config{CloseTimeout: soon}}, toldOf(conns))
			token := access(t, s.auth, anHour)
			ws := connect(t, s.srv, bearer(token))
			conn := wait(t, conns, "the connection")
			conn.Close(4000, "enough")
			checkClosed(t, ws, 4000, "enough")
			checkCut(t, ws)
			until(t, "the connection is forgotten", func() bool { return s.guard.Stats().Connections == 0 })
			if test.late {
				if err := conn.Renew(t.Context(), token); !errors.Is(err, live.ErrClosed) {
					t.Errorf("Renew returns %v, want ErrClosed", err)
				}
			}
			forgotten := weak.Make(conn)
			conn = nil
			until(t, "the memory of the connection is free", func() bool {
				runtime.GC()
				return forgotten.Value() == nil
			})
		})
	}
}
