package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNode(t *testing.T) {
	t.Parallel()
	testtool.Need(t, "go")
	dir := t.TempDir()
	program, key := filepath.Join(dir, "cluster"), filepath.Join(dir, "paseto.key")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if err := os.WriteFile(key, []byte(strings.Repeat("707172737475767778797a7b7c7d7e7f", 2)), 0o600); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, program, key)
	t.Run("two and one Redis", func(t *testing.T) {
		redis := redistest.Start(t, "--appendonly", "yes")
		c := cluster{
			redis: redis,
			a:     start(t, program, "-key", key, "-redis", redis.Addr()),
			b:     start(t, program, "-key", key, "-redis", redis.Addr()),
		}
		t.Run("sockets of a user", c.sockets)
		t.Run("logout", c.logout)
		t.Run("logout everywhere", c.logoutEverywhere)
		t.Run("refresh", c.refresh)
		t.Run("ticket", c.ticket)
		t.Run("outage", c.outage)
	})
}

// cluster is two nodes that share a Redis.
type cluster struct {
	redis *redistest.Server
	a, b  node
}

// sockets: a user has three at most, at all nodes together.
func (c cluster) sockets(t *testing.T) {
	a, b := c.a, c.b
	here, there := a.login(t, "bob").AccessToken, b.login(t, "bob").AccessToken
	open := []*websocket.Conn{a.stay(t, here), b.stay(t, there), b.stay(t, here)}
	for _, n := range []node{a, b} {
		if got, err := n.hello(t, "/ws", here); !isTooMany(err) {
			t.Errorf("a socket too many: %q, %v", got, err)
		}
	}
	if got, err := a.hello(t, "/ws", a.login(t, "alice").AccessToken); err != nil {
		t.Errorf("a socket of another user: %q, %v", got, err)
	}
	open[2].Close()
	open[2] = a.stay(t, here)
	for _, conn := range open {
		if got, err := hello(conn); err != nil {
			t.Errorf("an open socket: %q, %v", got, err)
		}
		conn.Close()
	}
	testtool.Eventually(t, "no place is taken", func() bool { return c.redis.Command(t, "KEYS", "pasetokit:l:*") == "" })
}

// logout: a token of one node is taken by the other, until it is revoked at the
// first. That ends what it has opened.
func (c cluster) logout(t *testing.T) {
	a, b := c.a, c.b
	token := a.login(t, "alice").AccessToken
	if status, me := b.ask(t, "GET", "/me", token, nil); status != http.StatusOK || me.Subject != "alice" || "http://"+me.Node != b.url {
		t.Fatalf("the other node answers %d %+v", status, me)
	}
	if got, err := b.hello(t, "/ws", token); err != nil || got != strings.TrimPrefix(b.url, "http://")+" heard alice say hello" {
		t.Errorf("the other node says %q, %v", got, err)
	}
	other := b.stay(t, b.login(t, "alice").AccessToken)
	here, there := a.stay(t, token), b.stay(t, token)
	if status, _ := a.ask(t, "POST", "/logout", token, nil); status != http.StatusNoContent {
		t.Fatalf("the logout is answered with %d", status)
	}
	wantClosed(t, here, there)
	if got, err := hello(other); err != nil {
		t.Errorf("a socket of another login: %q, %v", got, err)
	}
	wantRevoked(t, a, token)
	wantRevoked(t, b, token)
}

// logoutEverywhere: one login of a user ends those at all nodes, and no one
// else's.
func (c cluster) logoutEverywhere(t *testing.T) {
	a, b := c.a, c.b
	here, there, bob := a.login(t, "alice"), b.login(t, "alice"), b.login(t, "bob")
	open := []*websocket.Conn{a.stay(t, here.AccessToken), b.stay(t, there.AccessToken)}
	if status, _ := a.ask(t, "POST", "/logout/everywhere", here.AccessToken, nil); status != http.StatusNoContent {
		t.Fatalf("the logout is answered with %d", status)
	}
	wantClosed(t, open...)
	for _, n := range []node{a, b} {
		wantRevoked(t, n, here.AccessToken)
		wantRevoked(t, n, there.AccessToken)
		if status, got := n.ask(t, "POST", "/refresh", there.RefreshToken, nil); status != http.StatusUnauthorized {
			t.Errorf("a refresh is answered with %d %s", status, got.Code)
		}
		if status, got := n.ask(t, "GET", "/me", bob.AccessToken, nil); status != http.StatusOK {
			t.Errorf("another user is answered with %d %s", status, got.Code)
		}
	}
}

// refresh: of any number of uses of a refresh token, at any node, all get the
// same pair.
func (c cluster) refresh(t *testing.T) {
	a, b := c.a, c.b
	token := b.login(t, "bob").RefreshToken
	ids := make([]string, 20)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			status, pair := []node{a, b}[i%2].ask(t, "POST", "/refresh", token, nil)
			if status != http.StatusOK {
				t.Errorf("a refresh is answered with %d %s", status, pair.Code)
				return
			}
			_, me := []node{b, a}[i%2].ask(t, "GET", "/me", pair.AccessToken, nil)
			ids[i] = me.Token
		})
	}
	group.Wait()
	if ids[0] == "" || slices.ContainsFunc(ids, func(id string) bool { return id != ids[0] }) {
		t.Errorf("the access tokens are %q, want one", ids)
	}
}

// ticket: a ticket of one node opens one socket, at whatever node.
func (c cluster) ticket(t *testing.T) {
	a, b := c.a, c.b
	token := a.login(t, "bob").AccessToken
	buy := func() string {
		status, bought := a.ask(t, "POST", "/ticket", token, map[string]string{"path": "/ws"})
		if status != http.StatusOK {
			t.Fatalf("the ticket is answered with %d %s", status, bought.Code)
		}
		return "/ws?ticket=" + url.QueryEscape(bought.Ticket)
	}
	// A ticket lives for half a minute, which may be too short for a slow machine: then
	// another one shows it.
	testtool.Eventually(t, "a ticket is used before it expires", func() bool {
		path := buy()
		got, err := b.hello(t, path, "")
		if isRefusal(err, expired) {
			return false
		}
		if err != nil || !strings.HasSuffix(got, "heard bob say hello") {
			t.Fatalf("the other node says %q, %v", got, err)
		}
		for _, n := range []node{a, b} {
			if got, err := n.hello(t, path, ""); !isRefusal(err, "Ticket has been used") && !isRefusal(err, expired) {
				t.Errorf("a second socket: %q, %v", got, err)
			}
		}
		return true
	})
	testtool.Eventually(t, "a ticket opens a socket before it expires", func() bool {
		path := buy()
		var admitted atomic.Int32
		var group sync.WaitGroup
		for i := range 10 {
			group.Go(func() {
				got, err := []node{a, b}[i%2].hello(t, path, "")
				switch {
				case err == nil:
					admitted.Add(1)
				case !isRefusal(err, "Ticket has been used") && !isRefusal(err, expired):
					t.Errorf("a socket at once: %q, %v", got, err)
				}
			})
		}
		group.Wait()
		if got := admitted.Load(); got > 1 {
			t.Errorf("one ticket opens %d sockets", got)
		}
		return admitted.Load() > 0
	})
}

const expired = "Token expired."

// outage: without Redis nothing is let in, and with it again nothing is
// forgotten.
func (c cluster) outage(t *testing.T) {
	a, b := c.a, c.b
	pair, revoked := a.login(t, "bob"), a.login(t, "bob").AccessToken
	if status, _ := b.ask(t, "POST", "/logout", revoked, nil); status != http.StatusNoContent {
		t.Fatalf("the logout is answered with %d", status)
	}
	answers := func(n node, method, path, token string, want int) {
		t.Helper()
		testtool.Eventually(t, fmt.Sprintf("%s %s answers %d", method, path, want), func() bool {
			status, _ := n.ask(t, method, path, token, nil)
			return status == want
		})
	}
	c.redis.Kill()
	for _, n := range []node{a, b} {
		answers(n, "GET", "/me", pair.AccessToken, http.StatusServiceUnavailable)
		if status, got := n.ask(t, "GET", "/me", revoked, nil); status != http.StatusUnauthorized && status != http.StatusServiceUnavailable {
			t.Errorf("a revoked token is answered with %d %s", status, got.Code)
		}
		answers(n, "POST", "/refresh", pair.RefreshToken, http.StatusServiceUnavailable)
		answers(n, "POST", "/logout", pair.AccessToken, http.StatusServiceUnavailable)
		if got, err := n.hello(t, "/ws", pair.AccessToken); !errors.Is(err, websocket.ErrBadHandshake) {
			t.Errorf("a socket opens all the same: %q, %v", got, err)
		}
	}
	c.redis.Restart()
	for _, n := range []node{a, b} {
		answers(n, "GET", "/me", pair.AccessToken, http.StatusOK)
		wantRevoked(t, n, revoked)
		if got, err := n.hello(t, "/ws", pair.AccessToken); err != nil {
			t.Errorf("no socket opens again: %q, %v", got, err)
		}
	}
	answers(b, "POST", "/logout", pair.AccessToken, http.StatusNoContent)
	wantRevoked(t, a, pair.AccessToken)
}

// wantRevoked waits until a node has heard that a token is revoked, which takes
// milliseconds, and expects it to say so at handshakes too.
func wantRevoked(t *testing.T, n node, token string) {
	t.Helper()
	testtool.Eventually(t, "a token is revoked", func() bool {
		status, got := n.ask(t, "GET", "/me", token, nil)
		return status == http.StatusUnauthorized && got.Code == "token_revoked"
	})
	if got, err := n.hello(t, "/ws", token); !isRefusal(err, "Token has been revoked") {
		t.Errorf("a socket with a revoked token: %q, %v", got, err)
	}
}

// refusesToStart: what keeps a node from starting is told with what to do.
func refusesToStart(t *testing.T, program, key string) {
	t.Helper()
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no key", []string{"-redis", "127.0.0.1:1"}, "keygen --out paseto.key"},
		{"no such key", []string{"-key", key + ".old", "-redis", "127.0.0.1:1"}, "paseto.key.old: no such file"},
		{"no Redis", []string{"-key", key}, "-redis 127.0.0.1:6379"},
		{"Redis away", []string{"-key", key, "-redis", "127.0.0.1:1"}, "connection refused"},
		{"no address of a Redis", []string{"-key", key, "-redis", "localhost"}, "expected host:port"},
		{"argument", []string{"now"}, `"now"; -help lists the flags`},
	} {
		t.Run("refuses to start/"+test.name, func(t *testing.T) {
			t.Parallel()
			cmd := testtool.Command(t, program, append([]string{"-addr", "127.0.0.1:0"}, test.args...)...)
			cmd.Env = environment()
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || stdout.Len() > 0 {
				t.Errorf("it ends with %v and says %q, want status 1 and nothing", err, stdout.String())
			}
			if said := stderr.String(); !strings.Contains(said, test.want) || strings.Contains(said, "goroutine") {
				t.Errorf("it says %q, want %q", said, test.want)
			}
		})
	}
}
