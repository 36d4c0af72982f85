package redis_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestClusterFailover asks a primary under load to give way to its replica, and then kills one: what any call has promised
// holds when the replica has taken over.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	cfg := redis.Config{Addresses: cluster.Addrs(), MinReplicas: 1, Timeout: hasty}
	store, peer := openStore(t, cfg), openStore(t, cfg)

	load := startLoad(t, store, peer)
	testtool.Eventually(t, "many records are made", func() bool { return load.made() > 300 })
	heir := cluster.Replicas()[0]
	cluster.Failover(heir)
	moved := load.made()
	testtool.Eventually(t, "records are made again", func() bool { return load.made() > moved+300 })

	victim := cluster.Primaries()[0]
	cluster.Hasten()
	victim.Kill()
	testtool.Eventually(t, "calls fail", func() bool { return load.failed() > 0 })
	testtool.Eventually(t, "the replica takes over", func() bool { return len(cluster.Primaries()) == 3 })
	before := load.made()
	testtool.Eventually(t, "records are made again", func() bool { return load.made() > before+50 })
	load.end()

	// No replica is left to the new primary, so that it keeps records only for who is content with that.
	alone := cfg
	alone.MinReplicas = 0
	load.verifyRevoked(store, peer, openStore(t, cfg))
	load.verifyConsumed(openStore(t, alone))

	victim.Restart()
	for i := range 30 { // keys of all primaries
		testtool.Eventually(t, "records are kept again", func() bool { return works(t, store, fmt.Sprint("part ", i)) })
	}
	load.verifyRevoked(store, peer)
	load.verifyConsumed(store, peer)
}

// TestSentinelFailover is the same with a primary that Sentinels watch. Its second replica lets records be kept without
// the dead one.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	primary, sentinels, cfg := startSentinel(t, 2)
	cfg.Timeout = hasty
	store, peer := openStore(t, cfg), openStore(t, cfg)

	load := startLoad(t, store, peer)
	testtool.Eventually(t, "many records are made", func() bool { return load.made() > 500 })
	sentinels.Hasten(t)
	primary.Kill()
	testtool.Eventually(t, "calls fail", func() bool { return load.failed() > 0 })
	before := load.made()
	testtool.Eventually(t, "records are made again", func() bool { return load.made() > before+500 })
	load.end()
	fresh := openStore(t, cfg)
	load.verifyRevoked(store, peer, fresh)
	load.verifyConsumed(store, peer, fresh)
}

// TestHungPrimary pauses a primary until it is replaced. When it goes on it takes itself for the primary still, and knows
// nothing of what was revoked meanwhile; neither does the cache of a store that was connected to it.
func TestHungPrimary(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		primary, sentinels, cfg := startSentinel(t, 1)
		sentinels.Hasten(t)
		testHungPrimary(t, cfg, primary, func() bool { return sentinels.Primary(t) != primary.Addr() })
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := redistest.StartCluster(t)
		const tag = "{one part of the cluster}" // has all keys that begin with it
		primary := cluster.PrimaryOf(tag)
		cfg := redis.Config{Addresses: cluster.Addrs(), Prefix: tag}
		cluster.Hasten()
		testHungPrimary(t, cfg, primary, func() bool { return len(cluster.Primaries()) == 3 })
	})
}

func testHungPrimary(t *testing.T, cfg redis.Config, primary *redistest.Server, replaced func() bool) {
	t.Helper()
	cfg.MinReplicas, cfg.Timeout = 0, hasty // no replica is left
	store, other := openStore(t, cfg), openStore(t, cfg)
	for range 2 { // the second answer may come from a cache
		wantRevoked(t, store, "0", false)
	}

	primary.Pause()
	testtool.Eventually(t, "the replica takes over", replaced)
	const n = 200
	for i := range n {
		testtool.Eventually(t, "a token is revoked", func() bool {
			return other.Revoke(t.Context(), denylist.Revocation{TokenID: fmt.Sprint(i)}) == nil
		})
	}
	testtool.Eventually(t, "the store learns of it", func() bool {
		revoked, err := store.Revoked(t.Context(), denylist.Token{ID: "0"})
		return err == nil && revoked
	})

	primary.Resume()
	i := 0
	testtool.Eventually(t, "the old primary follows the new one", func() bool {
		i = (i + 1) % n
		revoked, err := store.Revoked(t.Context(), denylist.Token{ID: fmt.Sprint(i)})
		if err == nil && !revoked {
			t.Fatalf("token %d passes for valid when the old primary is back", i)
		}
		return primary.Role() == "slave"
	})
}

// TestNotReplicated stops the only replica of a primary.
func TestNotReplicated(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	replica := redistest.StartReplica(t, primary)
	cfg := redis.Config{Addresses: []string{primary.Addr()}, MinReplicas: 1}
	testNotReplicated(t, cfg, []*redistest.Server{replica})
}

// testNotReplicated stops the replicas: no call may promise what would be gone with the primary, not even one that finds
// the record that another call has made in vain.
func testNotReplicated(t *testing.T, cfg redis.Config, replicas []*redistest.Server) {
	t.Helper()
	cfg.Timeout = hasty
	store, peer := openStore(t, cfg), openStore(t, cfg)
	for _, replica := range replicas {
		replica.Pause()
	}
	until := time.Now().Add(time.Hour)
	for _, call := range []struct {
		name string
		of   func(s denylist.Store) error
	}{
		{"Revoke", func(s denylist.Store) error {
			return s.Revoke(t.Context(), denylist.Revocation{TokenID: "alone", Until: until})
		}},
		{"Consume", func(s denylist.Store) error {
			_, _, err := s.Consume(t.Context(), "alone", "value", until)
			return err
		}},
	} {
		for _, by := range []struct {
			name  string
			store denylist.Store
		}{{"first", store}, {"again", store}, {"elsewhere", peer}} {
			// On a busy machine it may be too late to say why.
			testtool.Eventually(t, call.name+" says why", func() bool {
				err := bounded(t, func() error { return call.of(by.store) })
				if !errors.Is(err, denylist.ErrUnavailable) {
					t.Fatalf("%s, %s: %v, want an error that wraps ErrUnavailable", call.name, by.name, err)
				}
				return errors.Is(err, redis.ErrNotReplicated)
			})
		}
	}
	for _, replica := range replicas {
		replica.Resume()
	}
	testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "after") && works(t, peer, "after too") })
}

// TestReplicatedInTurn lets far more callers wait for replicas than there are connections to do so: each gets its turn.
func TestReplicatedInTurn(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	redistest.StartReplica(t, primary)
	store := openStore(t, redis.Config{Addresses: []string{primary.Addr()}, MinReplicas: 1})

	const callers, calls = 100, 30
	var made [callers]int
	var left atomic.Int64
	left.Store(callers * calls)
	var running sync.WaitGroup
	for i := range made {
		running.Go(func() {
			for ; left.Add(-1) >= 0; made[i]++ {
				err := store.Revoke(t.Context(), denylist.Revocation{TokenID: fmt.Sprint(i), Until: time.Now().Add(time.Hour)})
				if err != nil {
					t.Errorf("Revoke: %v", err)
					return
				}
			}
		})
	}
	running.Wait()
	if least := slices.Min(made[:]); least < calls/5 {
		t.Errorf("a caller made %d calls while others made %d on average", least, calls)
	}
}
