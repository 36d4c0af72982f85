package denylisttest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// peer returns a second store with the records of s.
func (h Harness) peer(t *testing.T, s denylist.Store) denylist.Store {
	t.Helper()
	other := h.Peer(t, s)
	closeAfter(t, other)
	return other
}

// testPeerRevoke revokes with one store and asks the other, which may have
// cached that nothing was revoked. The news may take a moment.
func testPeerRevoke(t *testing.T, h Harness, s denylist.Store) {
	other := h.peer(t, s)
	until := h.Now().Add(time.Hour)
	issuedAt := h.Now().Add(-time.Minute)
	for name, test := range map[string]struct {
		r     denylist.Revocation
		token denylist.Token
	}{
		"token":   {denylist.Revocation{TokenID: "t", Until: until}, denylist.Token{ID: "t", Session: "x", Subject: "x"}},
		"session": {denylist.Revocation{Session: "s", Until: until}, denylist.Token{ID: "x", Session: "s", Subject: "x"}},
		"subject": {
			denylist.Revocation{Subject: "u", IssuedBefore: h.Now(), Until: until},
			denylist.Token{ID: "x", Session: "x", Subject: "u", IssuedAt: issuedAt},
		},
	} {
		for range 2 { // the second answer may come from a cache
			wantRevoked(t, other, test.token, false)
		}
		revoke(t, s, test.r)
		testtool.Eventually(t, name+" revoked elsewhere is revoked here", func() bool { return revoked(t, other, test.token) })
		wantRevoked(t, s, test.token, true)
	}
}

func testPeerConsume(t *testing.T, h Harness, s denylist.Store) {
	stores := [2]denylist.Store{s, h.peer(t, s)}
	until := h.Now().Add(time.Hour)
	consume(t, stores[0], "k", "v", until, "v", true)
	consume(t, stores[1], "k", "w", until, "v", false)
	var firsts atomic.Int32
	together(callers, func(i int) {
		_, first, err := stores[i%2].Consume(t.Context(), "race", fmt.Sprint(i), until)
		if err != nil {
			t.Errorf("Consume: %v", err)
		}
		if first {
			firsts.Add(1)
		}
	})
	if n := firsts.Load(); n != 1 {
		t.Errorf("%d of %d callers of two stores were first, want 1", n, callers)
	}
}

// testPeerWatch: whoever is told of a record finds it when asking.
func testPeerWatch(t *testing.T, h Harness, s denylist.Store) {
	other := h.peer(t, s)
	w := watch(t, other)
	until := h.Now().Add(time.Hour).Truncate(time.Second)
	for i := range 50 {
		r := denylist.Revocation{TokenID: fmt.Sprint(i), Until: until}
		wantRevoked(t, other, denylist.Token{ID: r.TokenID}, false)
		revoke(t, s, r)
		if e := w.next(t); !same(e.Revocation, r) {
			t.Fatalf("the watch tells of %+v, want %+v", e, r)
		}
		wantRevoked(t, other, denylist.Token{ID: r.TokenID}, true)
	}
}

func testReopen(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	cutoff := h.Now().Add(-time.Minute)
	revoke(t, s, denylist.Revocation{TokenID: "t\x00\xff", Until: until})
	revoke(t, s, denylist.Revocation{Session: "s"})
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: cutoff, Until: until})
	revoke(t, s, denylist.Revocation{Subject: "v", IssuedBefore: cutoff, Except: "mine", Until: until})
	revoke(t, s, denylist.Revocation{TokenID: "soon", Until: h.Now().Add(time.Second)})
	consume(t, s, "k", "v\x00", until, "v\x00", true)
	consume(t, s, "empty", "", time.Time{}, "", true)
	advance(t, s, "a", "", "one", until, "one", true)
	advance(t, s, "a", "one", "two", until, "two", true)
	h.pass(2 * time.Second)

	again := h.Reopen(t, s)
	closeAfter(t, again)
	wantRevoked(t, again, denylist.Token{ID: "t\x00\xff"}, true)
	wantRevoked(t, again, denylist.Token{Session: "s"}, true)
	wantRevoked(t, again, denylist.Token{Subject: "u", IssuedAt: cutoff}, true)
	wantRevoked(t, again, denylist.Token{Subject: "u", IssuedAt: cutoff.Add(time.Minute)}, false)
	wantRevoked(t, again, denylist.Token{Subject: "v", Session: "other", IssuedAt: cutoff}, true)
	wantRevoked(t, again, denylist.Token{Subject: "v", Session: "mine", IssuedAt: cutoff}, false)
	h.eventually(t, "a record whose time has come is forgotten", func() bool { return !revoked(t, again, denylist.Token{ID: "soon"}) })
	consume(t, again, "k", "w", until, "v\x00", false)
	consume(t, again, "empty", "w", until, "", false)
	advance(t, again, "a", "one", "three", until, "two", false)
	advance(t, again, "a", "two", "three", until, "three", true)
}
