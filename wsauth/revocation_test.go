package wsauth_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// beenRevoked is what the client of a revoked token is told.
const beenRevoked = "Token has been revoked"

// relay is a denylist of which a test decides what it is asked and what it tells.
type relay struct {
	denylist.Store
	watch func(ctx context.Context, fn func(denylist.Event)) error // nil: the Store's

	mu   sync.Mutex
	look func(ctx context.Context, token denylist.Token) (bool, error) // nil: the Store's
}

func newRelay(t testing.TB, opts ...denylist.MemoryOption) *relay {
	t.Helper()
	store := denylist.NewMemory(opts...)
	t.Cleanup(func() { _ = store.Close() })
	return &relay{Store: store}
}

// onLook has look answer from now on, nil for the store itself.
func (r *relay) onLook(look func(ctx context.Context, token denylist.Token) (bool, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look = look
}

func (r *relay) Revoked(ctx context.Context, token denylist.Token) (bool, error) {
	r.mu.Lock()
	look := r.look
	r.mu.Unlock()
	if look == nil {
		look = r.Store.Revoked
	}
	return look(ctx, token)
}

func (r *relay) Watch(ctx context.Context, fn func(denylist.Event)) error {
	if r.watch == nil {
		return r.Store.Watch(ctx, fn)
	}
	return r.watch(ctx, fn)
}

// tells has the watch pass on only what chosen returns true for.
func (r *relay) tells(chosen func(denylist.Event) bool) {
	r.watch = func(ctx context.Context, fn func(denylist.Event)) error {
		return r.Store.Watch(ctx, func(e denylist.Event) {
			if chosen(e) {
				fn(e)
			}
		})
	}
}

// until waits for a condition.
func until(t testing.TB, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !met(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// issued is issue for a test that needs the claims as well.
func issued(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) paseto.Issued {
	t.Helper()
	token, err := auth.IssueAccess(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestRevocationClosesAtOnce what it is about, and nothing else.
func TestRevocationClosesAtOnce(t *testing.T) {
	t.Parallel()
	type held map[string]*paseto.Claims
	aliceBefore := []string{"phone", "phone, again", "tablet", "laptop"}
	for _, test := range []struct {
		name   string
		revoke func(ctx context.Context, auth *paseto.Authorizer, c held) error
		ends   []string
	}{
		{"token", func(ctx context.Context, auth *paseto.Authorizer, c held) error {
			return auth.Revoke(ctx, c["phone"])
		}, []string{"phone", "phone, again"}},
		{"token of no session", func(ctx context.Context, auth *paseto.Authorizer, c held) error {
			return auth.Revoke(ctx, c["laptop"])
		}, []string{"laptop"}},
		{"token of no subject", func(ctx context.Context, auth *paseto.Authorizer, c held) error {
			return auth.Revoke(ctx, c["machine"])
		}, []string{"machine"}},
		{"session", func(ctx context.Context, auth *paseto.Authorizer, c held) error {
			return auth.RevokeSession(ctx, c["phone"].Session)
		}, []string{"phone", "phone, again", "tablet"}},
		{"subject, now", func(ctx context.Context, auth *paseto.Authorizer, _ held) error {
			return auth.RevokeSubject(ctx, "alice", time.Time{})
		}, append([]string{"later"}, aliceBefore...)},
		{"subject, up to the second of issue", func(ctx context.Context, auth *paseto.Authorizer, _ held) error {
			return auth.RevokeSubject(ctx, "alice", start.Truncate(time.Second))
		}, aliceBefore},
		{"subject, up to the second before that of issue", func(ctx context.Context, auth *paseto.Authorizer, _ held) error {
			return auth.RevokeSubject(ctx, "alice", start.Add(-time.Second))
		}, nil},
		{"type that is not looked up", func(ctx context.Context, auth *paseto.Authorizer, c held) error {
			return auth.Revoke(ctx, c["invited"])
		}, nil},
		{"a token that nobody is here with", func(ctx context.Context, auth *paseto.Authorizer, _ held) error {
			return auth.Revoke(ctx, &paseto.Claims{ID: "unknown"})
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
			guard := newGuard(t, auth, setup{Config: wsauth.Config{}})
			causes := make(chan error, 10)
			greets := func(ctx context.Context, conn *wsauth.Conn) {
				greet(ctx, conn)
				causes <- context.Cause(ctx)
			}
			mux := http.NewServeMux()
			mux.Handle("/ws", guard.Require(paseto.Requirement{Optional: true}, greets))
			mux.Handle("/invited", guard.Require(paseto.Requirement{Type: "invite"}, greets))
			srv := listen(t, mux)

			claims, clients := held{}, map[string]*websocket.Conn{"anonymous": connect(t, srv, none())}
			checkMessage(t, clients["anonymous"], "hello")
			open := func(name string, token paseto.Issued, to handshake) {
				claims[name] = token.Claims
				clients[name] = connect(t, srv, bearer(token.Token.Reveal()).and(to))
				checkMessage(t, clients[name], "hello")
			}
			phone := issued(t, auth, paseto.Grant{Subject: "alice", Session: "s1"})
			open("phone", phone, none())
			open("phone, again", phone, none())
			open("tablet", issued(t, auth, paseto.Grant{Subject: "alice", Session: "s1"}), none())
			open("laptop", issued(t, auth, paseto.Grant{Subject: "alice"}), none())
			open("bob", issued(t, auth, paseto.Grant{Subject: "bob", Session: "s2"}), none())
			open("machine", issued(t, auth, paseto.Grant{}), none())
			invite, err := auth.Issue("invite", paseto.Grant{Subject: "alice", Session: "s1"})
			if err != nil {
				t.Fatal(err)
			}
			open("invited", invite, at("/invited"))
			c.Advance(2 * time.Second)
			open("later", issued(t, auth, paseto.Grant{Subject: "alice", Session: "s3"}), none())
			open("last", issued(t, auth, paseto.Grant{}), none())

			if err := test.revoke(t.Context(), auth, claims); err != nil {
				t.Fatal(err)
			}
			if err := auth.Revoke(t.Context(), claims["last"]); err != nil { // tells when the one before has been heard
				t.Fatal(err)
			}
			for _, name := range append([]string{"last"}, test.ends...) {
				checkClosed(t, clients[name], wsauth.ClosePolicyViolation, beenRevoked)
				delete(clients, name)
				if cause := wait(t, causes, "a handler"); !errors.Is(cause, paseto.ErrRevoked) {
					t.Errorf("%s: the context ended with %v, want ErrRevoked", name, cause)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(clients)) {
				checkEcho(t, clients[name], name+" is still here")
			}
		})
	}
}

// revocable opens a connection whose handler must be told that its token is revoked.
func revocable(t *testing.T, cfg setup, serve func(context.Context, *wsauth.Conn) error) (ws *websocket.Conn, revoke func(), ended <-chan struct{}) {
	t.Helper()
	auth := newAuthorizer(t, paseto.Config{})
	began, done := make(chan struct{}), make(chan struct{})
	srv := listen(t, newGuard(t, auth, cfg).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		defer close(done)
		close(began)
		if err := serve(ctx, conn); !errors.Is(err, paseto.ErrRevoked) {
			t.Errorf("the handler was told %v, want ErrRevoked", err)
		}
		if cause := context.Cause(ctx); !errors.Is(cause, paseto.ErrRevoked) {
			t.Errorf("the context ended with %v, want ErrRevoked", cause)
		}
	}))
	token := issued(t, auth, paseto.Grant{Subject: "alice"})
	ws = connect(t, srv, bearer(token.Token.Reveal()))
	wait(t, began, "the handler")
	return ws, func() {
		if err := auth.Revoke(t.Context(), token.Claims); err != nil {
			t.Error(err)
		}
	}, done
}

// TestRevocationOfEveryPeer comes to it whatever it and its handler are doing.
func TestRevocationOfEveryPeer(t *testing.T) {
	t.Parallel()
	writes := func(_ context.Context, conn *wsauth.Conn) error {
		for {
			if err := conn.WriteMessage(wsauth.TextMessage, []byte("news")); err != nil {
				return err
			}
		}
	}
	for _, test := range []struct {
		name  string
		serve func(context.Context, *wsauth.Conn) error
		flood bool
	}{
		{"silent", readUntilError, false},
		{"silent, handler waits for its context", func(ctx context.Context, _ *wsauth.Conn) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}, false},
		{"handler writes", writes, false},
		{"floods", readUntilError, true},
		{"floods, handler writes", writes, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ws, revoke, ended := revocable(t, setup{Config: wsauth.Config{}}, test.serve)
			var group sync.WaitGroup
			if test.flood {
				group.Go(func() { flood(ws) })
			}
			revoke()
			if err := endOf(ws); !isClose(err, wsauth.ClosePolicyViolation, beenRevoked) {
				t.Errorf("the connection ended with %v, want the close for the revocation", err)
			}
			wait(t, ended, "the handler")
			_ = ws.Close()
			group.Wait()
		})
	}
}

// TestRevocationOfDeafPeer cuts one that does not answer.
func TestRevocationOfDeafPeer(t *testing.T) {
	t.Parallel()
	ws, revoke, ended := revocable(t, setup{Config: wsauth.Config{CloseTimeout: soon}}, readUntilError)
	revoke()
	checkCut(t, ws)
	wait(t, ended, "the handler")
}

// TestRevocationOfStalledPeer cuts one that has stopped reading in the midst of a
// message: the buffers are full, and no close frame can be sent.
func TestRevocationOfStalledPeer(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{WriteTimeout: 10 * time.Minute, CloseTimeout: soon}}
	ws, revoke, ended := revocable(t, cfg, func(_ context.Context, conn *wsauth.Conn) error {
		return conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 32<<20))
	})
	if _, err := io.ReadFull(ws.NetConn(), make([]byte, 1<<10)); err != nil { // the write is under way
		t.Fatal(err)
	}
	revoke()
	wait(t, ended, "the handler")
	checkCut(t, ws)
}

// stall makes the buffers of a connection so small that a peer which does not read
// holds up its writer at once.
func stall(t testing.TB, conn *wsauth.Conn, ws *websocket.Conn) {
	t.Helper()
	server, ok1 := conn.Underlying().NetConn().(*net.TCPConn)
	client, ok2 := ws.NetConn().(*net.TCPConn)
	if !ok1 || !ok2 {
		t.Fatal("the connection is not TCP")
	}
	if err := errors.Join(server.SetWriteBuffer(4<<10), client.SetReadBuffer(4<<10)); err != nil {
		t.Fatal(err)
	}
}

// stage is a guarded route beside the denylist that it is guarded with.
type stage struct {
	store *relay
	auth  *paseto.Authorizer
	guard *wsauth.Guard
	srv   *httptest.Server
}

// newStage opens a route for callers with a token and without.
func newStage(t testing.TB, cfg setup, serve wsauth.Handler, opts ...any) stage {
	t.Helper()
	store := newRelay(t)
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store))
	guard := newGuard(t, auth, cfg, opts...)
	return stage{store, auth, guard, listen(t, guard.Require(paseto.Requirement{Optional: true}, serve))}
}
