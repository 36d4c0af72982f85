package redis_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestLayout looks at the keys that the documentation describes.
func TestLayout(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	ctx := t.Context()
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	past := until.Add(-2 * time.Hour)
	odd := until.Add(123*time.Millisecond + 1)
	issued := time.Unix(1_700_000_000, 900)
	for _, r := range []denylist.Revocation{
		{TokenID: "a", Until: until},
		{TokenID: "odd", Until: odd},
		{TokenID: "for ever"},
		{Session: "b", Until: until},
		{Subject: "c", IssuedBefore: issued, Until: until},
		{Subject: "d", IssuedBefore: issued},
		{TokenID: "past", Until: past},
		{TokenID: "before all", Until: time.Unix(-5, 0)},
		{TokenID: "after all", Until: time.Unix(1<<60, 0)},
	} {
		if err := store.Revoke(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	for key, at := range map[string]time.Time{"e": until, "f": {}, "g": time.Unix(3, 0)} {
		if winner, first, err := store.Consume(ctx, key, "value", at); winner != "value" || !first || err != nil {
			t.Fatalf("Consume = %q, %t, %v", winner, first, err)
		}
	}
	ms := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	want := map[string]struct {
		value string
		kept  bool // for good
	}{
		"pasetokit:t:a":          {ms(until) + " 0", false},
		"pasetokit:t:odd":        {ms(odd.Add(time.Millisecond)) + " 0", false},
		"pasetokit:t:for ever":   {"0 0", true},
		"pasetokit:s:b":          {ms(until) + " 0", false},
		"pasetokit:u:c":          {ms(until) + " 1700000000", false},
		"pasetokit:u:d":          {"0 1700000000", true},
		"pasetokit:t:past":       {ms(past) + " 0", false},
		"pasetokit:t:before all": {"1 0", false},
		"pasetokit:t:after all":  {"0 0", true},
		"pasetokit:c:e":          {ms(until) + ":value", false},
		"pasetokit:c:f":          {"0:value", true},
		"pasetokit:c:g":          {"3000:value", false},
	}
	testtool.Eventually(t, "Redis has a key for each, and none of the opening", func() bool {
		return strings.Count(server.Command(t, "KEYS", "*"), "\n")+1 == len(want)
	})
	for key, want := range want {
		if got := server.Command(t, "GET", key); got != want.value {
			t.Errorf("%s is %q, want %q", key, got, want.value)
		}
		if ttl := server.Command(t, "PTTL", key); (ttl == "-1") != want.kept {
			t.Errorf("%s has a ttl of %s; want that it is kept for good: %t", key, ttl, want.kept)
		}
	}
}

// TestMerge: of two records of an identifier the later times hold, whatever
// their order.
func TestMerge(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	now := time.Now().Truncate(time.Second)
	sooner, later := now.Add(time.Hour), now.Add(2*time.Hour)
	cutoff := func(at time.Time) denylist.Revocation {
		return denylist.Revocation{Subject: "x", IssuedBefore: at, Until: sooner}
	}
	token := func(until time.Time) denylist.Revocation { return denylist.Revocation{TokenID: "x", Until: until} }
	record := func(until time.Time, cutoff int64) string {
		if until.IsZero() {
			return fmt.Sprint("0 ", cutoff)
		}
		return fmt.Sprint(until.UnixMilli(), " ", cutoff)
	}
	for _, test := range []struct {
		name     string
		one, two denylist.Revocation
		want     string
	}{
		{"the same", token(sooner), token(sooner), record(sooner, 0)},
		{"expiry", token(sooner), token(later), record(later, 0)},
		{"no expiry", token(later), token(time.Time{}), record(time.Time{}, 0)},
		{"cut-off", cutoff(now), cutoff(now.Add(-time.Minute)), record(sooner, now.Unix())},
		{"cut-off before 1970", cutoff(time.Unix(-7, 0)), cutoff(time.Unix(-1<<40, 0)), record(sooner, -7)},
		{
			"each has one of the later times",
			denylist.Revocation{Subject: "x", IssuedBefore: now, Until: sooner},
			denylist.Revocation{Subject: "x", IssuedBefore: now.Add(-time.Minute), Until: later}, record(later, now.Unix()),
		},
		{"no digit is lost", cutoff(time.Unix(1<<53-1, 0)), cutoff(time.Unix(1<<53-2, 0)), record(sooner, 1<<53-1)},
	} {
		for _, order := range [][]denylist.Revocation{{test.one, test.two}, {test.two, test.one}} {
			server.Command(t, "FLUSHALL")
			for _, r := range order {
				if err := store.Revoke(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			key := "pasetokit:t:x"
			if test.one.Subject != "" {
				key = "pasetokit:u:x"
			}
			if got := server.Command(t, "GET", key); got != test.want {
				t.Errorf("%s: %+v, then %+v: the record is %q, want %q", test.name, order[0], order[1], got, test.want)
			}
		}
	}
}

// TestScriptFlush: a server that forgets its scripts does no harm.
func TestScriptFlush(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	for i := range 3 {
		server.Command(t, "SCRIPT", "FLUSH")
		if !works(t, store, fmt.Sprint(i)) {
			t.Error("the store does not work")
		}
	}
}

// TestForeignValue: what somebody else wrote is never taken for a record that
// says that all is well.
func TestForeignValue(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	ctx := t.Context()
	for _, ttl := range []time.Duration{0, redis.NoCache} {
		store := openStore(t, redis.Config{Addresses: []string{server.Addr()}, CacheTTL: ttl})
		for _, value := range []string{"", "x", "1 x", "-1 0", "99999999999999999999 0"} {
			server.Command(t, "SET", "pasetokit:t:x", value)
			testtool.Eventually(t, "an unreadable record is an error", func() bool {
				revoked, err := store.Revoked(ctx, denylist.Token{ID: "x"})
				return !revoked && errors.Is(err, denylist.ErrUnavailable)
			})
			if err := store.Revoke(ctx, denylist.Revocation{TokenID: "x", Until: time.Now().Add(time.Hour)}); value != "99999999999999999999 0" && !errors.Is(err, denylist.ErrUnavailable) {
				t.Errorf("%q: Revoke = %v, want ErrUnavailable", value, err)
			}
		}
		server.Command(t, "DEL", "pasetokit:t:x")
		server.Command(t, "LPUSH", "pasetokit:t:list", "x")
		if _, err := store.Revoked(ctx, denylist.Token{ID: "list"}); !errors.Is(err, denylist.ErrUnavailable) {
			t.Errorf("Revoked of a list = %v, want ErrUnavailable", err)
		}
		// One bad record does not hide another that is good.
		revoke(t, store, "good")
		if err := store.Revoke(ctx, denylist.Revocation{Session: "good"}); err != nil {
			t.Error(err)
		}
		if revoked, err := store.Revoked(ctx, denylist.Token{ID: "list", Session: "good"}); !revoked || err != nil {
			t.Errorf("Revoked = %t, %v", revoked, err)
		}
		server.Command(t, "FLUSHALL")
	}
}

func TestConsumeTooLarge(t *testing.T) {
	t.Parallel()
	store := openStore(t, redis.Config{Addresses: []string{redistest.Start(t).Addr()}})
	_, _, err := store.Consume(t.Context(), "k", strings.Repeat("x", 1<<20+1), time.Time{})
	if !errors.Is(err, denylist.ErrInvalid) {
		t.Errorf("Consume = %v, want ErrInvalid", err)
	}
	value := strings.Repeat("\xff", 1<<20)
	if winner, first, err := store.Consume(t.Context(), "k", value, time.Time{}); winner != value || !first || err != nil {
		t.Errorf("Consume of 1 MiB = %d bytes, %t, %v", len(winner), first, err)
	}
}
