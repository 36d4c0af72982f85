package redis_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

const (
	// long is a ttl that no test outlives, and short one that every test may.
	long  = time.Hour
	short = 20 * time.Millisecond
)

func lease(key, holder string) denylist.Lease { return denylist.Lease{Key: key, Holder: holder} }

func acquire(t testing.TB, s denylist.Leases, l denylist.Lease, limit int, ttl time.Duration, displace bool) bool {
	t.Helper()
	acquired, err := s.Acquire(t.Context(), denylist.Acquisition{Lease: l, Limit: limit, TTL: ttl, Displace: displace})
	if err != nil {
		t.Fatalf("Acquire(%q): %v", l, err)
	}
	return acquired
}

func wantAcquired(t testing.TB, s denylist.Leases, l denylist.Lease, limit int, want bool) {
	t.Helper()
	if got := acquire(t, s, l, limit, long, false); got != want {
		t.Errorf("Acquire(%q) = %t with a limit of %d, want %t", l, got, limit, want)
	}
}

// wantLost renews leases for long, and checks which of them are lost.
func wantLost(t testing.TB, s denylist.Leases, leases []denylist.Lease, limit int, want ...denylist.Lease) {
	t.Helper()
	lost, err := s.Renew(t.Context(), denylist.Renewal{Leases: leases, Limit: limit, TTL: long})
	if err != nil {
		t.Fatalf("Renew: %v", err)
	}
	byName := func(a, b denylist.Lease) int { return strings.Compare(a.Key+" "+a.Holder, b.Key+" "+b.Holder) }
	slices.SortFunc(lost, byName)
	slices.SortFunc(want, byName)
	if !slices.Equal(lost, want) {
		t.Errorf("Renew: %q are lost, want %q", lost, want)
	}
}

func release(t testing.TB, s denylist.Leases, leases ...denylist.Lease) {
	t.Helper()
	if err := s.Release(t.Context(), leases...); err != nil {
		t.Fatalf("Release: %v", err)
	}
}

// gone waits for a lease to end by itself.
func gone(t testing.TB, server *redistest.Server, l denylist.Lease) {
	t.Helper()
	testtool.Eventually(t, "the lease ends by itself", func() bool {
		expiry := server.Command(t, "ZSCORE", "pasetokit:l:"+l.Key, "h"+l.Holder)
		at, err := strconv.ParseInt(expiry, 10, 64)
		return expiry == "" || err == nil && at <= time.Now().UnixMilli() // which is the server's clock too
	})
}

// TestLeaseLimit: of many that want a place at the same time, through two
// stores, as many get one as there are.
func TestLeaseLimit(t *testing.T) {
	t.Parallel()
	cfg := redis.Config{Addresses: []string{redistest.Start(t).Addr()}}
	stores := []*redis.Store{openStore(t, cfg), openStore(t, cfg)}
	for _, limit := range []int{1, 7, 100} {
		key := fmt.Sprint("limit of ", limit)
		var acquired atomic.Int64
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				ok, err := stores[i%2].Acquire(t.Context(), denylist.Acquisition{Lease: lease(key, fmt.Sprint(i)), Limit: limit, TTL: long})
				if err != nil {
					t.Errorf("Acquire: %v", err)
				}
				if ok {
					acquired.Add(1)
				}
			})
		}
		all.Wait()
		if got := acquired.Load(); got != int64(limit) {
			t.Errorf("%d of 100 got a place, want %d", got, limit)
		}
		for _, s := range stores {
			wantAcquired(t, s, lease(key, "late"), limit, false)
			wantAcquired(t, s, lease(key, "late"), limit+1, true)
			release(t, s, lease(key, "late"))
		}
	}
}

// TestLeaseDisplaced: those go who came first, whenever they were renewed, and
// every watch is told, whatever their names.
func TestLeaseDisplaced(t *testing.T) {
	t.Parallel()
	cfg := redis.Config{Addresses: []string{redistest.Start(t).Addr()}}
	here, there := openStore(t, cfg), openStore(t, cfg)
	watches := []<-chan denylist.Event{startWatch(t, here), startWatch(t, there)}
	longest := strings.Repeat("x", denylist.MaxID)
	for _, key := range []string{"alice", "two words", "3 4 ", "  ", "a\nb\r\n", "\x00\xff", "l 1 l", "%s'\"", longest} {
		holders := []string{"first", "a b \r\n\x00\xff", "12 34", " ", key}
		for _, holder := range holders {
			wantAcquired(t, here, lease(key, holder), len(holders), true)
		}
		wantAcquired(t, there, lease(key, holders[0]), len(holders), true) // renewed
		wantLost(t, there, []denylist.Lease{lease(key, holders[1]), lease(key, holders[0])}, len(holders))

		displacing := func(holder string, limit int, want ...string) {
			t.Helper()
			if !acquire(t, there, lease(key, holder), limit, long, true) {
				t.Fatalf("%.9q got no place by displacing others", holder)
			}
			for _, events := range watches {
				for _, other := range want {
					if e := next(t, events); e != (denylist.Event{Kind: denylist.EventDisplaced, Lease: lease(key, other)}) {
						t.Fatalf("the watch tells of %q %.99q, want that %.9q was displaced", e.Kind, e.Lease, other)
					}
				}
			}
		}
		displacing("next", len(holders), holders[0])
		displacing("next", len(holders)) // it has its place
		displacing("one more", len(holders)+1)
		displacing("last", 2, holders[1], holders[2], holders[3], holders[4], "next")
		wantLost(t, here, []denylist.Lease{lease(key, "one more"), lease(key, "last"), lease(key, "next")}, 2, lease(key, "next"))
	}
	revoke(t, here, "a")
	for _, events := range watches {
		if e := next(t, events); e.Kind != denylist.EventRevoked || e.Revocation.TokenID != "a" {
			t.Errorf("the watch tells of %+v, want the revocation", e)
		}
	}
}

// TestLeaseEnds: a lease that nobody renews ends by itself, and nothing stays
// behind. One that is renewed goes on.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	keeps, ends := lease("k", "keeps"), lease("k", "ends")
	for _, l := range []denylist.Lease{keeps, ends} {
		acquire(t, store, l, 2, short, true)
	}
	acquire(t, store, lease("nobody's", "killed"), 1, time.Millisecond+1, false)
	wantLost(t, store, []denylist.Lease{keeps}, 2)
	testtool.Eventually(t, "a place becomes free", func() bool { return acquire(t, store, lease("k", "new"), 2, long, false) })
	wantAcquired(t, store, lease("k", "newer"), 2, false)
	testtool.Eventually(t, "the key of a lease that has ended goes", func() bool {
		return server.Command(t, "KEYS", "pasetokit:l:*") == "pasetokit:l:k"
	})
	left, err := strconv.Atoi(server.Command(t, "PTTL", "pasetokit:l:k"))
	if err != nil || time.Duration(left)*time.Millisecond > long {
		t.Errorf("the key of leases stays for %d ms, %v; want no more than their ttl", left, err)
	}
}

// TestLeaseComesBack: what has ended by itself comes back if there is room, as
// the last one to have come.
func TestLeaseComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	late, other := lease("k", "late"), lease("k", "other")
	acquire(t, store, late, 2, short, false)
	gone(t, server, late)
	wantAcquired(t, store, other, 2, true)
	wantLost(t, store, []denylist.Lease{late}, 2)
	wantAcquired(t, store, lease("k", "third"), 2, false)
	acquire(t, store, lease("k", "third"), 2, long, true)
	wantLost(t, store, []denylist.Lease{late, other}, 2, other)

	release(t, store, late, other, lease("k", "third"))
	acquire(t, store, late, 1, short, false)
	gone(t, server, late)
	wantAcquired(t, store, other, 1, true)
	for range 2 {
		wantLost(t, store, []denylist.Lease{late}, 1, late)
	}
	release(t, store, other)
	wantLost(t, store, []denylist.Lease{late, other}, 1, other) // there is one place for two
}

// TestDisplacedStaysLost: whoever was displaced, and did not hear of it, is told
// so even if there is room again. That is forgotten in time.
func TestDisplacedStaysLost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	lost, other := lease("k", "lost"), lease("k", "other")
	displace := func(ttl time.Duration) {
		t.Helper()
		acquire(t, store, lost, 1, long, false)
		acquire(t, store, other, 1, ttl, true)
		release(t, store, other)
	}
	displace(long)
	for range 2 {
		wantLost(t, store, []denylist.Lease{lost}, 1, lost)
	}
	wantAcquired(t, store, other, 1, true) // who is lost takes no place
	release(t, store, other)
	left, err := strconv.Atoi(server.Command(t, "PTTL", "pasetokit:l:k"))
	if stays := time.Duration(left) * time.Millisecond; err != nil || stays <= 2*long || stays > 3*long {
		t.Errorf("it stays known for %s, %v; want three times the ttl", stays, err)
	}

	wantAcquired(t, store, lost, 1, true) // which is another matter
	wantLost(t, store, []denylist.Lease{lost}, 1)
	acquire(t, store, lost, 1, short, false)
	gone(t, server, lost)
	wantLost(t, store, []denylist.Lease{lost}, 1)
	release(t, store, lost)

	displace(long)
	release(t, store, lost)
	wantLost(t, store, []denylist.Lease{lost}, 1)
	release(t, store, lost)

	displace(short)
	testtool.Eventually(t, "who was displaced is forgotten", func() bool { return server.Command(t, "KEYS", "pasetokit:l:*") == "" })
	wantLost(t, store, []denylist.Lease{lost}, 1)
}

func TestLeaseRelease(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	one, two, three := lease("k", "one"), lease("k", "two"), lease("other", "three")
	release(t, store)
	release(t, store, one)
	for _, l := range []denylist.Lease{one, two, three} {
		wantAcquired(t, store, l, 2, true)
	}
	release(t, store, one, lease("k", "unknown"), one, lease("unknown", "one"))
	wantAcquired(t, store, lease("k", "new"), 2, true)
	wantAcquired(t, store, one, 2, false)
	release(t, store, two, three, lease("k", "new"))
	if keys := server.Command(t, "KEYS", "pasetokit:l:*"); keys != "" {
		t.Errorf("Redis has the keys %q after all is released", keys)
	}
}

// TestManyLeases renews and releases more than what goes over a connection at
// once, with a server that has forgotten its scripts.
func TestManyLeases(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	const limit = 5000
	var leases, lost []denylist.Lease
	for i := range limit {
		leases = append(leases, lease(fmt.Sprint(i%2000), fmt.Sprint(i)), lease("crowd", fmt.Sprint(i)))
	}
	wantLost(t, store, leases, limit) // acquires them
	for i := range 10 {
		acquire(t, store, lease("crowd", fmt.Sprint("new ", i)), limit, long, true)
		acquire(t, store, lease(fmt.Sprint(i), "new"), 1, long, true)
		for _, l := range leases {
			if l.Key == fmt.Sprint(i) {
				lost = append(lost, l)
			}
		}
	}
	server.Command(t, "SCRIPT", "FLUSH")
	renewed, err := store.Renew(t.Context(), denylist.Renewal{Leases: leases, Limit: limit, TTL: 2 * long})
	if err != nil || len(renewed) != len(lost)+10 {
		t.Fatalf("Renew: %d are lost, %v; want %d", len(renewed), err, len(lost)+10)
	}
	for _, l := range renewed {
		if l.Key != "crowd" && !slices.Contains(lost, l) {
			t.Errorf("%q is lost, which was not displaced", l)
		}
	}
	for _, key := range []string{"0", "1999", "crowd"} {
		if left, err := strconv.Atoi(server.Command(t, "PTTL", "pasetokit:l:"+key)); err != nil || time.Duration(left)*time.Millisecond <= long {
			t.Errorf("the key %s stays for %d ms, %v; want more than before", key, left, err)
		}
	}
	if n := server.Command(t, "ZCOUNT", "pasetokit:l:crowd", "-inf", "(0"); n != fmt.Sprint(limit) {
		t.Errorf("the crowd holds %s, want %d", n, limit)
	}
	for i := range 10 {
		leases = append(leases, lease("crowd", fmt.Sprint("new ", i)), lease(fmt.Sprint(i), "new"))
	}
	release(t, store, leases...)
	if keys := server.Command(t, "KEYS", "pasetokit:l:*"); keys != "" {
		t.Errorf("Redis has the keys %.200q after all is released", keys)
	}
}

// TestLeasesApart: leases meet neither other records nor those of other stores.
func TestLeasesApart(t *testing.T) {
	t.Parallel()
	address := []string{redistest.Start(t).Addr()}
	store, other := openStore(t, redis.Config{Addresses: address}), openStore(t, redis.Config{Addresses: address, Prefix: "other:"})
	events := startWatch(t, other)
	revoke(t, store, "k")
	wantAcquired(t, store, lease("k", "one"), 1, true)
	wantAcquired(t, other, lease("k", "two"), 1, true)
	acquire(t, store, lease("k", "two"), 1, long, true)
	wantLost(t, other, []denylist.Lease{lease("k", "two")}, 1)
	wantRevoked(t, store, "k", true)
	revoke(t, other, "news")
	if e := next(t, events); e.Revocation.TokenID != "news" {
		t.Errorf("the watch tells of %+v, want what its own store did", e)
	}
}
