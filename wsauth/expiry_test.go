package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

const expired = "Token expired."

// expiring opens a connection for a token of g, whose handler reports what its
// last read or write failed with, and checks that it is told why.
func expiring(t *testing.T, cfg setup, c *clock, g paseto.Grant, serve func(context.Context, *wsauth.Conn) error) (*websocket.Conn, <-chan struct{}) {
	t.Helper()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
	ended := make(chan struct{})
	srv := listen(t, newGuard(t, auth, cfg).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		defer close(ended)
		if err := serve(ctx, conn); !errors.Is(err, paseto.ErrExpired) {
			t.Errorf("the handler was told %v, want ErrExpired", err)
		}
		if cause := context.Cause(ctx); !errors.Is(cause, paseto.ErrExpired) {
			t.Errorf("the context ended with %v, want ErrExpired", cause)
		}
	}))
	return connect(t, srv, bearer(access(t, auth, g))), ended
}

func readUntilError(_ context.Context, conn *wsauth.Conn) error {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return err
		}
	}
}

// TestExpiryOfSilentConnection comes when nothing else does.
func TestExpiryOfSilentConnection(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		serve func(context.Context, *wsauth.Conn) error
	}{
		{"handler reads", readUntilError},
		{"handler waits for its context", func(ctx context.Context, _ *wsauth.Conn) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}},
		{"handler waits for the connection's context", func(_ context.Context, conn *wsauth.Conn) error {
			<-conn.Context().Done()
			return context.Cause(conn.Context()) //nolint:contextcheck // the two contexts are what is compared
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ws, ended := expiring(t, setup{Config: wsauth.Config{}}, newClock(), aboutToExpire, test.serve)
			checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
			wait(t, ended, "the handler")
		})
	}
}

// TestExpiryIsToldToEveryClient whose handler returns as soon as its context
// ends while another of its goroutines reads, as programs do that have one
// goroutine for each direction.
func TestExpiryIsToldToEveryClient(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		go func() { _ = readUntilError(ctx, conn) }()
		<-ctx.Done()
	}))
	token := access(t, auth, aboutToExpire)
	var clients []*websocket.Conn
	for range 100 {
		clients = append(clients, connect(t, srv, bearer(token)))
	}
	for _, ws := range clients {
		checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
	}
}

// TestExpiryOfFloodedConnection sends messages all along. Those that are sent
// after the expiry do not reach the handler, whether or not a timer has fired.
func TestExpiryOfFloodedConnection(t *testing.T) {
	t.Parallel()
	const before, after = 200, 200
	c := newClock()
	received := 0
	ws, ended := expiring(t, setup{Config: wsauth.Config{}}, c, paseto.Grant{TTL: time.Hour}, func(_ context.Context, conn *wsauth.Conn) error {
		for {
			var n int
			if err := conn.ReadJSON(&n); err != nil {
				return err
			}
			if n != received {
				return fmt.Errorf("message %d came after %d", n, received)
			}
			received++
			if err := conn.WriteJSON(n); err != nil {
				return err
			}
		}
	})
	for n := range before {
		checkEcho(t, ws, fmt.Sprint(n))
	}
	c.Advance(time.Hour) // as on a machine that slept: no timer notices
	for n := range after {
		if err := ws.WriteJSON(before + n); err != nil {
			t.Fatal(err)
		}
	}
	checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
	wait(t, ended, "the handler")
	if received != before {
		t.Errorf("the handler received %d messages, want the %d before the expiry", received, before)
	}
}

// TestExpiryDuringFlood closes by the timer while the client neither pauses nor
// listens before it is told.
func TestExpiryDuringFlood(t *testing.T) {
	t.Parallel()
	ws, ended := expiring(t, setup{Config: wsauth.Config{}}, newClock(), aboutToExpire, readUntilError)
	var group sync.WaitGroup
	group.Go(func() { flood(ws) })
	checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
	wait(t, ended, "the handler")
	_ = ws.Close()
	group.Wait()
}

// TestExpiryNoticedByWrite has a handler that only writes, on a machine that
// slept.
func TestExpiryNoticedByWrite(t *testing.T) {
	t.Parallel()
	c := newClock()
	ws, ended := expiring(t, setup{Config: wsauth.Config{}}, c, paseto.Grant{TTL: time.Hour}, func(_ context.Context, conn *wsauth.Conn) error {
		if err := conn.WriteMessage(wsauth.TextMessage, []byte("in time")); err != nil {
			return err
		}
		c.Advance(time.Hour)
		return conn.WriteMessage(wsauth.TextMessage, []byte("too late"))
	})
	checkMessage(t, ws, "in time")
	if _, data, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("the client reads %q, %v; want the close", data, err)
	}
	wait(t, ended, "the handler")
}

// TestExpiryOfStalledConnection cuts a client that has stopped reading: the
// buffers are full, the handler is stuck in a write that may take minutes, and
// no close frame can be sent.
func TestExpiryOfStalledConnection(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{WriteTimeout: 10 * time.Minute, CloseTimeout: soon}}
	ws, ended := expiring(t, cfg, newClock(), aboutToExpire, func(_ context.Context, conn *wsauth.Conn) error {
		if tcp, ok := conn.Underlying().NetConn().(*net.TCPConn); ok {
			_ = tcp.SetWriteBuffer(4 << 10)
		}
		return conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 32<<20))
	})
	wait(t, ended, "the handler")
	checkCut(t, ws)
}

// TestExpiryIsNotAnswered cuts a client that ignores its close frame.
func TestExpiryIsNotAnswered(t *testing.T) {
	t.Parallel()
	ws, ended := expiring(t, setup{Config: wsauth.Config{CloseTimeout: soon}}, newClock(), aboutToExpire, readUntilError)
	checkCut(t, ws)
	wait(t, ended, "the handler")
}

// TestExpiryOfDeafHandler ends the connection under a handler that never looks
// at it again.
func TestExpiryOfDeafHandler(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	ws, ended := expiring(t, setup{Config: wsauth.Config{CloseTimeout: soon}}, newClock(), aboutToExpire, func(context.Context, *wsauth.Conn) error {
		<-release
		return paseto.ErrExpired
	})
	checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
	checkCut(t, ws)
	close(release)
	wait(t, ended, "the handler")
}

// TestLeeway lets connections live as long as their token would be let in.
func TestLeeway(t *testing.T) {
	t.Parallel()
	const leeway = time.Hour
	c := newClock()
	auth := newAuthorizer(t, paseto.Config{Leeway: leeway}, paseto.WithClock(c.Now))
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
	token := access(t, auth, aboutToExpire)

	c.Advance(leeway / 2)
	ws := connect(t, srv, bearer(token))
	checkEcho(t, ws, "after exp, within the leeway")
	c.Advance(leeway / 2) // 100 ms before the end
	checkEcho(t, ws, "still there")
	timed := connect(t, srv, bearer(token)) // ends by its timer
	checkClosed(t, timed, wsauth.ClosePolicyViolation, expired)
	c.Advance(100 * time.Millisecond)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("over")); err != nil {
		t.Fatal(err)
	}
	checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
	checkClosed(t, connect(t, srv, bearer(token)), wsauth.ClosePolicyViolation, expired)
}

// TestNoExpiry never ends a connection whose token, or lack of one, does not
// end either.
func TestNoExpiry(t *testing.T) {
	t.Parallel()
	c := newClock()
	auth := newAuthorizer(t, paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry}, paseto.WithClock(c.Now))
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{Optional: true}, echo))
	forever := paseto.Grant{TTL: paseto.NoExpiry}
	distant := paseto.Grant{ExpiresAt: start.AddDate(250, 0, 0)} // as far as a time.Duration reaches
	clients := map[string]*websocket.Conn{
		"no expiry":      connect(t, srv, bearer(access(t, auth, forever))),
		"distant expiry": connect(t, srv, bearer(access(t, auth, distant))),
		"anonymous":      connect(t, srv, none()),
	}
	c.Advance(200 * 365 * 24 * time.Hour)
	for name, ws := range clients {
		checkEcho(t, ws, name)
	}
}
