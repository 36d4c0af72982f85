package wsauth_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

const shuttingDown = "Server is shutting down"

// closable returns a Guard that the test shuts down itself, possibly in vain.
func closable(t *testing.T, auth *paseto.Authorizer, cfg setup, opts ...any) *wsauth.Guard {
	t.Helper()
	cfg.Config = patient(cfg.Config)
	return impatientGuard(t, auth, cfg, opts...)
}

// shutdown runs Shutdown in the background.
func shutdown(ctx context.Context, guard *wsauth.Guard) <-chan error {
	done := make(chan error, 1)
	go func() { done <- guard.Shutdown(ctx) }()
	return done
}

// TestShutdown tells every client and every handler, and has seen all handlers
// off when it returns.
func TestShutdown(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := closable(t, auth, setup{})
	var returned atomic.Int32
	srv := listen(t, guard.Require(paseto.Requirement{Optional: true}, func(ctx context.Context, conn *wsauth.Conn) {
		defer returned.Add(1)
		_ = conn.WriteMessage(wsauth.TextMessage, []byte("hello"))
		_, _, err := conn.ReadMessage()
		if err == nil || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("the read failed with %v, and the context ended with %v", err, context.Cause(ctx))
		}
	}))
	token := access(t, auth, paseto.Grant{})
	var clients []*websocket.Conn
	for _, send := range []handshake{bearer(token), bearer(token), none()} {
		ws := connect(t, srv, send)
		checkMessage(t, ws, "hello")
		clients = append(clients, ws)
	}
	done := shutdown(t.Context(), guard)
	for _, ws := range clients {
		checkClosed(t, ws, wsauth.CloseGoingAway, shuttingDown)
	}
	if err := wait(t, done, "Shutdown"); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
	if n := returned.Load(); n != 3 {
		t.Errorf("%d of 3 handlers have returned", n)
	}
	if err := guard.Shutdown(t.Context()); err != nil {
		t.Errorf("the second Shutdown returns %v", err)
	}
}

// TestShutdownDeadline cuts what is left when the context ends, so that a
// handler which hangs on a read comes free.
func TestShutdownDeadline(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	for _, test := range []struct {
		name   string
		send   handshake
		code   wsauth.CloseCode
		reason string
	}{
		{"handler reads", bearer(token), wsauth.CloseGoingAway, shuttingDown},
		{"refused", none(), wsauth.ClosePolicyViolation, paseto.ErrNoToken.Message()},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := closable(t, auth, setup{})
			srv := listen(t, guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
				if _, _, err := conn.ReadMessage(); err == nil {
					t.Error("the read succeeded")
				}
			}))
			ws := connect(t, srv, test.send)
			ws.SetCloseHandler(func(int, string) error { return nil }) // no answer
			ctx, cancel := context.WithCancel(t.Context())
			var done <-chan error
			if test.code == wsauth.CloseGoingAway {
				done = shutdown(ctx, guard)
				checkClosed(t, ws, test.code, test.reason)
			} else { // closed already, which the shutdown must not forestall
				checkClosed(t, ws, test.code, test.reason)
				done = shutdown(ctx, guard)
			}
			cancel()
			if err := wait(t, done, "Shutdown"); !errors.Is(err, context.Canceled) {
				t.Errorf("Shutdown returns %v, want the context's error", err)
			}
			checkCut(t, ws)
			if err := guard.Shutdown(t.Context()); err != nil { // waits for the handler, which is free now
				t.Errorf("the second Shutdown returns %v", err)
			}
		})
	}
}

// late is a ResponseWriter whose connection can be taken over only after a
// while.
type late struct {
	http.ResponseWriter
	reached chan<- struct{}
	release <-chan struct{}
}

func (l late) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	close(l.reached)
	<-l.release
	return http.NewResponseController(l.ResponseWriter).Hijack()
}

// TestShutdownDuringHandshake waits for a handshake that is under way, and refuses it.
func TestShutdownDuringHandshake(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := closable(t, auth, setup{})
	h := guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
		if _, _, err := conn.ReadMessage(); err == nil {
			t.Error("the read succeeded")
		}
	})
	first := connect(t, listen(t, h), bearer(access(t, auth, paseto.Grant{})))
	reached, release := make(chan struct{}), make(chan struct{})
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(late{w, reached, release}, r) }))
	answers := make(chan *http.Response, 1)
	token := access(t, auth, paseto.Grant{})
	go func() { _, resp := dial(t, srv, bearer(token)); answers <- resp }()
	wait(t, reached, "the handshake")
	done := shutdown(t.Context(), guard)
	checkClosed(t, first, wsauth.CloseGoingAway, shuttingDown) // so the shutdown has begun
	close(release)
	checkProblem(t, wait(t, answers, "the answer"), http.StatusServiceUnavailable, "shutting_down", shuttingDown)
	if err := wait(t, done, "Shutdown"); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
}
