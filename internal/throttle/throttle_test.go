package throttle_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/throttle"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClock() *testclock.Clock {
	return testclock.New(time.Date(2030, 1, 2, 3, 4, 5, 600_000_000, time.UTC))
}

// Table has addresses for keys.
type Table = throttle.Table[netip.Prefix]

// newTable returns a table that is refilled in a minute.
func newTable(perMinute int, now func() time.Time) *Table {
	return throttle.New[netip.Prefix](perMinute, time.Minute, now)
}

// key returns the nth of many keys.
func key(n int) netip.Prefix {
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], uint32(10<<24+n))
	return netip.PrefixFrom(netip.AddrFrom4(a), 32)
}

// allowed returns how often key is allowed something until it is refused, at
// most limit times, and how long it must wait then.
func allowed(t testing.TB, table *Table, key netip.Prefix, limit int) (n int, wait time.Duration) {
	t.Helper()
	for ; n < limit; n++ {
		wait, ok := table.Allow(key)
		switch {
		case ok && wait != 0:
			t.Fatalf("allowed, and yet to wait for %v", wait)
		case !ok && wait <= 0:
			t.Fatalf("refused, and to wait for %v", wait)
		case !ok:
			return n, wait
		}
	}
	return n, 0
}

// mustAllow fails the test unless key is allowed something exactly n times.
func mustAllow(t testing.TB, table *Table, key netip.Prefix, n int) {
	t.Helper()
	if got, _ := allowed(t, table, key, n+10); got != n {
		t.Fatalf("%v is allowed %d times, want %d", key, got, n)
	}
}

// TestAllow: a bucket gives what it holds, then one token after the other, each
// as soon as was said and no sooner.
func TestAllow(t *testing.T) {
	t.Parallel()
	for _, perMinute := range []int{1, 2, 3, 7, 10, 59, 60, 61, 997, 10_000} {
		t.Run(fmt.Sprint(perMinute), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			table := newTable(perMinute, c.Now)
			mustAllow(t, table, key(1), perMinute)
			for range 100 {
				_, wait := allowed(t, table, key(1), 1)
				if each := time.Minute / time.Duration(perMinute); wait > each+2 {
					t.Fatalf("to wait for %v, and there is a token every %v", wait, each)
				}
				c.Advance(wait - 3)
				if _, ok := table.Allow(key(1)); ok {
					t.Fatalf("allowed 3 ns before the wait of %v is over", wait)
				}
				c.Advance(3)
				mustAllow(t, table, key(1), 1)
			}
		})
	}
}

func TestRefill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after time.Duration
		want  int
	}{
		{"at once", 0, 0},
		{"before the first token", 5 * time.Second, 0},
		{"the first token", 6 * time.Second, 1},
		{"half a minute", 30 * time.Second, 5},
		{"a minute", time.Minute, 10},
		{"an hour", time.Hour, 10},
		{"a century", 100 * 365 * 24 * time.Hour, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			table := newTable(10, c.Now)
			mustAllow(t, table, key(1), 10)
			c.Advance(test.after)
			mustAllow(t, table, key(1), test.want)
		})
	}
}

func TestKeysApart(t *testing.T) {
	t.Parallel()
	table := newTable(2, newClock().Now)
	for _, k := range []netip.Prefix{
		{}, // of clients without an address
		netip.MustParsePrefix("192.0.2.1/32"),
		netip.MustParsePrefix("192.0.2.2/32"),
		netip.MustParsePrefix("2001:db8::/64"),
		netip.MustParsePrefix("2001:db8:0:1::/64"),
	} {
		mustAllow(t, table, k, 2)
	}
}

// TestNoLimit: without a table, or with a limit that is none, all is allowed.
func TestNoLimit(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]*Table{
		"nil": nil, "zero": newTable(0, nil), "negative": newTable(-1, nil),
	} {
		if table != nil {
			t.Errorf("%s: there is a table", name)
		}
		if n, _ := allowed(t, table, key(1), 1000); n != 1000 {
			t.Errorf("%s: refused after %d times", name, n)
		}
		for range 1000 {
			end, wait, ok := table.Begin(key(1))
			if !ok || wait != 0 {
				t.Fatalf("%s: refused for %v", name, wait)
			}
			end(true)
			end(true)
		}
	}
}

// TestWallClock: without a clock the time is that of the machine.
func TestWallClock(t *testing.T) {
	t.Parallel()
	table := newTable(1, nil)
	mustAllow(t, table, key(1), 1)
	if _, wait := allowed(t, table, key(1), 1); wait > time.Minute+1 {
		t.Errorf("to wait for %v", wait)
	}
}

// TestClockSetBack: whatever a clock does, a client waits no longer than it
// takes to refill a token, and no time is given for that which did not pass.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	start := newClock().Now()
	for _, test := range []struct {
		name string
		to   time.Time
	}{
		{"by a nanosecond", start.Add(-1)},
		{"by an hour", start.Add(-time.Hour)},
		{"by a century", start.AddDate(-100, 0, 0)},
		{"to the year 1", time.Time{}},
		{"to long before", time.Unix(-1<<55, 0)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			table := newTable(10, c.Now)
			mustAllow(t, table, key(1), 10)
			end := begin(t, table, key(2))
			c.Set(test.to)
			n, wait := allowed(t, table, key(1), 1)
			if n != 0 || wait > 6*time.Second+1 {
				t.Fatalf("allowed %d times, and to wait for %v", n, wait)
			}
			end(true)
			mustAllow(t, table, key(2), 9)
			mustAllow(t, table, key(3), 10)
			c.Advance(wait)
			for k := 1; k <= 3; k++ {
				mustAllow(t, table, key(k), 1)
			}
		})
	}
}
