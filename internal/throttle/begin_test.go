package throttle_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/throttle"
)

// begin begins an attempt that must be allowed.
func begin(t testing.TB, table *Table, key netip.Prefix) (end func(failed bool)) {
	t.Helper()
	end, wait, ok := table.Begin(key)
	if !ok || wait != 0 {
		t.Fatalf("an attempt of %v may begin: %t, after %v", key, ok, wait)
	}
	return end
}

// mustRefuse fails the test if an attempt of key may begin, and returns how
// long it must wait.
func mustRefuse(t testing.TB, table *Table, key netip.Prefix) time.Duration {
	t.Helper()
	end, wait, ok := table.Begin(key)
	if ok || wait <= 0 {
		t.Fatalf("an attempt of %v may begin: %t, after %v", key, ok, wait)
	}
	end(true) // which does nothing
	return wait
}

// TestBegin plays attempts of one client at a limit of three failures. A step is
// a letter: b begins an attempt, which must be allowed, and r one that must be
// refused; f and s end the oldest attempt under way, failed or not; F and S end
// the one that ended last once more; a and d ask Allow, which must allow or deny;
// w waits for 20 s, in which one token is refilled.
func TestBegin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, steps string }{
		{"successes are free", "bsbsbsbsbsbs"},
		{"failures are not", "bfbfbfr"},
		{"successes between failures", "bfbsbfbsbsbfr"},
		{"no more at once than may fail", "bbbr"},
		{"room after a success", "bbbrsbr"},
		{"no room after a failure", "bbbrfr"},
		{"all at once fail", "bbbfffr"},
		{"all at once succeed", "bbbsssbbbr"},
		{"one failed before", "bfbbr"},
		{"a second end does nothing", "bfFFwbbbr"},
		{"a second end gives nothing back", "bbbfSr"},
		{"a second end of a success takes nothing", "bsFwbbbr"},
		{"refilled one by one", "bfbfbfrwbfrwbfr"},
		{"a success leaves what was refilled", "bfbfbfrwbsbsbfr"},
		{"refilled to no more than full", "bfwwwwwbbbr"},
		{"refilled while under way", "bfbbrwbr"},
		{"a bucket cannot exceed itself", "bbbwwwr"},
		{"Allow takes the same tokens", "aabr"},
		{"Allow leaves those for attempts under way", "bbadsad"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			play(t, test.steps)
		})
	}
}

func play(t *testing.T, steps string) {
	t.Helper()
	c := newClock()
	table := newTable(3, c.Now)
	var underWay []func(bool)
	var last func(bool)
	for i, step := range steps {
		ok := true
		switch step {
		case 'b', 'r':
			end, wait, begun := table.Begin(key(1))
			ok = begun == (step == 'b') && (wait > 0) == (step == 'r')
			underWay = append(underWay, end)
			if !begun {
				end(true)
				underWay = underWay[:len(underWay)-1]
			}
		case 'f', 's':
			last, underWay = underWay[0], underWay[1:]
			last(step == 'f')
		case 'F', 'S':
			last(step == 'F')
		case 'a', 'd':
			wait, allowed := table.Allow(key(1))
			ok = allowed == (step == 'a') && (wait > 0) == (step == 'd')
		case 'w':
			c.Advance(20*time.Second + 1)
		}
		if !ok {
			t.Fatalf("after %q, the next of %q is wrong", steps[:i], steps[i:])
		}
	}
}

// TestBeginWait: what a refused attempt is told to wait for suffices, even if
// all that are under way fail.
func TestBeginWait(t *testing.T) {
	t.Parallel()
	c := newClock()
	table := newTable(10, c.Now)
	var ends []func(bool)
	for range 10 {
		ends = append(ends, begin(t, table, key(1)))
	}
	c.Advance(time.Second)
	wait := mustRefuse(t, table, key(1)) // the bucket is full: nothing was refilled
	if wait != 6*time.Second+1 {
		t.Errorf("to wait for %v, want 6s", wait)
	}
	for _, end := range ends {
		end(true)
	}
	c.Advance(wait)
	begin(t, table, key(1))(true)
	mustRefuse(t, table, key(1))
}

// TestHas: attempts under way take no token yet, and to ask is no use of a key.
func TestHas(t *testing.T) {
	t.Parallel()
	c := newClock()
	table := newTable(1, c.Now)
	check := func(when string, want bool) {
		t.Helper()
		if got := table.Has(key(1)); got != want {
			t.Errorf("%s there is a token: %t, want %t", when, got, want)
		}
	}
	check("at first", true)
	if table.Len() != 0 {
		t.Error("a key is remembered that was only asked for")
	}
	end := begin(t, table, key(1))
	mustRefuse(t, table, key(1))
	check("under way", true)
	end(true)
	check("after a failure", false)
	c.Advance(time.Minute + 1)
	check("when it is refilled", true)
	if !(*Table)(nil).Has(key(1)) {
		t.Error("without a limit there is no token")
	}
}

// TestDrain: a bucket that is drained is full again after the whole time, however it
// was before.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		failed  int // attempts before
		drained bool
	}{
		{"new", 0, false},
		{"partly used", 1, false},
		{"used up", 3, false},
		{"drained", 0, true},
	} {
		c := newClock()
		table := newTable(3, c.Now)
		for range test.failed {
			begin(t, table, key(1))(true)
		}
		if test.drained {
			table.Drain(key(1))
		}
		c.Advance(10 * time.Second)
		table.Drain(key(1))
		c.Advance(time.Minute - time.Second)
		if got := table.Used(key(1)); got != 1 {
			t.Errorf("%s: %d tokens are used a second before the time, want 1", test.name, got)
		}
		c.Advance(time.Second)
		if got := table.Used(key(1)); got != 0 {
			t.Errorf("%s: %d tokens are used after the time", test.name, got)
		}
	}
	(*Table)(nil).Drain(key(1))
}

// TestUsed: what failed and was not refilled, and what is under way; to ask is no use
// of a key.
func TestUsed(t *testing.T) {
	t.Parallel()
	c := newClock()
	table := throttle.New[string](3, 24*time.Hour, c.Now)
	check := func(when string, want int) {
		t.Helper()
		if got := table.Used("alice"); got != want {
			t.Errorf("%s %d tokens are used, want %d", when, got, want)
		}
	}
	check("at first", 0)
	if table.Len() != 0 {
		t.Error("a key is remembered that was only asked for")
	}
	one, _, _ := table.Begin("alice")
	check("under way", 1)
	two, _, _ := table.Begin("alice")
	check("both under way", 2)
	one(true)
	check("after a failure", 2)
	two(false)
	check("after a success", 1)
	c.Advance(time.Hour)
	check("an hour later", 1)
	c.Advance(7 * time.Hour)
	check("when it is refilled", 0)
	if got := (*throttle.Table[string])(nil).Used("alice"); got != 0 {
		t.Errorf("without a limit %d tokens are used", got)
	}
}
