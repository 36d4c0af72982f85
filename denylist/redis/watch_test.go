package redis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

const defaultChannel = "pasetokit:revocations:0"

// next returns the next event.
func next(t *testing.T, events <-chan denylist.Event) denylist.Event {
	t.Helper()
	return testtool.Await(t, events, "an event comes")
}

// TestUnreadableMessage: a message that cannot be understood may have announced
// anything.
func TestUnreadableMessage(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	events := startWatch(t, store)
	until := fmt.Sprint(time.Now().Add(time.Hour).UnixMilli())
	for _, message := range []string{
		"", "hello", "t", "t 0", "t 0 0", "t 0 0 ", "x 0 0 a", "t -1 0 a", "t 0 x a", "t  0 a", "tt 0 0 a",
		"t " + until + " 0 " + strings.Repeat("x", denylist.MaxID+1),
	} {
		server.Command(t, "PUBLISH", defaultChannel, message)
		if e := next(t, events); e.Kind != denylist.EventMissed {
			t.Errorf("%.20q is told as %+v, want that something was missed", message, e)
		}
	}
	// What announces nothing is not told, and what is understood is not missed.
	server.Command(t, "PUBLISH", defaultChannel, "-")
	server.Command(t, "PUBLISH", defaultChannel, "u "+until+" 1700000000 a b")
	want := denylist.Revocation{Subject: "a b", IssuedBefore: time.Unix(1_700_000_000, 0)}
	if e := next(t, events); e.Kind != denylist.EventRevoked || e.Revocation.Subject != want.Subject || !e.Revocation.IssuedBefore.Equal(want.IssuedBefore) {
		t.Errorf("the watch tells of %+v, want %+v", e, want)
	}
}

// TestWatchSeesOwnRecords: whoever is told of a record finds it, whatever the
// cache holds.
func TestWatchSeesOwnRecords(t *testing.T) {
	t.Parallel()
	cfg := redis.Config{Addresses: []string{redistest.Start(t).Addr()}}
	store, peer := openStore(t, cfg), openStore(t, cfg)
	events := startWatch(t, store)
	for i := range 300 {
		id := fmt.Sprint(i)
		wantRevoked(t, store, id, false)
		revoke(t, peer, id)
		if e := next(t, events); e.Revocation.TokenID != id {
			t.Fatalf("the watch tells of %+v, want %s", e, id)
		}
		wantRevoked(t, store, id, true)
	}
}

// TestWatchLost kills the watch's connection alone. The loss is logged, and told
// once it is mended.
func TestWatchLost(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store, logged := openLogged(t, redis.Config{Addresses: []string{server.Addr()}})
	events := startWatch(t, store)
	server.Command(t, "CLIENT", "KILL", "TYPE", "pubsub")
	if e := next(t, events); e.Kind != denylist.EventMissed {
		t.Fatalf("the watch tells of %+v, want that something was missed", e)
	}
	revoke(t, store, "a")
	if e := next(t, events); e.Revocation.TokenID != "a" {
		t.Errorf("the watch tells of %+v, want the revocation", e)
	}
	if !strings.Contains(logged.String(), "level=WARN") || !strings.Contains(logged.String(), "watch") {
		t.Errorf("logged %q, want a warning that the watch lost its connection", logged)
	}
}

// TestReplicaIsLeft: a server that is no primary any more keeps no records, and
// announces nothing by itself, though the connection to it is well.
func TestReplicaIsLeft(t *testing.T) {
	t.Parallel()
	server, primary := redistest.Start(t), redistest.Start(t)
	store, logged := openLogged(t, redis.Config{Addresses: []string{server.Addr()}})
	events := startWatch(t, store)
	host, port, _ := strings.Cut(primary.Addr(), ":")
	server.Command(t, "REPLICAOF", host, port)
	if err := store.Revoke(t.Context(), denylist.Revocation{TokenID: "a"}); !errors.Is(err, denylist.ErrUnavailable) {
		t.Errorf("Revoke = %v, want ErrUnavailable", err)
	}
	if _, _, err := store.Consume(t.Context(), "a", "", time.Time{}); !errors.Is(err, denylist.ErrUnavailable) {
		t.Errorf("Consume = %v, want ErrUnavailable", err)
	}
	testtool.Eventually(t, "the watch leaves the replica", func() bool { return strings.Contains(logged.String(), "is a replica") })
	server.Command(t, "REPLICAOF", "NO", "ONE")
	if e := next(t, events); e.Kind != denylist.EventMissed {
		t.Errorf("the watch tells of %+v, want that something was missed", e)
	}
	if !works(t, store, "b") {
		t.Error("the store does not work")
	}
}
