package redis_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// setForward makes a server's keys expire sooner, as they do when its clock is set
// forward.
func setForward(t *testing.T, server *redistest.Server, d time.Duration) {
	t.Helper()
	for _, key := range strings.Split(server.Command(t, "KEYS", "*"), "\n") {
		left, err := strconv.ParseInt(server.Command(t, "PTTL", key), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if left >= 0 {
			server.Command(t, "PEXPIRE", key, fmt.Sprint(left-d.Milliseconds()))
		}
	}
}

// TestClocks: a record counts for as long as the clock says that judges its tokens,
// whatever the clock of the server says, and that of the process that made the record.
func TestClocks(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Millisecond)
	for _, test := range []struct {
		name string
		// How far the clock of the process that records, and of the one that asks, are
		// ahead of that of the server, and by how much that is set forward in between.
		writer, reader, set time.Duration
	}{
		{name: "all agree"},
		{name: "server ahead", writer: -95 * time.Second, reader: -95 * time.Second},
		{name: "server behind", writer: 95 * time.Second, reader: 95 * time.Second},
		{name: "server far ahead", writer: -50 * time.Hour, reader: -50 * time.Hour},
		{name: "server far behind", writer: 50 * time.Hour, reader: 50 * time.Hour},
		{name: "server set forward", set: time.Hour},
		{name: "writer ahead", writer: time.Hour},
		{name: "reader behind", reader: -time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			writing, reading := testclock.New(now.Add(test.writer)), testclock.New(now.Add(test.reader))
			cfg := redis.Config{Addresses: []string{server.Addr()}}
			writer, reader := openStore(t, cfg, redis.WithClock(writing.Now)), openStore(t, cfg, redis.WithClock(reading.Now))
			ctx := t.Context()
			issued := now.Add(-time.Hour)
			until := reading.Now().Add(40 * time.Second)
			for _, r := range []denylist.Revocation{
				{TokenID: "x", Until: until}, {Session: "x", Until: until}, {Subject: "x", IssuedBefore: issued, Until: until},
			} {
				if err := writer.Revoke(ctx, r); err != nil {
					t.Fatal(err)
				}
			}
			if _, first, err := writer.Consume(ctx, "x", "one", until); !first || err != nil {
				t.Fatalf("Consume = %t, %v", first, err)
			}
			if _, advanced, err := writer.Advance(ctx, "y", "", "one", until); !advanced || err != nil {
				t.Fatalf("Advance = %t, %v", advanced, err)
			}
			setForward(t, server, test.set)

			asked := map[string]denylist.Token{"token": {ID: "x"}, "session": {Session: "x"}, "subject": {Subject: "x", IssuedAt: issued}}
			counts := func(store *redis.Store, want bool) {
				t.Helper()
				for name, token := range asked {
					if got, err := store.Revoked(ctx, token); got != want || err != nil {
						t.Errorf("the %s: Revoked = %t, %v; want %t", name, got, err, want)
					}
				}
			}
			for range 2 { // the second answer is cached
				counts(reader, true)
			}
			if winner, first, err := reader.Consume(ctx, "x", "two", until); first || winner != "one" || err != nil {
				t.Errorf("Consume = %s, %t, %v; want that it was consumed", winner, first, err)
			}
			if current, advanced, err := reader.Advance(ctx, "y", "", "two", until); advanced || current != "one" || err != nil {
				t.Errorf("Advance = %s, %t, %v; want that it was advanced before", current, advanced, err)
			}
			reading.Set(until.Add(-time.Millisecond))
			counts(reader, true)

			// Forward and back: what counted counts again.
			reading.Set(until)
			counts(reader, false)
			reading.Set(until.Add(-time.Second))
			counts(reader, true)
			reading.Set(until)
			if winner, first, err := reader.Consume(ctx, "x", "two", until.Add(time.Minute)); !first || winner != "two" || err != nil {
				t.Errorf("Consume = %s, %t, %v after the key's time", winner, first, err)
			}
			if current, advanced, err := reader.Advance(ctx, "y", "one", "two", until.Add(time.Minute)); advanced || current != "" || err != nil {
				t.Errorf("Advance = %s, %t, %v after the record's time", current, advanced, err)
			}
		})
	}
}

// TestClockSlack: what was recorded goes from the server in time, and what was recorded
// for longer is not cut by what is recorded for less.
func TestClockSlack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	now := time.Now()
	for _, lives := range [][]time.Duration{{0}, {40 * time.Second}, {-time.Hour}, {time.Hour, time.Minute}, {time.Minute, time.Hour}} {
		server.Command(t, "FLUSHALL")
		for _, life := range lives {
			if err := store.Revoke(t.Context(), denylist.Revocation{TokenID: "x", Until: now.Add(life)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := store.Consume(t.Context(), "x", "", now.Add(lives[0])); err != nil {
			t.Fatal(err)
		}
		for key, life := range map[string]time.Duration{"pasetokit:t:x": slices.Max(lives), "pasetokit:c:x": lives[0]} {
			ms, err := strconv.ParseInt(server.Command(t, "PTTL", key), 10, 64)
			left, most := time.Duration(ms)*time.Millisecond, max(life, 0)+redis.ClockSlack
			if err != nil || left > most+time.Second || left < most-time.Since(now)-time.Second {
				t.Errorf("%v: %s is kept for %s, %v; want %s", lives, key, left, err, most)
			}
		}
	}
}

// TestLeaseClockSetBack: places whose holders are gone become free though the server's
// clock was set back by a day.
func TestLeaseClockSetBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	acquire(t, store, lease("k", "dead"), 1, short, false)
	const key = "pasetokit:l:k"
	server.Command(t, "ZADD", key, fmt.Sprint(time.Now().Add(24*time.Hour).UnixMilli()), "hdead")
	server.Command(t, "PERSIST", key)
	testtool.Eventually(t, "the place becomes free", func() bool { return acquire(t, store, lease("k", "new"), 1, short, false) })
}
