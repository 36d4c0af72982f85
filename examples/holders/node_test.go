package holders

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// key is that of all nodes.
var key = paseto.NewLocalKey()

// node is one server of several that share a Redis. It serves every kind of holder, each with a handler that greets its
// client and then echoes.
type node struct {
	testing.TB

	clock  *testclock.Clock
	auth   *paseto.Authorizer
	keeper *live.Keeper
	http   *httptest.Server
	grpc   *grpc.ClientConn // to it
	resume chan struct{}    // once closed, deaf handlers look at their client again
	heard  chan error       // by deaf handlers: what their writes and reads return then
	left   chan error       // why the contexts of handlers ended

	posts sync.Map // what clients of events say, by what they call themselves

	mu     sync.Mutex
	events map[string][]string // by the kind of holder
}

// deaf is the subject whose handlers do not look at anything, once they have greeted their client.
const deaf = "deaf"

// startNode starts a node with the Redis at an address. The time that tokens are judged by stands still.
func startNode(t testing.TB, address string, cfg live.Config) *node {
	t.Helper()
	n := &node{
		TB: t, clock: testclock.New(time.Now()), resume: make(chan struct{}), heard: make(chan error, 100),
		left: make(chan error, 100), events: make(map[string][]string),
	}
	store := openStore(t, address)
	n.auth = must(paseto.New(paseto.Config{Keys: []paseto.Key{key}}, paseto.WithDenylist(store), paseto.WithClock(n.clock.Now)))(t)
	n.keeper = must(live.New(n.auth, cfg, live.WithObserver(n.observe)))(t)
	web := must(httpauth.New(n.auth, httpauth.Config{}, httpauth.WithKeeper(n.keeper)))(t)
	guard := must(wsauth.New(web, wsauth.Config{}))(t)
	mux := http.NewServeMux()
	mux.Handle("/events", web.Stream(paseto.Requirement{}, http.HandlerFunc(n.serveEvents)))
	mux.Handle("/socket", Sockets(guard, n.keeper, &live.Route{Name: "/socket"}, n.serveSocket))
	n.http = httptest.NewServer(mux)
	streams := grpc.NewServer(grpc.StreamInterceptor(Streams(n.keeper, &live.Route{Name: "/test/echo"})))
	streams.RegisterService(&grpc.ServiceDesc{ServiceName: "test", Streams: []grpc.StreamDesc{n.echo()}}, nil)
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	served := make(chan error, 1)
	go func() { served <- streams.Serve(listener) }()
	n.grpc = dialGRPC(t, listener.Addr().String())

	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
		defer cancel()
		if err := guard.Shutdown(ctx, n.http.Config); err != nil {
			t.Error(err)
		}
		n.http.Close()
		_ = n.grpc.Close()
		streams.Stop()
		if err := cmp.Or(<-served, store.Close()); err != nil {
			t.Error(err)
		}
		if stats := n.keeper.Stats(); stats.Places != 0 || stats.Opened != stats.Ended {
			t.Errorf("after the shutdown the keeper has %+v", stats)
		}
	})
	return n
}

// openStore opens the denylist. It asks again while Redis is too slow.
func openStore(t testing.TB, address string) (store *redis.Store) {
	t.Helper()
	testtool.Eventually(t, "Redis answers", func() bool {
		var err error
		store, err = redis.Open(t.Context(), redis.Config{Addresses: []string{address}, Timeout: 3 * time.Second})
		if err != nil && !errors.Is(err, denylist.ErrUnavailable) {
			t.Fatal(err)
		}
		return err == nil
	})
	return store
}

// observe notes what an observer hears of each kind of holder.
func (n *node) observe(e live.Event) {
	if e.Right == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	what := string(e.Kind)
	if code, ok := errors.AsType[paseto.Code](e.Err); ok {
		what += " " + string(code)
	}
	name := e.Right.Route().Name
	n.events[name] = append(n.events[name], what)
}

// waitFor returns when exactly these events of a kind of holder have been observed.
func (n *node) waitFor(kind string, want ...string) {
	n.Helper()
	var got string
	testtool.Eventually(n, kind+": the events are "+strings.Join(want, ", "), func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		got = strings.Join(n.events[kind], ", ")
		return len(n.events[kind]) >= len(want)
	})
	if got != strings.Join(want, ", ") {
		n.Errorf("%s: the events are %s; want %s", kind, got, strings.Join(want, ", "))
	}
}

// serve is the handler of every kind: it has a context, and ways to send and to receive a message.
func (n *node) serve(ctx context.Context, send func(string) error, receive func() (string, error)) {
	context.AfterFunc(ctx, func() {
		select {
		case n.left <- context.Cause(ctx):
		default: // nobody asks
		}
	})
	subject := paseto.FromContext(ctx).Subject
	err := send("hello " + subject)
	if subject == deaf {
		<-n.resume
		_, err = receive()
		n.heard <- err
		n.heard <- send("still here")
	}
	for err == nil {
		var text string
		if text, err = receive(); err == nil {
			err = send(text)
		}
	}
}

// issue returns an access token.
func (n *node) issue(g paseto.Grant) string {
	n.Helper()
	issued, err := n.auth.IssueAccess(g)
	if err != nil {
		n.Fatal(err)
	}
	return issued.Token.Reveal()
}

// must returns a function that returns v, or ends the test if there is an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
