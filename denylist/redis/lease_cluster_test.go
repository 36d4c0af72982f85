package redis_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestLeaseCluster keeps leases in a cluster, for a user who may do no more than
// what the documentation asks for.
func TestLeaseCluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	for _, node := range cluster.Nodes() {
		rules := "on >hush " + permissions + " +time +pexpireat +zadd +zrem +zrange +zscore +zcount"
		node.Command(t, append([]string{"ACL", "SETUSER", "app"}, strings.Fields(rules)...)...)
	}
	cfg := redis.Config{Addresses: cluster.Addrs(), Credentials: redis.StaticCredentials("app", "hush"), Prefix: "app:", MinReplicas: 1}
	t.Run("displaced", func(t *testing.T) { testLeaseDisplacedInCluster(t, cfg) })
	t.Run("moved", func(t *testing.T) { testLeasesMove(t, cfg, cluster) })
	t.Run("silent", func(t *testing.T) { testLeasesBesideSilence(t, cfg, cluster) })
}

func testLeaseDisplacedInCluster(t *testing.T, cfg redis.Config) {
	t.Helper()
	here, there := openStore(t, cfg), openStore(t, cfg)
	watches := []<-chan denylist.Event{startWatch(t, here), startWatch(t, there)}
	for i := range 10 { // with keys on all primaries
		key := fmt.Sprint("key \x00 ", i)
		wantAcquired(t, here, lease(key, "\r\n 1"), 2, true)
		wantAcquired(t, there, lease(key, " 2 "), 2, true)
		wantAcquired(t, there, lease(key, "3"), 2, false)
		acquire(t, there, lease(key, "3"), 1, long, true)
		for _, events := range watches {
			for _, holder := range []string{"\r\n 1", " 2 "} {
				if e := next(t, events); e != (denylist.Event{Kind: denylist.EventDisplaced, Lease: lease(key, holder)}) {
					t.Fatalf("the watch tells of %q %q, want that %q was displaced", e.Kind, e.Lease, holder)
				}
			}
		}
		wantLost(t, here, []denylist.Lease{lease(key, "3"), lease(key, " 2 ")}, 2, lease(key, " 2 "))
	}
}

// testLeasesMove renews leases while the slot of some of them moves.
func testLeasesMove(t *testing.T, cfg redis.Config, cluster *redistest.Cluster) {
	t.Helper()
	store := openStore(t, cfg)
	var leases []denylist.Lease
	for i := range 600 {
		leases = append(leases, lease(fmt.Sprint("{moved}", i%3), fmt.Sprint(i)), lease(fmt.Sprint("moved ", i), "a"))
	}
	m := moveSlot(t, cluster, "{moved}")
	wantLost(t, store, leases, 200) // acquires them
	m.begin()
	wantLost(t, store, leases, 200)
	m.end()
	for _, node := range cluster.Primaries() {
		node.Command(t, "SCRIPT", "FLUSH")
	}
	wantLost(t, store, leases, 200)
	wantAcquired(t, store, lease("{moved}1", "more"), 200, false)
	release(t, store, leases...)
	for _, node := range cluster.Primaries() {
		if keys := node.Command(t, "KEYS", "app:l:*moved*"); keys != "" {
			t.Errorf("a node has the keys %.200q after all is released", keys)
		}
	}
}

// testLeasesBesideSilence: the leases that other nodes have are renewed though
// one is silent.
func testLeasesBesideSilence(t *testing.T, cfg redis.Config, cluster *redistest.Cluster) {
	t.Helper()
	for _, node := range cluster.Nodes() { // the silent one is not replaced, and does not stop the others
		node.Command(t, "CONFIG", "SET", "cluster-replica-no-failover", "yes", "cluster-require-full-coverage", "no")
	}
	cfg.Timeout = hasty
	store := openStore(t, cfg)
	var leases []denylist.Lease
	for i := range 1500 {
		leases = append(leases, lease(fmt.Sprint("silent ", i), "a"))
	}
	testtool.Eventually(t, "all are acquired", func() bool {
		lost, err := store.Renew(t.Context(), denylist.Renewal{Leases: leases, Limit: 1, TTL: long})
		return err == nil && len(lost) == 0
	})
	silent, all := cluster.PrimaryOf("app:l:silent 0"), cluster.Primaries()
	others := slices.DeleteFunc(all, func(s *redistest.Server) bool { return s == silent })
	silent.Pause()
	testtool.Eventually(t, "those on the nodes that answer are renewed", func() bool {
		if _, err := store.Renew(t.Context(), denylist.Renewal{Leases: leases, Limit: 1, TTL: 2 * long}); !errors.Is(err, denylist.ErrUnavailable) {
			t.Fatalf("Renew = %v while a node is silent, want ErrUnavailable", err)
		}
		renewed, left := 0, 0
		for _, node := range others {
			for key := range strings.Lines(node.Command(t, "KEYS", "app:l:silent*")) {
				ttl, err := strconv.Atoi(node.Command(t, "PTTL", strings.TrimSpace(key)))
				if err == nil && time.Duration(ttl)*time.Millisecond > long {
					renewed++
				} else {
					left++
				}
			}
		}
		return renewed >= 100 && left == 0
	})
	silent.Resume()
	testtool.Eventually(t, "all are renewed", func() bool {
		lost, err := store.Renew(t.Context(), denylist.Renewal{Leases: leases, Limit: 1, TTL: long})
		return err == nil && len(lost) == 0
	})
}
