package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// move is the migration of a key's slot from one primary of a cluster to another.
type move struct {
	t        *testing.T
	cluster  *redistest.Cluster
	slot     string
	from, to *redistest.Server
}

func moveSlot(t *testing.T, cluster *redistest.Cluster, key string) move {
	t.Helper()
	m := move{t: t, cluster: cluster, from: cluster.PrimaryOf(key)}
	m.slot = m.from.Command(t, "CLUSTER", "KEYSLOT", key)
	for _, s := range cluster.Primaries() {
		if s.Addr() != m.from.Addr() {
			m.to = s
		}
	}
	return m
}

// begin makes the old primary send those to the new one that ask for a key that
// it has not got.
func (m move) begin() {
	m.t.Helper()
	from, to := m.from.Command(m.t, "CLUSTER", "MYID"), m.to.Command(m.t, "CLUSTER", "MYID")
	m.to.Command(m.t, "CLUSTER", "SETSLOT", m.slot, "IMPORTING", from)
	m.from.Command(m.t, "CLUSTER", "SETSLOT", m.slot, "MIGRATING", to)
}

// end gives the slot to the new primary.
func (m move) end() {
	m.t.Helper()
	to := m.to.Command(m.t, "CLUSTER", "MYID")
	host, port, _ := strings.Cut(m.to.Addr(), ":")
	for _, key := range strings.Split(m.from.Command(m.t, "CLUSTER", "GETKEYSINSLOT", m.slot, "100"), "\n") {
		if key == "" {
			continue
		}
		m.from.Command(m.t, "MIGRATE", host, port, key, "0", "1000")
	}
	for _, s := range append([]*redistest.Server{m.to, m.from}, m.cluster.Primaries()...) {
		s.Command(m.t, "CLUSTER", "SETSLOT", m.slot, "NODE", to)
	}
}

// TestMovedSlot moves the slot of keys while a store uses them. Records are kept
// all along, where they belong and on a replica.
func TestMovedSlot(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	for _, node := range cluster.Nodes() {
		node.Command(t, append([]string{"ACL", "SETUSER", "app", "on", ">hush"}, strings.Fields(permissions)...)...)
	}
	for i, minReplicas := range []int{0, 1} {
		t.Run(fmt.Sprintf("%d replicas", minReplicas), func(t *testing.T) {
			tag := fmt.Sprintf("{tag %d}", i)
			store := openStore(t, redis.Config{
				Addresses: cluster.Addrs(), Credentials: redis.StaticCredentials("app", "hush"), Prefix: "app:", MinReplicas: minReplicas,
			})
			keep := func(name string, at *redistest.Server) {
				id := tag + name
				revoke(t, store, id)
				wantRevoked(t, store, id, true)
				if _, first, err := store.Consume(t.Context(), id, "value", time.Now().Add(time.Hour)); !first || err != nil {
					t.Fatalf("%s: Consume = %t, %v", name, first, err)
				}
				if winner, first, err := store.Consume(t.Context(), id, "other", time.Now().Add(time.Hour)); winner != "value" || first || err != nil {
					t.Fatalf("%s: Consume = %s, %t, %v", name, winner, first, err)
				}
				if keys := at.Command(t, "KEYS", "app:[tc]:"+id); strings.Count(keys, name) != 2 {
					t.Errorf("%s: the node has %q", name, keys)
				}
			}
			m := moveSlot(t, cluster, tag)
			keep("before", m.from)
			m.begin()
			keep("meanwhile", m.to)
			m.end()
			keep("after", m.to)
			wantRevoked(t, store, tag+"before", true)
		})
	}
}

// TestMovedChannel moves the slot of the channel while a watch listens.
func TestMovedChannel(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	cfg := redis.Config{Addresses: cluster.Addrs()}
	store, peer := openStore(t, cfg), openStore(t, cfg)
	events := startWatch(t, store)
	m := moveSlot(t, cluster, defaultChannel)
	m.begin()
	m.end()
	awaitEvent(t, events, "something may have been missed", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
	for i := range 20 {
		revoke(t, peer, fmt.Sprint(i))
	}
	awaitEvent(t, events, "the revocations are told", func(e denylist.Event) bool { return e.Revocation.TokenID == "19" })
}

// TestChannelFailsOver hands the channel's slot to a replica without a hitch: no
// connection breaks. The old primary is left all the same, by servers that know
// sharded channels and by those before Redis 7, which do not.
func TestChannelFailsOver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
	}{
		{"sharded", nil},
		{"not sharded", []string{"--rename-command", "SPUBLISH", "", "--rename-command", "SSUBSCRIBE", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cluster := redistest.StartCluster(t, test.args...)
			cfg := redis.Config{Addresses: cluster.Addrs()}
			store, peer := openStore(t, cfg), openStore(t, cfg)
			events := startWatch(t, store)
			revoke(t, peer, "before")
			if e := next(t, events); e.Revocation.TokenID != "before" {
				t.Errorf("the watch tells of %+v, want the revocation", e)
			}

			old := cluster.PrimaryOf(defaultChannel)
			_, port, _ := strings.Cut(old.Addr(), ":")
			for _, replica := range cluster.Replicas() {
				if strings.Contains(replica.Command(t, "ROLE"), "\n"+port+"\n") {
					cluster.Failover(replica)
				}
			}
			awaitEvent(t, events, "something may have been missed", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
			if cluster.PrimaryOf(defaultChannel) == old {
				t.Error("the channel is where it was")
			}
			testtool.Eventually(t, "the store works", func() bool { return works(t, store, "x") })
			revoke(t, peer, "after")
			awaitEvent(t, events, "the revocation is told", func(e denylist.Event) bool { return e.Revocation.TokenID == "after" })
		})
	}
}
