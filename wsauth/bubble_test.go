package wsauth_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// pipes is a listener whose connections are in memory, as a bubble of [synctest] needs
// them: its time passes when everything waits.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

// bubble is a guarded route in a bubble of [synctest], beside its denylist. Both go by
// the time of the bubble.
type bubble struct {
	*testing.T
	store *testdenylist.Store
	auth  *paseto.Authorizer
	guard *wsauth.Guard
	pipes *pipes
}

// newBubble opens a route for callers with a token and without. The test shuts the
// guard down.
func newBubble(t *testing.T, auth *paseto.Authorizer, store *testdenylist.Store, cfg setup, serve wsauth.Handler, opts ...any) bubble {
	t.Helper()
	guard := impatientGuard(t, auth, cfg, opts...)
	b := bubble{t, store, auth, guard, &pipes{conns: make(chan net.Conn), ended: make(chan struct{})}}
	srv := http.Server{Handler: b.guard.Require(paseto.Requirement{Optional: true}, serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = srv.Serve(b.pipes) }()
	t.Cleanup(func() { _ = srv.Close() })
	return b
}

// inBubble runs a test in a bubble, with a guard that lasts for as long.
func inBubble(t *testing.T, tokens paseto.Config, cfg setup, serve wsauth.Handler, test func(b bubble), opts ...any) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := testdenylist.New(t)
		auth := newAuthorizer(t, tokens, paseto.WithDenylist(store), paseto.WithClock(time.Now))
		b := newBubble(t, auth, store, cfg, serve, opts...)
		defer b.shutDown() // also if the test fails: else time would pass for ever
		test(b)
	})
}

func (b bubble) shutDown() {
	b.Helper()
	if err := b.guard.Shutdown(b.Context()); err != nil {
		b.Error(err)
	}
}

// member is a client in a bubble.
type member struct {
	*testing.T
	ws    *websocket.Conn
	ended <-chan error // how its connection did
}

// connect opens a connection, and reads until it ends.
func (b bubble) connect(h handshake) member {
	b.Helper()
	ws := b.dial(h)
	ended := make(chan error, 1)
	go func() { ended <- endOf(ws) }()
	return member{T: b.T, ws: ws, ended: ended}
}

// dial opens a connection.
func (b bubble) dial(h handshake) *websocket.Conn {
	b.Helper()
	ws, err := b.try(h)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ws.Close() })
	return ws
}

// try is dial on another goroutine than the test's. The caller closes the connection.
func (b bubble) try(h handshake) (*websocket.Conn, error) {
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		b.pipes.conns <- server
		return client, nil
	}}
	ws, _, err := dialer.DialContext(b.Context(), "ws://bubble/ws?"+h.query, h.header)
	return ws, err
}
