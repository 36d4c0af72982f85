package journeys_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// perSubject is how many connections a subject may have in these tests.
const perSubject = 5

// twoNodes starts nodes that count connections together.
func twoNodes(t *testing.T, limits live.Config) (server *redistest.Server, a, b *node) {
	t.Helper()
	server = redistest.Start(t)
	cfg := nodeConfig{Redis: redis.Config{Addresses: []string{server.Addr()}}, Live: limits}
	return server, startNode(t, cfg), startNode(t, cfg)
}

// leaseKeys are where Redis keeps leases, by subject.
const leaseKeys = "pasetokit:l:rights:"

// countLeases returns how many leases of a subject Redis knows.
func countLeases(t *testing.T, server *redistest.Server, subject string) int {
	t.Helper()
	return strings.Count("\n"+server.Command(t, "ZRANGE", leaseKeys+subject, "0", "-1"), "\nh")
}

// wantNoLeases expects that nothing of any lease is left in Redis.
func wantNoLeases(t *testing.T, server *redistest.Server) {
	t.Helper()
	if left := server.Command(t, "KEYS", leaseKeys+"*"); left != "" {
		t.Errorf("the nodes are gone, and have left %q", left)
	}
}

// wantFull expects that a subject has all the connections that it may have.
func wantFull(t *testing.T, token paseto.Issued, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		if in, err := n.join(token); err == nil {
			in.leave()
			t.Error("a connection too many is let in")
		} else if !testsite.IsClose(err, wsauth.CloseTryAgainLater, live.ErrTooMany) {
			t.Errorf("a connection too many is refused with %v", err)
		}
	}
}

// rush begins many handshakes at once, spread over nodes. It returns those that were
// let in, and expects the others to be closed for a cause.
func rush(t *testing.T, token paseto.Issued, code wsauth.CloseCode, cause paseto.Code, nodes ...*node) []*member {
	t.Helper()
	var (
		mu  sync.Mutex
		in  []*member
		all sync.WaitGroup
	)
	for i := range handshakes {
		all.Go(func() {
			m, err := nodes[i%len(nodes)].join(token)
			if err != nil {
				if !testsite.IsClose(err, code, cause) {
					t.Errorf("a handshake ends with %v", err)
				}
				return
			}
			t.Cleanup(m.leave)
			mu.Lock()
			defer mu.Unlock()
			in = append(in, m)
		})
	}
	all.Wait()
	return in
}

// handshakes is how many there are in a rush.
const handshakes = 40

// settle waits until a subject has no more connections than it may have, and expects
// those that had to go to be closed for a cause, and no more of them than had to. It
// returns those that are left.
func settle(t *testing.T, all []*member, code wsauth.CloseCode, cause paseto.Code) []*member {
	t.Helper()
	isOpen := func(m *member) bool { return !isClosed(m.ended) }
	var open, gone []*member
	testtool.Eventually(t, "connections go that are too many", func() bool {
		open = slices.DeleteFunc(slices.Clone(all), func(m *member) bool { return !isOpen(m) })
		return len(open) <= perSubject
	})
	gone = slices.DeleteFunc(slices.Clone(all), isOpen)
	wantEnd(t, gone, code, cause)
	if len(open) < perSubject {
		t.Fatalf("%d connections are left, want %d", len(open), perSubject)
	}
	wantOpen(t, open)
	return open
}

// TestCapOverNodes: a subject has no more connections than it may have on all nodes
// together. What a node had goes to the others when it is shut down.
func TestCapOverNodes(t *testing.T) {
	t.Parallel()
	server, a, b := twoNodes(t, live.Config{PerSubject: perSubject, LeaseTTL: never})
	token := access(t, paseto.Grant{Subject: "alice"})
	bob := a.crowd(1, access(t, paseto.Grant{Subject: "bob"}))
	for range 5 {
		in := rush(t, token, wsauth.CloseTryAgainLater, live.ErrTooMany, a, b)
		if len(in) != perSubject {
			t.Fatalf("of %d handshakes at once %d are let in, want %d", handshakes, len(in), perSubject)
		}
		wantFull(t, token, a, b)
		wantOpen(t, slices.Concat(in, bob))
		for _, m := range in {
			m.leave()
		}
		testtool.Eventually(t, "the places are given back", func() bool { return countLeases(t, server, "alice") == 0 })
	}

	atA, atB := a.crowd(3, token), b.crowd(2, token)
	wantFull(t, token, a, b)
	a.Stop()
	wantEnd(t, slices.Concat(atA, bob), wsauth.CloseGoingAway, live.ErrShutdown)
	atB = append(atB, b.crowd(3, token)...)
	wantFull(t, token, b)
	wantOpen(t, atB)
	b.Stop()
	wantNoLeases(t, server)
}

// TestCrashFreesPlaces: what a node had that was killed goes to the others after a
// while.
func TestCrashFreesPlaces(t *testing.T) {
	t.Parallel()
	server, a, b := twoNodes(t, live.Config{PerSubject: perSubject, LeaseTTL: time.Second})
	token := access(t, paseto.Grant{Subject: "alice"})
	lost, in := a.crowd(3, token), b.crowd(2, token)
	a.kill()
	for _, m := range lost {
		testtool.Await(t, m.ended, "the connections of the killed node are gone")
	}
	// A machine may be too slow for the other node to renew its own leases in time:
	// then too many come in for a moment, and one of them has to go.
	testtool.Eventually(t, "the other node has all places, and no more", func() bool {
		m, err := b.join(token)
		if err == nil {
			t.Cleanup(m.leave)
			in = append(in, m)
			return false
		}
		if !testsite.IsClose(err, wsauth.CloseTryAgainLater, live.ErrTooMany) {
			t.Fatalf("a handshake ends with %v", err)
		}
		in = slices.DeleteFunc(in, func(m *member) bool { return isClosed(m.ended) })
		return len(in) == perSubject
	})
	wantOpen(t, in)
	b.Stop()
	wantNoLeases(t, server)
}

// TestOldestIsReplaced: where the newest connection is let in, the oldest one makes
// room, at whatever node.
func TestOldestIsReplaced(t *testing.T) {
	t.Parallel()
	server, a, b := twoNodes(t, live.Config{PerSubject: perSubject, OnExcess: live.ReplaceOldest, LeaseTTL: never})
	token := access(t, paseto.Grant{Subject: "alice"})
	var in []*member
	for i := range 4 * perSubject {
		// Twice in a row at each, so that nodes make room for themselves and for
		// each other.
		in = append(in, []*node{a, b}[i/2%2].joins(token))
		if i >= perSubject {
			wantEnd(t, in[:1], wsauth.ClosePolicyViolation, live.ErrReplaced)
			in = in[1:]
		}
		wantOpen(t, in)
	}
	in = append(in, rush(t, token, wsauth.ClosePolicyViolation, live.ErrReplaced, a, b)...)
	settle(t, in, wsauth.ClosePolicyViolation, live.ErrReplaced)
	a.Stop()
	b.Stop()
	wantNoLeases(t, server)
}

// TestRedisForgets: when Redis comes back without its data, open connections stay
// open and their places come back; or go to those who came first. What happens from
// then on is known everywhere.
func TestRedisForgets(t *testing.T) {
	t.Parallel()
	server, a, b := twoNodes(t, live.Config{PerSubject: perSubject, LeaseTTL: never})
	token := access(t, paseto.Grant{Subject: "alice"})
	in := append(a.crowd(3, token), b.crowd(2, token)...)
	for range 3 {
		server.Restart()
		testtool.Eventually(t, "all places are taken again", func() bool { return countLeases(t, server, "alice") == perSubject })
		wantFull(t, token, a, b)
		wantOpen(t, in)
	}

	server.Restart()
	a.waitForService("newcomer")
	b.waitForService("newcomer")
	in = append(in, rush(t, token, wsauth.CloseTryAgainLater, live.ErrTooMany, a, b)...)
	in = settle(t, in, wsauth.CloseTryAgainLater, live.ErrTooMany)
	wantFull(t, token, a, b)

	b.revoke(revocations[0].of(token.Claims))
	wantEnd(t, in, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
	a.Stop()
	b.Stop()
	wantNoLeases(t, server)
}
