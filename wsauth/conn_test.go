package wsauth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// admitted opens a connection that serve handles.
func admitted(t *testing.T, cfg setup, serve wsauth.Handler) *websocket.Conn {
	t.Helper()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, cfg).Require(paseto.Requirement{}, serve))
	return connect(t, srv, bearer(access(t, auth, paseto.Grant{Subject: "alice"})))
}

// held opens a connection with an echo, and returns both ends.
func held(t *testing.T, cfg setup) (*wsauth.Conn, *websocket.Conn) {
	t.Helper()
	conns := make(chan *wsauth.Conn, 1)
	ws := admitted(t, cfg, toldOf(conns))
	return wait(t, conns, "the connection"), ws
}

// checkCause checks why a connection has ended, as its handler is told.
func checkCause(t testing.TB, conn *wsauth.Conn, want error) {
	t.Helper()
	wait(t, conn.Context().Done(), "the end of the context")
	if cause := context.Cause(conn.Context()); !errors.Is(cause, want) {
		t.Errorf("the context ended with %v, want %v", cause, want)
	}
}

// TestHandlerContext has the values of the middleware and outlives the request. The claims
// in it are those of the connection, and never another's.
func TestHandlerContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{}, wsauth.WithConnContext(func(_ context.Context, r *http.Request) context.Context { return r.Context() }))
	outer, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "from the middleware"))
	outer = paseto.NewContext(outer, &paseto.Claims{Subject: "mallory"})
	h := guard.Require(paseto.Requirement{Optional: true}, func(ctx context.Context, conn *wsauth.Conn) {
		// The request's context ends with the request, which is over.
		if _, _, err := conn.ReadMessage(); err != nil || ctx.Err() != nil || conn.Context().Err() != nil {
			t.Errorf("the connection ended with the request: %v, %v", err, context.Cause(ctx))
		}
		_ = conn.WriteJSON([]any{who(paseto.FromContext(ctx)), who(conn.Claims()), ctx.Value(key{}), conn.Context().Value(key{})})
	})
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(outer)) }))
	alice, nobody := connect(t, srv, bearer(access(t, auth, paseto.Grant{Subject: "alice"}))), connect(t, srv, none())
	cancel()
	checkEchoOf(t, alice, "who?", `["alice","alice","from the middleware","from the middleware"]`)
	checkEchoOf(t, nobody, "who?", `["nobody","nobody","from the middleware","from the middleware"]`)
}

// TestJSON outlives messages that are not the expected JSON, in and out.
func TestJSON(t *testing.T) {
	t.Parallel()
	ws := admitted(t, setup{}, func(ctx context.Context, conn *wsauth.Conn) {
		for {
			var in struct{ N int }
			err := conn.ReadJSON(&in)
			if ctx.Err() != nil {
				return
			}
			if err := conn.WriteJSON(make(chan int)); err == nil {
				t.Error("a channel was encoded")
			}
			answer := map[string]int{"n": in.N + 1}
			if err != nil {
				answer = map[string]int{"n": -1}
			}
			if conn.WriteJSON(answer) != nil {
				return
			}
		}
	})
	for _, test := range []struct{ in, out string }{
		{`{"n":1}`, `{"n":2}`},
		{`{"n":"one"}`, `{"n":-1}`},
		{`not JSON`, `{"n":-1}`},
		{``, `{"n":-1}`},
		{`{"n":2}`, `{"n":3}`},
	} {
		checkEchoOf(t, ws, test.in, test.out)
	}
}

// TestConcurrentWriters has fifty goroutines write while the connection is closed under
// them: what was written without an error arrives, and nothing else.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	const writers = 50
	conn, ws := held(t, setup{})
	var group sync.WaitGroup
	var written atomic.Int64
	for range writers {
		group.Go(func() {
			for conn.WriteMessage(wsauth.TextMessage, []byte("message")) == nil {
				if written.Add(1) == 10*writers {
					go conn.Close(4001, "enough")
				}
			}
		})
	}
	received := int64(0)
	_, data, err := ws.ReadMessage()
	for ; err == nil; _, data, err = ws.ReadMessage() {
		if string(data) != "message" {
			t.Errorf("message %q is garbled", data)
		}
		received++
	}
	group.Wait()
	if n := written.Load(); !isClose(err, 4001, "enough") || n != received {
		t.Errorf("%d messages were written without an error, and %d received before %v", n, received, err)
	}
}

// TestStalledReader gives a connection up whose peer does not read what is
// written, after the write timeout.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	conn, ws := held(t, setup{Config: wsauth.Config{WriteTimeout: soon}})
	err := conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 32<<20))
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("error is %v, want a timeout", err)
	}
	checkCause(t, conn, err)
	checkCut(t, ws)
}

// TestNilHandler: a route without a handler lets nobody in.
func TestNilHandler(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{}, nil)
	srv := listen(t, guard.Require(paseto.Requirement{}, nil, nil))
	checkRefused(t, srv, bearer(access(t, auth, paseto.Grant{})), httpauth.ErrServer)
}
