package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// leaseCalls makes one call of every kind, and one for many leases, and returns
// their errors by the kind.
func leaseCalls(ctx context.Context, t testing.TB, s *redis.Store, key string) map[string]error {
	t.Helper()
	many := make([]denylist.Lease, 15_000)
	for i := range many {
		many[i] = lease(key, fmt.Sprint(i))
	}
	return map[string]error{
		"Acquire": bounded(t, func() error {
			_, err := s.Acquire(ctx, denylist.Acquisition{Lease: lease(key, "a"), Limit: 1, TTL: long, Displace: true})
			return err
		}),
		"Renew": bounded(t, func() error {
			_, err := s.Renew(ctx, denylist.Renewal{Leases: []denylist.Lease{lease(key, "a")}, Limit: 1, TTL: long})
			return err
		}),
		"Renew of many": bounded(t, func() error {
			_, err := s.Renew(ctx, denylist.Renewal{Leases: many, Limit: 1, TTL: long})
			return err
		}),
		"Release":         bounded(t, func() error { return s.Release(ctx, lease(key, "a")) }),
		"Release of many": bounded(t, func() error { return s.Release(ctx, many...) }),
	}
}

func wantLeaseErrors(t testing.TB, errs map[string]error, want error, text string) {
	t.Helper()
	for name, err := range errs {
		if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%s = %v, want %v with %q", name, err, want, text)
		}
	}
}

func TestLeaseInvalid(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	well := lease("k", "a")
	for _, test := range []struct {
		name  string
		lease denylist.Lease
		limit int
		ttl   time.Duration
		want  string
	}{
		{"limit of nothing", well, 0, long, "limit of leases is 0"},
		{"limit below nothing", well, -1, long, "limit of leases is -1"},
		{"no ttl", well, 1, 0, "ttl of leases is 0s"},
		{"ttl past", well, 1, -long, "ttl of leases is -1h"},
		{"ttl that Redis cannot count", well, 1, time.Millisecond - 1, "ttl of leases is 999.999µs"},
		{"no key", lease("", "a"), 1, long, "needs a key and a holder"},
		{"no holder", lease("k", ""), 1, long, "needs a key and a holder"},
		{"key too long", lease(strings.Repeat("x", denylist.MaxID+1), "a"), 1, long, "key of a lease has"},
		{"holder too long", lease("k", strings.Repeat("x", denylist.MaxID+1)), 1, long, "holder of a lease has"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx := t.Context()
			_, acquire := store.Acquire(ctx, denylist.Acquisition{Lease: test.lease, Limit: test.limit, TTL: test.ttl, Displace: true})
			_, renew := store.Renew(ctx, denylist.Renewal{Leases: []denylist.Lease{well, test.lease}, Limit: test.limit, TTL: test.ttl})
			errs := map[string]error{"Acquire": acquire, "Renew": renew}
			if test.lease != well {
				errs["Release"] = store.Release(ctx, well, test.lease)
			} else {
				_, errs["Renew of nothing"] = store.Renew(ctx, denylist.Renewal{Limit: test.limit, TTL: test.ttl})
			}
			wantLeaseErrors(t, errs, denylist.ErrInvalid, test.want)
		})
	}
	if keys := server.Command(t, "KEYS", "pasetokit:l:*"); keys != "" {
		t.Errorf("Redis has the keys %q of what is invalid", keys)
	}
	// The largest numbers are well.
	if acquired, err := store.Acquire(t.Context(), denylist.Acquisition{Lease: well, Limit: math.MaxInt, TTL: 1<<63 - 1}); !acquired || err != nil {
		t.Errorf("Acquire = %t, %v with the largest numbers", acquired, err)
	}
	if lost, err := store.Renew(t.Context(), denylist.Renewal{Leases: []denylist.Lease{well}, Limit: math.MaxInt, TTL: 1<<63 - 1}); len(lost) > 0 || err != nil {
		t.Errorf("Renew = %q, %v with the largest numbers", lost, err)
	}
}

// TestLeaseOutage: calls fail as those for records do, however many leases they are
// for; and work again afterwards.
func TestLeaseOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}, Timeout: hasty})
	testtool.Eventually(t, "the lease is held", func() bool {
		acquired, err := store.Acquire(t.Context(), denylist.Acquisition{Lease: lease("k", "a"), Limit: 1, TTL: long})
		return acquired && err == nil
	})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	wantLeaseErrors(t, leaseCalls(cancelled, t, store, "k"), context.Canceled, "")

	server.Pause()
	wantLeaseErrors(t, leaseCalls(t.Context(), t, store, "k"), denylist.ErrUnavailable, "")
	for name, end := range map[error]func(time.Duration) (context.Context, context.CancelFunc){
		context.DeadlineExceeded: func(d time.Duration) (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), d)
		},
		context.Canceled: func(d time.Duration) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(d, cancel)
			return ctx, cancel
		},
	} {
		ctx, cancel := end(20 * time.Millisecond)
		wantLeaseErrors(t, leaseCalls(ctx, t, store, "k"), name, "")
		cancel()
	}
	server.Resume()
	testtool.Eventually(t, "the store works again", func() bool {
		lost, err := store.Renew(t.Context(), denylist.Renewal{Leases: []denylist.Lease{lease("k", "a")}, Limit: 1, TTL: long})
		return err == nil && len(lost) == 0
	})

	server.Kill()
	wantLeaseErrors(t, leaseCalls(t.Context(), t, store, "k"), denylist.ErrUnavailable, "")
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	wantLeaseErrors(t, leaseCalls(t.Context(), t, store, "k"), denylist.ErrClosed, "")
}

// TestLeasePermissions: a store opens for a user who may not keep leases, and
// says what is missing once somebody wants one.
func TestLeasePermissions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	grant := func(name, rules string) *redis.Store {
		server.Command(t, append([]string{"ACL", "SETUSER", name}, strings.Fields("on >hush "+rules)...)...)
		return openStore(t, redis.Config{Addresses: []string{server.Addr()}, Credentials: redis.StaticCredentials(name, "hush"), Prefix: "app:"})
	}
	none := grant("none", permissions)
	wantLeaseErrors(t, leaseCalls(t.Context(), t, none, "k"), denylist.ErrUnavailable, "grant the user")
	if !works(t, none, "x") {
		t.Error("the store does not work")
	}
	all := grant("all", permissions+" +time +pexpireat +zadd +zrem +zrange +zscore +zcount")
	events := startWatch(t, all)
	for name, err := range leaseCalls(t.Context(), t, all, "k") {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, holder := range []string{"a", "b"} {
		acquire(t, all, lease("k", holder), 1, long, true)
	}
	awaitEvent(t, events, "a lease was displaced", func(e denylist.Event) bool { return e.Lease == lease("k", "a") })
}

// TestLeaseForeignValue: keys that somebody else wrote are in the way of no other
// ones.
func TestLeaseForeignValue(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	var leases []denylist.Lease
	for i := range 2000 {
		leases = append(leases, lease(fmt.Sprintf("%04d", i), "a"))
	}
	for _, l := range leases[:1500:1500] {
		if strings.HasSuffix(l.Key, "00") {
			server.Command(t, "SET", "pasetokit:l:"+l.Key, "x")
		}
	}
	_, err := store.Acquire(t.Context(), denylist.Acquisition{Lease: leases[0], Limit: 1, TTL: long, Displace: true})
	wantLeaseErrors(t, map[string]error{
		"Acquire": err,
		"Release": store.Release(t.Context(), leases[0]),
	}, denylist.ErrUnavailable, "WRONGTYPE")
	wantAcquired(t, store, lease("0007", "other"), 1, true)
	lost, err := store.Renew(t.Context(), denylist.Renewal{Leases: leases, Limit: 1, TTL: long})
	if !errors.Is(err, denylist.ErrUnavailable) || len(lost) != 1 || lost[0] != leases[7] {
		t.Errorf("Renew = %q, %v; want an error that wraps ErrUnavailable, and what is lost besides", lost, err)
	}
	testtool.Eventually(t, "Redis has the keys of all leases that can be held", func() bool {
		return server.Command(t, "DBSIZE") == "2000"
	})
}

// TestLeasesAreNoRecords: leases do not wait for replicas.
func TestLeasesAreNoRecords(t *testing.T) {
	t.Parallel()
	store := openStore(t, redis.Config{Addresses: []string{redistest.Start(t).Addr()}, MinReplicas: 1})
	testtool.Eventually(t, "a record waits for replicas in vain", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), hasty)
		defer cancel()
		return errors.Is(store.Revoke(ctx, denylist.Revocation{TokenID: "a"}), redis.ErrNotReplicated)
	})
	for name, err := range leaseCalls(t.Context(), t, store, "k") {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnreadableDisplacement: a message that cannot be understood may have
// announced anything.
func TestUnreadableDisplacement(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	events := startWatch(t, openStore(t, redis.Config{Addresses: []string{server.Addr()}}))
	for _, message := range []string{
		"l", "l 1", "l 1 ", "l 0 a", "l -1 ab", "l 2 ab", "l 3 ab", "l x ab", "l  ab", "l 99999999999999999999 ab", "ll 1 ab", "l 1 a" + strings.Repeat("x", denylist.MaxID+1),
	} {
		server.Command(t, "PUBLISH", defaultChannel, message)
		if e := next(t, events); e != (denylist.Event{Kind: denylist.EventMissed}) {
			t.Errorf("%.20q is told as %+v, want that something was missed", message, e)
		}
	}
	server.Command(t, "PUBLISH", defaultChannel, "l 3 a  b  ")
	if e := next(t, events); e != (denylist.Event{Kind: denylist.EventDisplaced, Lease: lease("a  ", "b  ")}) {
		t.Errorf("the watch tells of %+v, want the lease", e)
	}
}
