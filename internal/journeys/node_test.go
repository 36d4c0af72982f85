package journeys_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// nodeVariable is set in the environment of a process that is a node: a server
// of which tests start several, to kill some. It says in JSON what node.
const nodeVariable = "PASETOKIT_TEST_NODE"

// nodeConfig is what a node is told.
type nodeConfig struct {
	Redis redis.Config
	User  string // of Redis, who needs no password
	Live  live.Config
}

// TestNode is the node, in a process that is one. In the test's own process it
// makes sure that a node does not outlive the test, even if that is killed: it
// ends with its standard input.
func TestNode(t *testing.T) {
	if told := os.Getenv(nodeVariable); told != "" {
		if err := serveNode(told); err != nil {
			t.Error(err)
		}
		return
	}
	t.Parallel()
	n := startNode(t, nodeConfig{Redis: redis.Config{Addresses: []string{redistest.Start(t).Addr()}}})
	alice := n.crowd(1, access(t, paseto.Grant{Subject: "alice"}))
	n.Stop()
	wantEnd(t, alice, wsauth.CloseGoingAway, live.ErrShutdown)
	if res, err := n.Client.Get(n.URL); err == nil {
		res.Body.Close()
		t.Error("the node still answers")
	}
}

// serveNode serves a node until the standard input ends.
func serveNode(told string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var cfg nodeConfig
	if err := json.Unmarshal([]byte(told), &cfg); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	cfg.Redis.Timeout = cmp.Or(cfg.Redis.Timeout, time.Minute)
	cfg.Redis.Credentials = redis.StaticCredentials(cfg.User, "")
	store, err := redis.Open(ctx, cfg.Redis, redis.WithLogger(log))
	for errors.Is(err, denylist.ErrUnavailable) && ctx.Err() == nil { // a slow machine, or the test ends the wait
		store, err = redis.Open(ctx, cfg.Redis, redis.WithLogger(log))
	}
	if err != nil {
		return err
	}
	auth, err := newNodeAuthorizer(paseto.WithDenylist(store))
	if err != nil {
		return err
	}
	keeper, err := live.New(auth, cfg.Live, live.WithLogger(log))
	if err != nil {
		return err
	}
	web, err := httpauth.New(auth, httpauth.Config{}, httpauth.WithKeeper(keeper))
	if err != nil {
		return err
	}
	guard, err := wsauth.New(web, wsauth.Config{
		CloseTimeout: testtool.Patience, WriteTimeout: testtool.Patience, PingInterval: wsauth.NoPing,
	}, wsauth.WithLogger(log))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: nodeRoutes(auth, guard)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println(listening + listener.Addr().String())

	<-ctx.Done()
	ctx, cancel = context.WithTimeout(context.Background(), testtool.Patience/2) // before the test gives up
	defer cancel()
	err = errors.Join(guard.Shutdown(ctx, server), store.Close())
	if stats := keeper.Stats(); stats.Open != 0 || stats.Places != 0 {
		err = errors.Join(err, fmt.Errorf("after the shutdown there are %+v", stats))
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// nodeRoutes are what a node serves: its connections, and an order to revoke.
func nodeRoutes(auth *paseto.Authorizer, guard *wsauth.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, testsite.Greet))
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		if err := revokeAsked(r, auth); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}

// revokeAsked revokes what the body of a request names.
func revokeAsked(r *http.Request, auth *paseto.Authorizer) error {
	var asked denylist.Revocation
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return err
	}
	switch {
	case asked.TokenID != "":
		return auth.Revoke(r.Context(), &paseto.Claims{ID: asked.TokenID})
	case asked.Session != "":
		return auth.RevokeSession(r.Context(), asked.Session)
	}
	return auth.RevokeSubject(r.Context(), asked.Subject, time.Time{})
}

// newNodeAuthorizer returns an Authorizer with the key that all nodes share with the
// tests.
func newNodeAuthorizer(opts ...paseto.Option) (*paseto.Authorizer, error) {
	k, err := paseto.ParseKeyFor(paseto.V4, paseto.Local, testsite.Key)
	if err != nil {
		return nil, err
	}
	return paseto.New(paseto.Config{Keys: []paseto.Key{k}}, opts...)
}

// listening is what a node says when it is ready, before its address.
const listening = "listening on http://"

// node is a node in another process.
type node struct {
	*testsite.Site
	t    *testing.T
	Stop func() // in order; done at the end of the test, if nothing was before
	kill func() // as a crash would
	said *testlog.Buffer
}

func startNode(t *testing.T, cfg nodeConfig) *node {
	t.Helper()
	told, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, said: new(testlog.Buffer)}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNode$")
	cmd.Env = append(os.Environ(), nodeVariable+"="+string(told))
	cmd.Stdout, cmd.Stderr = n.said, n.said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	var ended error
	go func() {
		defer close(gone)
		ended = cmd.Wait()
	}()
	var once sync.Once
	n.kill = func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			<-gone
		})
	}
	n.Stop = func() {
		once.Do(func() {
			_ = stdin.Close()
			kill := time.AfterFunc(testtool.Patience, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			<-gone
			if ended != nil {
				t.Errorf("the node ends with %v", ended)
			}
		})
	}
	t.Cleanup(func() {
		n.Stop()
		if said := n.said.String(); t.Failed() || strings.Contains(said, "panic") {
			t.Errorf("the node said at last:\n%s", said[max(0, len(said)-10_000):])
		}
	})
	testtool.Eventually(t, "the node is ready, or has ended", func() bool {
		return strings.Contains(n.said.String(), listening) || isClosed(gone)
	})
	_, line, _ := strings.Cut(n.said.String(), listening)
	at, _, ready := strings.Cut(line, "\n")
	if !ready {
		t.Fatal("the node has ended")
	}
	n.Site = testsite.Remote(t, "http://"+at)
	return n
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// revoke has the node revoke something. It asks again while Redis is too slow for the
// node.
func (n *node) revoke(what denylist.Revocation) {
	n.t.Helper()
	testtool.Eventually(n.t, "a revocation is confirmed", func() bool {
		res := n.Post(n.Client, "/revoke", "", what, nil)
		if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusServiceUnavailable {
			n.t.Fatalf("a revocation is answered with %s", res.Status)
		}
		return res.StatusCode == http.StatusOK
	})
}

// access returns an access token that all nodes take.
func access(t *testing.T, g paseto.Grant) paseto.Issued {
	t.Helper()
	auth, err := newNodeAuthorizer()
	if err != nil {
		t.Fatal(err)
	}
	issued, err := auth.IssueAccess(g)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}
