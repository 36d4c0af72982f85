package redis_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// gets returns how many GET commands the server has executed.
func gets(t *testing.T, server *redistest.Server) int {
	t.Helper()
	_, stats, _ := strings.Cut(server.Command(t, "INFO", "commandstats"), "cmdstat_get:calls=")
	number, _, _ := strings.Cut(stats, ",")
	n, _ := strconv.Atoi(number) // Without a GET there is none.
	return n
}

// TestCacheAsksOnce: what was asked before costs Redis nothing, whether it is
// revoked or not. Without a cache it is asked every time.
func TestCacheAsksOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		ttl         time.Duration
		first, then int
	}{
		{"cached", 0, 3, 0},
		{"not cached", redis.NoCache, 3, 300},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			store := openStore(t, redis.Config{Addresses: []string{server.Addr()}, CacheTTL: test.ttl})
			peer := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
			if err := peer.Revoke(t.Context(), denylist.Revocation{Session: "revoked", Until: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			for session, want := range map[string]bool{"valid": false, "revoked": true} {
				ask := func() {
					got, err := store.Revoked(t.Context(), denylist.Token{ID: "for " + session, Session: session, Subject: "of " + session})
					if got != want || err != nil {
						t.Fatalf("%s: Revoked = %t, %v", session, got, err)
					}
				}
				before := gets(t, server)
				ask()
				between := gets(t, server)
				for range 100 {
					ask()
				}
				if asked, again := between-before, gets(t, server)-between; asked != test.first || again != test.then {
					t.Errorf("%s: Redis was asked %d times, and %d times for the same again; want %d and %d",
						session, asked, again, test.first, test.then)
				}
			}
		})
	}
}

// TestCacheForgets: an answer is not given for longer than CacheTTL, even if no
// change was heard of.
func TestCacheForgets(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}, CacheTTL: 50 * time.Millisecond})
	wantRevoked(t, store, "a", false)
	asked := gets(t, server)
	testtool.Eventually(t, "Redis is asked again", func() bool {
		wantRevoked(t, store, "a", false)
		return gets(t, server) > asked
	})
}

// TestCachedRecordExpires: what is cached as revoked is not so for longer than
// the record lives, and while it lives it is; Redis is not asked again.
func TestCachedRecordExpires(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	cfg := redis.Config{Addresses: []string{server.Addr()}, CacheTTL: time.Hour}
	clock := testclock.New(time.Now())
	store, peer := openStore(t, cfg, redis.WithClock(clock.Now)), openStore(t, cfg)
	until := clock.Now().Add(time.Minute).Truncate(time.Second)
	if err := peer.Revoke(t.Context(), denylist.Revocation{TokenID: "a", Until: until}); err != nil {
		t.Fatal(err)
	}
	wantRevoked(t, store, "a", true)
	asked := gets(t, server)
	clock.Set(until.Add(-1))
	wantRevoked(t, store, "a", true)
	clock.Set(until)
	wantRevoked(t, store, "a", false)
	if again := gets(t, server) - asked; again > 0 {
		t.Errorf("Redis was asked %d times while the record was cached", again)
	}
}

// TestCacheHearsOfPeers makes a peer revoke what the store has cached as valid,
// without a watch.
func TestCacheHearsOfPeers(t *testing.T) {
	t.Parallel()
	cfg := redis.Config{Addresses: []string{redistest.Start(t).Addr()}, CacheTTL: time.Hour}
	store, peer := openStore(t, cfg), openStore(t, cfg)
	for i := range 200 {
		id := fmt.Sprint(i)
		wantRevoked(t, store, id, false)
		wantRevoked(t, store, id, false)
		revoke(t, peer, id)
		testtool.Eventually(t, "it is revoked here", func() bool {
			revoked, err := store.Revoked(t.Context(), denylist.Token{ID: id})
			return revoked && err == nil
		})
	}
}

// TestOthersContextEnds: callers that ask for the same key share the question,
// but not the end of the asker's context.
func TestOthersContextEnds(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	for round := range 5 {
		server.Pause()
		ctx, cancel := context.WithCancel(t.Context())
		var askers sync.WaitGroup
		for i := range 20 {
			own := ctx
			if i%2 == 1 {
				own = t.Context()
			}
			askers.Go(func() {
				if _, err := store.Revoked(own, denylist.Token{ID: fmt.Sprint(round)}); err != nil && own != ctx {
					t.Errorf("Revoked = %v, though only the context of others has ended", err)
				}
			})
		}
		time.AfterFunc(50*time.Millisecond, cancel) // when all have asked
		<-ctx.Done()
		server.Resume()
		askers.Wait()
	}
}

// TestExceptByAnotherClock excepts a session of a subject that the cache has as revoked,
// where the store's clock is far from that of the machine.
func TestExceptByAnotherClock(t *testing.T) {
	t.Parallel()
	cfg := redis.Config{Addresses: []string{redistest.Start(t).Addr()}, CacheTTL: time.Hour}
	clock := testclock.New(time.Now().Add(-24 * time.Hour))
	peer := openStore(t, cfg, redis.WithClock(clock.Now))
	all := make([]denylist.Revocation, 200)
	for i := range all {
		all[i] = denylist.Revocation{Subject: fmt.Sprint(i), IssuedBefore: clock.Now(), Until: clock.Now().Add(48 * time.Hour)}
		if err := peer.Revoke(t.Context(), all[i]); err != nil {
			t.Fatal(err)
		}
	}
	store := openStore(t, cfg, redis.WithClock(clock.Now)) // which has heard of none
	for _, r := range all {
		token := denylist.Token{Session: "new", Subject: r.Subject, IssuedAt: clock.Now()}
		if revoked, err := store.Revoked(t.Context(), token); !revoked || err != nil {
			t.Fatalf("before: revoked %v, error %v", revoked, err)
		}
		r.Except = token.Session
		if err := store.Revoke(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if revoked, err := store.Revoked(t.Context(), token); revoked || err != nil {
			t.Fatalf("the excepted session: revoked %v, error %v", revoked, err)
		}
	}
}
