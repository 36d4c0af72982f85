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

// withValue serves requests with the values of ctx, as a middleware would.
func withValue(ctx context.Context, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) })
}

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

func TestHandlerContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{},
		wsauth.WithConnContext(func(_ context.Context, r *http.Request) context.Context { return r.Context() }))
	outer, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "from the middleware"))
	srv := listen(t, withValue(outer, guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		// The request's context ends with the request, which is over.
		if _, _, err := conn.ReadMessage(); err != nil || ctx.Err() != nil || conn.Context().Err() != nil {
			t.Errorf("the connection ended with the request: %v, %v", err, context.Cause(ctx))
		}
		var own struct{ Room string }
		if err := conn.Claims().Decode(&own); err != nil {
			t.Error(err)
		}
		_ = conn.WriteJSON([]any{
			paseto.FromContext(ctx).Subject, conn.Claims().Subject, own.Room, ctx.Value(key{}), conn.Context().Value(key{}),
		})
	})))
	token := access(t, auth, paseto.Grant{Subject: "alice", Claims: map[string]string{"room": "blue"}})
	ws := connect(t, srv, bearer(token))
	cancel()
	if err := ws.WriteMessage(websocket.TextMessage, nil); err != nil {
		t.Fatal(err)
	}
	checkMessage(t, ws, `["alice","alice","blue","from the middleware","from the middleware"]`)
}

func TestMessages(t *testing.T) {
	t.Parallel()
	ws := admitted(t, setup{}, echo)
	for data, kind := range map[string]int{"grüß Gott": websocket.TextMessage, "\x00\xff\x01": websocket.BinaryMessage, "": websocket.TextMessage} {
		if err := ws.WriteMessage(kind, []byte(data)); err != nil {
			t.Fatal(err)
		}
		if gotKind, got, err := ws.ReadMessage(); err != nil || gotKind != kind || string(got) != data {
			t.Errorf("%q of kind %d comes back as %q of kind %d, %v", data, kind, got, gotKind, err)
		}
	}
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

func TestUnderlying(t *testing.T) {
	t.Parallel()
	conn, ws := held(t, setup{})
	if got, want := conn.Underlying().RemoteAddr().String(), ws.LocalAddr().String(); got != want {
		t.Errorf("the client's address is %s, want %s", got, want)
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

// TestManyConnections do not see each other's claims.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
		for {
			_, question, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(wsauth.TextMessage, append(question, conn.Claims().Subject...)) != nil {
				return
			}
		}
	}))
	var group sync.WaitGroup
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"} {
		ws := connect(t, srv, bearer(access(t, auth, paseto.Grant{Subject: name})))
		group.Go(func() {
			for range 20 {
				err := ws.WriteMessage(websocket.TextMessage, []byte("I am "))
				if _, got, rerr := ws.ReadMessage(); err != nil || rerr != nil || string(got) != "I am "+name {
					t.Errorf("the answer to %s is %s, %v, %v", name, got, err, rerr)
				}
			}
		})
	}
	group.Wait()
}

// TestNilHandler: a route without a handler lets nobody in.
func TestNilHandler(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{}, nil)
	srv := listen(t, guard.Require(paseto.Requirement{}, nil, nil))
	checkRefused(t, srv, bearer(access(t, auth, paseto.Grant{})), httpauth.ErrServer)
}
