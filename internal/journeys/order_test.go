package journeys_test

import (
	"context"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// slowLeases holds up a call of Acquire, so that others overtake it.
type slowLeases struct {
	denylist.Leases
	armed   atomic.Bool   // the next call is to be held up
	came    chan struct{} // closed when it has come
	letGo   chan struct{} // closed when it may go on
	renewed chan struct{} // a message for every call of Renew after it came
}

// Acquire implements [denylist.Leases].
func (s *slowLeases) Acquire(ctx context.Context, a denylist.Acquisition) (bool, error) {
	if s.armed.CompareAndSwap(true, false) {
		close(s.came)
		<-s.letGo
	}
	return s.Leases.Acquire(ctx, a)
}

// Renew implements [denylist.Leases].
func (s *slowLeases) Renew(ctx context.Context, r denylist.Renewal) ([]denylist.Lease, error) {
	if isClosed(s.came) && !isClosed(s.letGo) {
		s.renewed <- struct{}{}
	}
	return s.Leases.Renew(ctx, r)
}

// openSlowly starts two nodes in this process, where the oldest connections of a
// subject make room. The second one may be held up.
func openSlowly(t *testing.T, limit int) (server *redistest.Server, fast, slow *node, held *slowLeases) {
	t.Helper()
	cfg := live.Config{PerSubject: limit, OnExcess: live.ReplaceOldest, LeaseTTL: never}
	server = redistest.Start(t)
	held = &slowLeases{came: make(chan struct{}), letGo: make(chan struct{}), renewed: make(chan struct{}, 100)}
	fast = openHere(t, server, cfg, own)
	slow = openHere(t, server, cfg, func(store denylist.Leases) denylist.Leases {
		held.Leases = store
		return held
	})
	return server, fast, slow, held
}

// own takes the leases of a node's own store.
func own(store denylist.Leases) denylist.Leases { return store }

// openHere starts a node in this process, with leases that are made of its store's.
func openHere(t *testing.T, server *redistest.Server, cfg live.Config, leases func(denylist.Leases) denylist.Leases) *node {
	t.Helper()
	store, err := redis.Open(t.Context(), redis.Config{Addresses: []string{server.Addr()}, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	auth, err := newNodeAuthorizer(paseto.WithDenylist(store))
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := live.New(auth, cfg, live.WithLeases(leases(store)))
	if err != nil {
		t.Fatal(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{}, httpauth.WithKeeper(keeper))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(nodeRoutes(auth, guard))
	t.Cleanup(listening.Close)
	n := &node{Site: testsite.Remote(t, listening.URL), t: t}
	n.Stop = func() {
		ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
		defer cancel()
		if err := guard.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	}
	t.Cleanup(n.Stop)
	return n
}

// joinSlowly begins a handshake whose lease is held up, and returns what lets it go
// and waits for it.
func (n *node) joinSlowly(held *slowLeases, token paseto.Issued) (finish func() *member) {
	n.t.Helper()
	held.armed.Store(true)
	joined := make(chan *member, 1)
	go func() {
		m, err := n.join(token)
		if err != nil {
			n.t.Errorf("a client is not let in: %v", err)
		}
		joined <- m
	}()
	letGo := sync.OnceFunc(func() { close(held.letGo) })
	n.t.Cleanup(letGo)
	testtool.Await(n.t, held.came, "a lease is asked for")
	return func() *member {
		n.t.Helper()
		letGo()
		m := testtool.Await(n.t, joined, "the client is let in")
		if m == nil {
			n.t.FailNow()
		}
		n.t.Cleanup(m.leave)
		return m
	}
}

// TestNewcomerReplacesOne: where two connections come at once, and get their leases
// in the other order, the next one takes the place of one of them, and not of both.
func TestNewcomerReplacesOne(t *testing.T) {
	t.Parallel()
	_, another, n, held := openSlowly(t, 2)
	token, other := access(t, paseto.Grant{Subject: "alice"}), access(t, paseto.Grant{Subject: "bob"})
	bob := n.crowd(1, other)
	finish := n.joinSlowly(held, token)
	in := []*member{n.joins(token), finish(), n.joins(token)}
	another.revoke(revocations[0].of(other.Claims)) // who has heard of that has heard who was replaced
	wantEnd(t, bob, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
	testtool.Eventually(t, "one of them makes room", func() bool { return isClosed(in[0].ended) || isClosed(in[1].ended) })

	n.Stop() // which closes those that were left open
	replaced := 0
	for _, m := range in {
		testtool.Await(t, m.ended, "all connections end")
		if testsite.IsClose(m.err, wsauth.ClosePolicyViolation, live.ErrReplaced) {
			replaced++
		}
	}
	if replaced != 1 {
		t.Errorf("one newcomer replaces %d connections, want 1", replaced)
	}
}

// TestNewcomerOutlivesRenewal: the leases of a node are renewed while a newcomer waits
// for its own. That is no reason to close it.
func TestNewcomerOutlivesRenewal(t *testing.T) {
	t.Parallel()
	server, fast, slow, held := openSlowly(t, 1)
	token := access(t, paseto.Grant{Subject: "alice"})
	slow.joins(access(t, paseto.Grant{Subject: "bob"})) // so that there is a lease to renew
	old := fast.crowd(1, token)
	finish := slow.joinSlowly(held, token)
	for range 2 { // whoever renews for the second time has acted on what the first time said
		// A node renews its leases when it may have missed something.
		server.Command(t, "CLIENT", "KILL", "TYPE", "PUBSUB")
		testtool.Await(t, held.renewed, "leases are renewed")
	}
	newcomer := finish()
	wantEnd(t, old, wsauth.ClosePolicyViolation, live.ErrReplaced)
	wantOpen(t, []*member{newcomer})
}

// TestClosingFreesPlace: a connection that is being closed does not count, however
// long its peer takes to answer.
func TestClosingFreesPlace(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	cfg := live.Config{PerSubject: 1, LeaseTTL: never}
	a, b := openHere(t, server, cfg, own), openHere(t, server, cfg, own)
	token := access(t, paseto.Grant{Subject: "alice"})
	silent, _ := a.Dial("/ws", testsite.Bearer(token.Token.Reveal()))
	testsite.WantGreeting(t, silent, "alice")
	a.revoke(denylist.Revocation{TokenID: token.Claims.ID})
	for _, n := range []*node{b, a} {
		n.waitForService("alice")
	}
}
