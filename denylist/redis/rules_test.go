package redis_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// openLogged opens a store that logs.
func openLogged(t *testing.T, cfg redis.Config) (*redis.Store, *testlog.Buffer) {
	t.Helper()
	logged := new(testlog.Buffer)
	return openStore(t, cfg, redis.WithLogger(slog.New(slog.NewTextHandler(logged, nil)))), logged
}

// wantAway waits until the store has noticed that its server may not be used, and
// checks that no call is served then: neither what would ask Redis nor what this process
// knows by itself.
func wantAway(t *testing.T, store *redis.Store, logged *testlog.Buffer, reason string) {
	t.Helper()
	testtool.Eventually(t, "it is noticed that the server "+reason, func() bool {
		return strings.Contains(logged.String(), "counts as away") && strings.Contains(logged.String(), reason)
	})
	for range 3 {
		wantUnavailable(t, store)
		for _, id := range []string{"cached", "revoked here"} {
			if revoked, err := store.Revoked(t.Context(), denylist.Token{ID: id}); !errors.Is(err, denylist.ErrUnavailable) {
				t.Errorf("Revoked(%s) = %t, %v; want an error that wraps ErrUnavailable", id, revoked, err)
			}
		}
		wantLeaseErrors(t, leaseCalls(t.Context(), t, store, "k"), denylist.ErrUnavailable, reason)
	}
	if n := strings.Count(logged.String(), "counts as away"); n != 1 {
		t.Errorf("it is logged %d times that the server counts as away, want once:\n%s", n, logged)
	}
}

// fill makes a store know what it answers without asking Redis.
func fill(t *testing.T, store *redis.Store) {
	t.Helper()
	for range 2 {
		wantRevoked(t, store, "cached", false)
	}
	revoke(t, store, "revoked here")
}

// run runs commands, with semicolons between, on a server.
func run(t *testing.T, server *redistest.Server, commands string) {
	t.Helper()
	for command := range strings.SplitSeq(commands, ";") {
		if command != "" {
			server.Command(t, strings.Fields(command)...)
		}
	}
}

// TestRulesChange: a server that changes into one that Open would have refused counts
// as away until it is what it was. What the program set knowingly stays allowed.
func TestRulesChange(t *testing.T) {
	t.Parallel()
	const evict = "CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru"
	const demote, promote = "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE" // where nobody is
	for _, test := range []struct {
		name         string
		args         string // of the server
		change, back string // commands, with semicolons between
		restart      string // changes by starting with these arguments besides
		reason       string
	}{
		{name: "demoted, and cut off from its primary", change: demote, back: promote, reason: "is a replica"},
		{name: "demoted, and all connections lost", change: demote + ";CLIENT KILL TYPE normal", back: promote, reason: "is a replica"},
		{name: "eviction", change: evict, back: "CONFIG SET maxmemory-policy noeviction", reason: "drops records when its memory is full"},
		{
			name: "eviction, by the limit", args: "--maxmemory-policy volatile-ttl",
			change: "CONFIG SET maxmemory 100mb", back: "CONFIG SET maxmemory 0", reason: "drops records when its memory is full",
		},
		{
			name: "persistence", args: "--appendonly yes",
			change: "CONFIG SET appendonly no", back: "CONFIG SET appendonly yes", reason: "forgets its records when it restarts",
		},
		{name: "cluster mode", restart: "--cluster-enabled yes", reason: "is in cluster mode"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, strings.Fields(test.args)...)
			store, logged := openLogged(t, redis.Config{Addresses: []string{server.Addr()}})
			events := startWatch(t, store)
			fill(t, store)
			run(t, server, test.change)
			if test.restart != "" {
				server.RestartWith(strings.Fields(test.restart)...)
			}
			wantAway(t, store, logged, test.reason)

			run(t, server, test.back)
			if test.restart != "" {
				server.RestartWith()
			}
			testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "x") })
			awaitEvent(t, events, "something may have been missed", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
			if !strings.Contains(logged.String(), "can be used again") {
				t.Errorf("it is not logged that the server can be used again:\n%s", logged)
			}
		})
	}
	for _, test := range []struct {
		name    string
		allowed bool
		changes []string
	}{
		{"eviction, which is allowed", true, []string{evict}},
		{"persistence, which there was not at the opening", false, []string{"CONFIG SET appendonly yes", "CONFIG SET appendonly no"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			store, logged := openLogged(t, redis.Config{Addresses: []string{server.Addr()}, AllowEviction: test.allowed})
			for _, change := range test.changes {
				run(t, server, change)
				redis.Review(store)
			}
			if !works(t, store, "x") || strings.Contains(logged.String(), "away") {
				t.Errorf("the store does not work:\n%s", logged)
			}
		})
	}
}

// TestLossIsLogged: what was dropped before the rules were found broken cannot be had back,
// which somebody must know.
func TestLossIsLogged(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store, logged := openLogged(t, redis.Config{Addresses: []string{server.Addr()}})
	run(t, server, "CONFIG SET maxmemory 5mb maxmemory-policy allkeys-lru")
	for i := range 100 {
		server.Command(t, "SET", fmt.Sprint("junk ", i), strings.Repeat("x", 100_000))
	}
	redis.Review(store)
	if !strings.Contains(logged.String(), "has dropped keys") {
		t.Errorf("it is not logged that keys were dropped:\n%s", logged)
	}
}

// TestAddressLeadsElsewhere: a fixed address leads to another primary, while the
// connections to the old one are well. What was revoked at the new one is found; the old
// one may have been demoted, or take itself for a primary still.
func TestAddressLeadsElsewhere(t *testing.T) {
	t.Parallel()
	for _, failover := range []bool{true, false} {
		t.Run(fmt.Sprint("failover ", failover), func(t *testing.T) {
			t.Parallel()
			old := redistest.Start(t)
			heir := redistest.StartReplica(t, old)
			proxy := redistest.StartProxy(t, old.Addr())
			store := openStore(t, redis.Config{Addresses: []string{proxy.Addr()}})
			events := startWatch(t, store)
			fill(t, store)

			if failover {
				run(t, old, "FAILOVER")
				testtool.Eventually(t, "the replica takes over", func() bool { return heir.Role() == "master" && old.Role() == "slave" })
			} else {
				run(t, heir, "REPLICAOF NO ONE") // the old one does not know
			}
			proxy.Lead(heir.Addr())
			peer := openStore(t, redis.Config{Addresses: []string{heir.Addr()}})
			revoke(t, peer, "cached")
			testtool.Eventually(t, "what was revoked at the new primary is revoked", func() bool {
				revoked, _ := store.Revoked(t.Context(), denylist.Token{ID: "cached"})
				return revoked
			})
			testtool.Eventually(t, "the store works", func() bool { return works(t, store, "x") })
			awaitEvent(t, events, "something may have been missed", func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
			wantRevoked(t, openStore(t, redis.Config{Addresses: []string{heir.Addr()}}), "x", true)
		})
	}
}

// TestUnaskable: a server that cannot be asked what it is any more, while the old
// connections are well, is not used for long.
func TestUnaskable(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.StartProxy(t, server.Addr())
	store := openStore(t, redis.Config{Addresses: []string{proxy.Addr()}})
	fill(t, store)
	proxy.Lead("127.0.0.1:1") // where nobody is
	testtool.Eventually(t, "the store is away", func() bool {
		_, err := store.Revoked(t.Context(), denylist.Token{ID: "cached"})
		return errors.Is(err, denylist.ErrUnavailable)
	})
	proxy.Lead(server.Addr())
	testtool.Eventually(t, "the store works again", func() bool { return works(t, store, "x") })
}

// TestSentinelRules: the primary that Sentinels name is held to the rules as well, and
// so is the one that they name next.
func TestSentinelRules(t *testing.T) {
	t.Parallel()
	primary, sentinels, cfg := startSentinel(t, 1)
	cfg.MinReplicas = 0
	store, logged := openLogged(t, cfg)
	fill(t, store)
	run(t, primary, "CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru")
	wantAway(t, store, logged, "drops records when its memory is full")
	sentinels.Hasten(t)
	primary.Kill()
	testtool.Eventually(t, "another primary is named", func() bool { return sentinels.Primary(t) != primary.Addr() })
	testtool.Eventually(t, "the store works with it", func() bool { return works(t, store, "x") })
}

// TestClusterRules: a node of a cluster that breaks the rules counts as away, with the
// records that it has. The others go on.
func TestClusterRules(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	store, logged := openLogged(t, redis.Config{Addresses: cluster.Addrs()})
	bad := cluster.PrimaryOf("pasetokit:t:0")
	var there, elsewhere []string
	for i := range 50 {
		id := fmt.Sprint(i)
		for range 2 {
			wantRevoked(t, store, id, false)
		}
		if cluster.PrimaryOf("pasetokit:t:"+id) == bad {
			there = append(there, id)
		} else {
			elsewhere = append(elsewhere, id)
		}
	}
	run(t, bad, "CONFIG SET maxmemory 100mb maxmemory-policy allkeys-lru")
	testtool.Eventually(t, "it is noticed", func() bool { return strings.Contains(logged.String(), "drops records when its memory is full") })
	testtool.Eventually(t, "what is kept there is not known", func() bool {
		_, err := store.Revoked(t.Context(), denylist.Token{ID: there[0]})
		return errors.Is(err, denylist.ErrUnavailable)
	})
	for _, id := range there {
		if revoked, err := store.Revoked(t.Context(), denylist.Token{ID: id}); !errors.Is(err, denylist.ErrUnavailable) {
			t.Errorf("Revoked(%s) = %t, %v; want an error that wraps ErrUnavailable", id, revoked, err)
		}
	}
	for _, id := range elsewhere {
		wantRevoked(t, store, id, false)
	}
	run(t, bad, "CONFIG SET maxmemory-policy noeviction")
	for _, id := range there {
		testtool.Eventually(t, "the store works again", func() bool { return works(t, store, id) })
	}
}

// TestInfoForbidden: a user may lose the right to ask for the rules. Role and mode are
// known all the same.
func TestInfoForbidden(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Command(t, "ACL", "SETUSER", "app", "on", ">hush", "~*", "&*", "+@all")
	store, logged := openLogged(t, redis.Config{
		Addresses: []string{server.Addr()}, Credentials: redis.StaticCredentials("app", "hush"),
	})
	fill(t, store)
	run(t, server, "ACL SETUSER app -info")
	testtool.Eventually(t, "it is logged", func() bool { return strings.Contains(logged.String(), "it is not known whether Redis drops records") })
	if !works(t, store, "x") {
		t.Error("the store does not work")
	}
	redis.Review(store)
	if n := strings.Count(logged.String(), "it is not known"); n != 1 {
		t.Errorf("it is logged %d times, want once:\n%s", n, logged)
	}
	run(t, server, "REPLICAOF 127.0.0.1 1")
	wantAway(t, store, logged, "is a replica")
}
