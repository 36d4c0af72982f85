package wsauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// target is where a benchmark's clients connect to, and what they bring.
type target struct {
	srv *httptest.Server
	handshake
}

// open opens a WebSocket that the caller closes.
func (to target) open(b *testing.B) *websocket.Conn {
	b.Helper()
	ws, _, err := new(websocket.Dialer).DialContext(b.Context(), "ws"+strings.TrimPrefix(to.srv.URL, "http"), to.header)
	if err != nil {
		b.Fatal(err)
	}
	return ws
}

// plainly serves an echo over gorilla/websocket alone, for anyone.
func plainly(b *testing.B) target {
	b.Helper()
	upgrader := websocket.Upgrader{WriteBufferPool: new(sync.Pool)}
	return target{srv: listen(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			b.Error(err)
			return
		}
		defer ws.Close()
		for {
			kind, data, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, data) != nil {
				return
			}
		}
	}))}
}

// guarded serves an echo for the bearers of a token.
func guarded(b *testing.B, limits live.Config, opts ...any) target {
	b.Helper()
	auth := newAuthorizer(b, paseto.Config{})
	guard := newGuard(b, auth, setup{live: limits}, opts...)
	return target{
		srv:       listen(b, guard.Require(paseto.Requirement{}, echo)),
		handshake: bearer(access(b, auth, paseto.Grant{Subject: "alice"})),
	}
}

// unlimited asks for a token alone.
func unlimited(b *testing.B) target {
	b.Helper()
	return guarded(b, live.Config{})
}

// roomy is a limit that no benchmark reaches.
var roomy = live.Config{PerSubject: 1 << 20}

// limited counts in the guard.
func limited(b *testing.B) target {
	b.Helper()
	return guarded(b, roomy)
}

// leased counts in a Redis.
func leased(b *testing.B) target {
	b.Helper()
	store, err := redis.Open(b.Context(), redis.Config{Addresses: []string{redistest.Start(b).Addr()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	return guarded(b, roomy, live.WithLeases(store))
}

// BenchmarkAdmission opens a connection and closes it.
func BenchmarkAdmission(b *testing.B) {
	for _, bench := range []struct {
		name  string
		serve func(*testing.B) target
	}{{"gorilla", plainly}, {"guard", unlimited}, {"limited", limited}, {"leased", leased}} {
		b.Run(bench.name, func(b *testing.B) {
			to := bench.serve(b)
			b.ReportAllocs()
			for b.Loop() {
				_ = to.open(b).Close()
			}
		})
	}
}

// BenchmarkEcho sends a message and waits for its return.
func BenchmarkEcho(b *testing.B) {
	for _, bench := range []struct {
		name  string
		serve func(*testing.B) target
	}{{"gorilla", plainly}, {"guard", unlimited}} {
		b.Run(bench.name, func(b *testing.B) {
			ws := bench.serve(b).open(b)
			defer ws.Close()
			b.ReportAllocs()
			for b.Loop() {
				checkEcho(b, ws, message)
			}
		})
	}
}

// message is what benchmarks send.
const message = "a message of a length that messages of a chat have, more or less"

// BenchmarkRevocation revokes what a connection of many rests on, and waits until its
// client sees that it is closed.
func BenchmarkRevocation(b *testing.B) {
	auth := newAuthorizer(b, paseto.Config{})
	guard := newGuard(b, auth, setup{})
	srv := listen(b, guard.Require(paseto.Requirement{}, echo))
	crowd := target{srv, bearer(access(b, auth, paseto.Grant{Subject: "bob", Session: "bob's"}))}
	for range connections {
		ws := crowd.open(b)
		b.Cleanup(func() { ws.Close() })
	}
	for _, bench := range []struct {
		name   string
		revoke func(*paseto.Claims) error
	}{
		{"token", func(c *paseto.Claims) error { return auth.Revoke(b.Context(), c) }},
		{"session", func(c *paseto.Claims) error { return auth.RevokeSession(b.Context(), c.Session) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				pair, err := auth.IssuePair(paseto.Grant{Subject: "alice"})
				if err != nil {
					b.Fatal(err)
				}
				ws := target{srv, bearer(pair.Access.Token.Reveal())}.open(b)
				b.StartTimer()
				if err := bench.revoke(pair.Access.Claims); err != nil {
					b.Fatal(err)
				}
				if _, _, err := ws.ReadMessage(); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
					b.Fatal(err)
				}
				b.StopTimer()
				ws.Close()
				b.StartTimer()
			}
		})
	}
}

// connections is how many there are where one is not alone.
const connections = 1000

// BenchmarkBroadcast sends a message to 1,000 connections and waits until it is
// everywhere.
func BenchmarkBroadcast(b *testing.B) {
	auth := newAuthorizer(b, paseto.Config{})
	opened := make(chan struct{}, connections)
	guard := newGuard(b, auth, setup{})
	to := target{listen(b, guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		opened <- struct{}{}
		echo(ctx, conn)
	})), bearer(access(b, auth, paseto.Grant{Subject: "alice"}))}
	var received sync.WaitGroup
	for range connections {
		ws := to.open(b)
		b.Cleanup(func() { ws.Close() })
		<-opened
		go func() {
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
				received.Done()
			}
		}()
	}
	b.ReportAllocs()
	for b.Loop() {
		received.Add(connections)
		if n, err := guard.Broadcast(wsauth.TextMessage, []byte(message), nil); n != connections || err != nil {
			b.Fatalf("sent to %d connections, %v", n, err)
		}
		received.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/connections, "ns/connection")
}
