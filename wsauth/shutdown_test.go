package wsauth_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

const shuttingDown = "Server is shutting down"

// closable returns a patient Guard that the test shuts down itself, possibly in vain.
func closable(t testing.TB, auth *paseto.Authorizer, cfg setup, opts ...any) *wsauth.Guard {
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

// TestShutdownCuts those who have been told why and do not answer, and forestalls no close.
func TestShutdownCuts(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name   string
		send   handshake
		code   wsauth.CloseCode
		reason string
	}{
		{"refused", none(), wsauth.ClosePolicyViolation, paseto.ErrNoToken.Message()},
		{"open", bearer(access(t, auth, paseto.Grant{})), wsauth.CloseGoingAway, shuttingDown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard, busy := closable(t, auth, setup{}), make(chan struct{})
			ws := connect(t, listen(t, guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
				_ = conn.WriteMessage(wsauth.TextMessage, []byte("hello"))
				<-busy
			})), test.send)
			ws.SetCloseHandler(func(int, string) error { return nil }) // no answer
			if test.reason == shuttingDown {
				checkMessage(t, ws, "hello") // so the handler runs
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := shutdown(ctx, guard)
			checkClosed(t, ws, test.code, test.reason)
			cancel()
			if err := wait(t, done, "Shutdown"); !errors.Is(err, context.Canceled) {
				t.Errorf("Shutdown returns %v, want the context's error", err)
			}
			checkCut(t, ws)
			close(busy)
			if err := guard.Shutdown(t.Context()); err != nil {
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
