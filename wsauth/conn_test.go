package wsauth_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
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
	for _, test := range []struct {
		name string
		kind wsauth.MessageKind
		data []byte
	}{
		{"text", wsauth.TextMessage, []byte("grüß Gott")},
		{"binary", wsauth.BinaryMessage, []byte{0, 0xff, 1}},
		{"empty", wsauth.TextMessage, nil},
		{"as large as may be", wsauth.BinaryMessage, bytes.Repeat([]byte("x"), (64 << 10))},
	} {
		if err := ws.WriteMessage(int(test.kind), test.data); err != nil {
			t.Fatal(err)
		}
		kind, data, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if kind != int(test.kind) || !bytes.Equal(data, test.data) {
			t.Errorf("%s: came back as kind %d with %d bytes", test.name, kind, len(data))
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
		if err := ws.WriteMessage(websocket.TextMessage, []byte(test.in)); err != nil {
			t.Fatal(err)
		}
		checkMessage(t, ws, test.out)
	}
}

func TestUnderlying(t *testing.T) {
	t.Parallel()
	ws := admitted(t, setup{}, func(_ context.Context, conn *wsauth.Conn) {
		_ = conn.WriteMessage(wsauth.TextMessage, []byte(conn.Underlying().RemoteAddr().String()))
	})
	checkMessage(t, ws, ws.LocalAddr().String())
}

// TestConcurrentWriters has fifty goroutines write while the connection is
// closed under them: nothing panics, what was written without an error arrives,
// and the rest is told why it does not.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	const writers = 50
	type result struct {
		written int64
		cause   error
	}
	results := make(chan result, 1)
	ws := admitted(t, setup{}, func(ctx context.Context, conn *wsauth.Conn) {
		var group sync.WaitGroup
		var written atomic.Int64
		for range writers {
			group.Go(func() {
				for {
					err := conn.WriteMessage(wsauth.TextMessage, []byte("message"))
					if err != nil {
						if cause := context.Cause(ctx); !errors.Is(err, cause) {
							t.Errorf("error is %v, want the cause %v", err, cause)
						}
						return
					}
					if written.Add(1) == 10*writers {
						go conn.Close(4001, "enough")
					}
				}
			})
		}
		group.Wait()
		results <- result{written.Load(), context.Cause(ctx)}
	})
	var received int64
	for {
		_, data, err := ws.ReadMessage()
		if err != nil {
			if !websocket.IsCloseError(err, 4001) {
				t.Fatalf("the connection ended with %v", err)
			}
			break
		}
		if string(data) != "message" {
			t.Fatalf("message %q is garbled", data)
		}
		received++
	}
	got := wait(t, results, "the writers")
	if got.written != received {
		t.Errorf("%d messages were written without an error, and %d received", got.written, received)
	}
	if got.cause == nil {
		t.Error("the context has no cause")
	}
}

// TestStalledReader gives a connection up whose peer does not read what is
// written, after the write timeout.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	ws := admitted(t, setup{Config: wsauth.Config{WriteTimeout: soon}}, func(ctx context.Context, conn *wsauth.Conn) {
		err := conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 32<<20))
		if ctx.Err() == nil || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("the write failed with %v, and the context ended with %v", err, context.Cause(ctx))
		}
		ended <- err
	})
	err := wait(t, ended, "the write to time out")
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("error is %v, want a timeout", err)
	}
	checkCut(t, ws)
}

// TestMessageKinds: a kind that is none changes nothing, and text that is not
// UTF-8 closes with code 1007, whoever sends it.
func TestMessageKinds(t *testing.T) {
	t.Parallel()
	ws := admitted(t, setup{}, func(_ context.Context, conn *wsauth.Conn) {
		for _, kind := range []wsauth.MessageKind{0, websocket.CloseMessage, websocket.PingMessage, 99} {
			if err := conn.WriteMessage(kind, nil); err == nil || conn.Context().Err() != nil {
				t.Errorf("kind %d: error is %v, the context's %v", kind, err, conn.Context().Err())
			}
		}
		if err := conn.WriteMessage(wsauth.BinaryMessage, []byte{0xff}); err != nil {
			t.Error(err)
		}
		_, data, err := conn.ReadMessage()
		if err == nil {
			t.Errorf("text that is not UTF-8 is read: %q", data)
		}
	})
	if _, data, err := ws.ReadMessage(); err != nil || !bytes.Equal(data, []byte{0xff}) {
		t.Errorf("read %q, %v", data, err)
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	checkClosed(t, ws, wsauth.CloseInvalidPayload, "Text message is not UTF-8")
}

// TestNilHandler: a route without a handler lets nobody in.
func TestNilHandler(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{}, nil)
	srv := listen(t, guard.Require(paseto.Requirement{}, nil, nil))
	_, res := dial(t, srv, bearer(access(t, auth, paseto.Grant{})))
	if res.StatusCode != http.StatusInternalServerError {
		t.Errorf("answered with %s", res.Status)
	}
}
