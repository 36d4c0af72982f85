package wsauth_test

import (
	"context"
	"errors"
	"fmt"
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

// TestExpiryIsToldToEveryClient whose handler returns as soon as its context
// ends while another of its goroutines reads, as programs do that have one
// goroutine for each direction.
func TestExpiryIsToldToEveryClient(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
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
	ws, ended := expiring(t, setup{}, c, paseto.Grant{TTL: time.Hour}, func(_ context.Context, conn *wsauth.Conn) error {
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

// TestExpiryNoticedByWrite has a handler that only writes, on a machine that
// slept.
func TestExpiryNoticedByWrite(t *testing.T) {
	t.Parallel()
	c := newClock()
	ws, ended := expiring(t, setup{}, c, paseto.Grant{TTL: time.Hour}, func(_ context.Context, conn *wsauth.Conn) error {
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
