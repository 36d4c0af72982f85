package holders

// What a token keeps open ends with its right, whatever holds it: all kinds in one table, on nodes that share a real Redis.

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// alice logs in on a device of its own each time.
func alice(session string) paseto.Grant { return paseto.Grant{Subject: "alice", Session: session} }

// wantLeft expects that the contexts of as many handlers as there are kinds have ended for a cause.
func (n *node) wantLeft(cause paseto.Code) {
	n.Helper()
	for range kinds {
		if err := testtool.Await(n, n.left, "a handler returns"); !errors.Is(err, cause) {
			n.Errorf("the context of a handler ended with %v, want %s", err, cause)
		}
	}
}

// TestExpiry opens everything with tokens of two seconds.
func TestExpiry(t *testing.T) {
	t.Parallel()
	n := startNode(t, redistest.Start(t).Addr(), live.Config{})
	short := alice("phone")
	short.TTL = 2 * time.Second
	clients := make([]*client, len(kinds))
	for i, k := range kinds {
		clients[i] = k.join(t.Context(), n, n.issue(short))
		t.Cleanup(clients[i].leave)
	}
	for i, k := range kinds {
		k.wantEnd(t, clients[i], paseto.ErrExpired)
		n.waitFor(k.name, "opened", "ended token_expired")
	}
	n.wantLeft(paseto.ErrExpired)
}

// TestClockJump: what is sent after the expiry gets nowhere, even before anybody has noticed that a clock was set, or that
// the machine has slept.
func TestClockJump(t *testing.T) {
	t.Parallel()
	n := startNode(t, redistest.Start(t).Addr(), live.Config{})
	for _, k := range kinds {
		c := k.joins(t, n, alice("phone"))
		n.clock.Advance(time.Hour)
		_ = c.say("late") // it may have ended already
		k.wantEnd(t, c, paseto.ErrExpired)
		select {
		case said := <-c.said:
			t.Errorf("%s: the handler says %q after the expiry", k.name, said)
		default:
		}
	}
	n.wantLeft(paseto.ErrExpired)
}

// TestRevocationElsewhere revokes a session at one node, and looks at what it and another one have open.
func TestRevocationElsewhere(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t).Addr()
	a, b := startNode(t, redis, live.Config{}), startNode(t, redis, live.Config{})
	var revoked, spared []*client
	for _, k := range kinds {
		revoked, spared = append(revoked, k.joins(t, b, alice("stolen phone"))), append(spared, k.joins(t, b, alice("phone")))
	}
	if err := a.auth.RevokeSession(t.Context(), "stolen phone"); err != nil {
		t.Fatal(err)
	}
	for i, k := range kinds {
		k.wantEnd(t, revoked[i], paseto.ErrRevoked)
		b.waitFor(k.name, "opened", "opened", "ended token_revoked")
		k.wantOpen(t, spared[i])
	}
	b.wantLeft(paseto.ErrRevoked)
}

// TestOutage cuts a node off from Redis: nobody knows any more what is revoked.
func TestOutage(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.Start(t).Addr())
	n := startNode(t, proxy.Addr(), live.Config{MaxUnchecked: time.Second})
	var clients []*client
	for _, k := range kinds {
		clients = append(clients, k.joins(t, n, alice("phone")))
	}
	proxy.Cut()
	for i, k := range kinds {
		k.wantEnd(t, clients[i], paseto.ErrUnavailable)
		n.waitFor(k.name, "opened", "ended denylist_unavailable")
		k.wantRefused(t, n, alice("tablet"), paseto.ErrUnavailable)
	}
	n.wantLeft(paseto.ErrUnavailable)
}

// TestPerSubject counts what a subject has open at two nodes, of all kinds together.
func TestPerSubject(t *testing.T) {
	t.Parallel()
	for _, excess := range []live.Excess{live.RejectNewest, live.ReplaceOldest} {
		t.Run(string(excess), func(t *testing.T) {
			t.Parallel()
			redis := redistest.Start(t).Addr()
			cfg := live.Config{PerSubject: len(kinds), OnExcess: excess}
			nodes := []*node{startNode(t, redis, cfg), startNode(t, redis, cfg)}
			var clients []*client // the oldest first
			for i, k := range kinds {
				clients = append(clients, k.joins(t, nodes[i%2], alice("phone")))
			}
			bob := kinds[0].joins(t, nodes[0], paseto.Grant{Subject: "bob"})
			for i, k := range append(kinds, kinds...) {
				if excess == live.RejectNewest {
					k.wantRefused(t, nodes[i/len(kinds)], alice("tablet"), live.ErrTooMany)
					continue
				}
				clients = append(clients, k.joins(t, nodes[(i+1)%2], alice("tablet")))
				oldest := clients[0]
				clients = clients[1:]
				k.wantEnd(t, oldest, live.ErrReplaced)
				for j, c := range clients {
					kinds[(i+1+j)%len(kinds)].wantOpen(t, c)
				}
			}
			kinds[0].wantOpen(t, bob)
			clients[0].leave() // the events
			testtool.Eventually(t, "another kind takes the place that was left", func() bool {
				c := kinds[1].join(t.Context(), nodes[0], nodes[0].issue(alice("laptop")))
				t.Cleanup(c.leave)
				select {
				case <-c.said:
					return true
				case <-c.ended:
					return false
				}
			})
		})
	}
}

// TestHandlerThatDoesNotLook ends what a handler holds that looks neither at its context nor at its client.
func TestHandlerThatDoesNotLook(t *testing.T) {
	t.Parallel()
	n := startNode(t, redistest.Start(t).Addr(), live.Config{})
	defer close(n.resume) // or else the shutdown would wait for them
	var clients []*client
	for _, k := range kinds {
		clients = append(clients, k.joins(t, n, paseto.Grant{Subject: deaf}))
	}
	if err := n.auth.RevokeSubject(t.Context(), deaf, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for i, k := range kinds {
		k.wantEnd(t, clients[i], paseto.ErrRevoked)
	}
	if stats := n.keeper.Stats(); stats.Open != 0 || stats.Places != len(kinds) {
		t.Errorf("the keeper has %+v; want a place for each handler that runs, and nothing open", stats)
	}
	for range kinds {
		n.resume <- struct{}{}
		for _, what := range []string{"read", "write"} {
			if err := testtool.Await(t, n.heard, "a handler goes on"); err == nil {
				t.Errorf("a %s works after the end", what)
			}
		}
	}
}

// TestPeerThatDoesNotClose ends a socket whose client goes on sending, and does not answer the close.
func TestPeerThatDoesNotClose(t *testing.T) {
	t.Parallel()
	n := startNode(t, redistest.Start(t).Addr(), live.Config{})
	conn, _, err := websocket.Dial(t.Context(), n.http.URL+"/socket", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + n.issue(alice("phone"))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, _, err := conn.Read(t.Context()); err != nil { // the greeting; and no more is read
		t.Fatal(err)
	}
	if err := n.auth.RevokeSession(t.Context(), "phone"); err != nil {
		t.Fatal(err)
	}
	testtool.Eventually(t, "the right has ended", func() bool { return n.keeper.Stats().Open == 0 })
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("me again")); err != nil {
		t.Errorf("the connection is cut before the peer can answer: %v", err)
	}
	n.waitFor("/socket", "opened", "ended token_revoked")
}
