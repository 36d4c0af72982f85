package wsauth_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// bubble is a guarded route in a bubble of [synctest], beside its denylist. Both go by
// the time of the bubble.
type bubble struct {
	*testing.T
	store *testdenylist.Store
	auth  *paseto.Authorizer
	guard *wsauth.Guard
	pipes *testsocket.Pipes
}

// inBubble runs a test in a bubble, with a route for callers with a token and without.
func inBubble(t *testing.T, tokens paseto.Config, cfg setup, serve wsauth.Handler, test func(b bubble), opts ...any) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := testdenylist.New(t)
		auth := newAuthorizer(t, tokens, paseto.WithDenylist(store), paseto.WithClock(time.Now))
		guard := impatientGuard(t, auth, cfg, opts...)
		b := bubble{t, store, auth, guard, testsocket.NewPipes()}
		defer b.shutDown() // also if the test fails: else time would pass for ever
		srv := http.Server{Handler: b.guard.Require(paseto.Requirement{Optional: true}, serve), ReadHeaderTimeout: time.Minute}
		go func() { _ = srv.Serve(b.pipes) }()
		t.Cleanup(func() { _ = srv.Close() })
		test(b)
	})
}

func (b bubble) shutDown() {
	b.Helper()
	if err := b.guard.Shutdown(b.Context()); err != nil {
		b.Error(err)
	}
}

// dial opens a connection.
func (b bubble) dial(h handshake) *websocket.Conn {
	b.Helper()
	dialer := websocket.Dialer{NetDialContext: b.pipes.Dial}
	ws, _, err := dialer.DialContext(b.Context(), "ws://bubble/ws?"+h.query, h.header)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ws.Close() })
	return ws
}

// call opens a connection in a bubble. Its client answers pings, or not.
func (b bubble) call(h handshake, answers bool) *testsocket.Peer {
	b.Helper()
	return testsocket.ListenTo(b.T, b.dial(h), answers)
}

// alice returns the handshake of a token that is valid for ttl.
func (b bubble) alice(ttl time.Duration) handshake {
	b.Helper()
	return bearer(access(b, b.auth, paseto.Grant{Subject: "alice", TTL: ttl}))
}

// only returns the server's end of the one connection that is open.
func (b bubble) only() *wsauth.Conn {
	b.Helper()
	synctest.Wait()
	for conn := range b.guard.Connections() {
		return conn
	}
	b.Fatal("no connection is open")
	return nil
}

// hearAnswer returns the next message, an answer to one with a token.
func hearAnswer(p *testsocket.Peer) (a answer) {
	p.Helper()
	if message := p.Next(); json.Unmarshal([]byte(message), &a) != nil || a.Type != "auth" {
		p.Errorf("the answer is %q", message)
	}
	return a
}

var (
	emptyPong = frame(pong, "")
	hello     = frame(text, "hello")
)

// The first bytes of a client's frames (RFC 6455, section 5.2).
const (
	final        = 0x80
	continuation = final
	text         = final | 0x1
	binaryKind   = final | 0x2
	ping         = final | 0x9
	pong         = final | 0xa
)
