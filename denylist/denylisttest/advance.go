package denylisttest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

func testAdvance(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	long := strings.Repeat("\x00\xff", 1<<10)
	advance(t, s, "k", "one", "two", until, "", false) // there is none
	advance(t, s, "k", "", "one", until, "one", true)
	advance(t, s, "k", "", "other", until, "one", false)
	advance(t, s, "k", "two", "three", until, "one", false)
	advance(t, s, "k", "on", "three", until, "one", false)
	advance(t, s, "k", "one", "two", until, "two", true)
	advance(t, s, "k", "one", "two", until, "two", false)
	advance(t, s, "k", "two", "one", until, "one", true) // back is a way like any other
	advance(t, s, "k", "one", long, until, long, true)
	advance(t, s, "k", long+"x", "end", until, long, false)
	advance(t, s, "k", long, "end", until, "end", true)
	advance(t, s, "other", "end", "x", until, "", false)
}

// testAdvanceExpiry: the last call that advances a record decides how long it
// lives, and one that does not changes nothing.
func testAdvanceExpiry(t *testing.T, h Harness, s denylist.Store) {
	soon, later := h.Now().Add(h.life()), h.Now().Add(time.Hour)
	for key, until := range map[string][2]time.Time{
		"longer": {soon, later}, "shorter": {later, soon}, "for ever": {soon, {}}, "not for ever": {{}, soon},
	} {
		advance(t, s, key, "", "one", until[0], "one", true)
		advance(t, s, key, "one", "two", until[1], "two", true)
		advance(t, s, key, "one", "three", time.Time{}, "two", false)
	}
	h.pass(4 * time.Second)
	for _, key := range []string{"shorter", "not for ever"} {
		h.eventually(t, key+": the record is gone", func() bool {
			current, advanced, err := s.Advance(t.Context(), key, "", "new", later)
			if err != nil {
				t.Fatalf("Advance: %v", err)
			}
			return current == "new" && advanced
		})
	}
	advance(t, s, "longer", "two", "three", later, "three", true)
	advance(t, s, "for ever", "two", "three", later, "three", true)
}

// testAdvanceConsumed: the keys of Advance are those of Consume, and a key that
// was consumed with an empty value is not one without a record.
func testAdvanceConsumed(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	consume(t, s, "k", "one", until, "one", true)
	advance(t, s, "k", "", "two", until, "one", false)
	advance(t, s, "k", "one", "two", until, "two", true)
	consume(t, s, "k", "three", until, "two", false)
	advance(t, s, "advanced", "", "one", until, "one", true)
	consume(t, s, "advanced", "two", until, "one", false)
	consume(t, s, "empty", "", until, "", true)
	advance(t, s, "empty", "", "two", until, "", false)
	consume(t, s, "empty", "three", until, "", false)
}

// steps is how far a value is advanced in the tests of concurrency.
const steps = 20

// testAdvanceConcurrently has many callers advance one value, each as far as it
// gets: every step is made once.
func testAdvanceConcurrently(t *testing.T, h Harness, s denylist.Store) {
	race(t, h, s)
}

func testPeerAdvance(t *testing.T, h Harness, s denylist.Store) {
	other := h.peer(t, s)
	until := h.Now().Add(time.Hour)
	advance(t, s, "k", "", "one", until, "one", true)
	advance(t, other, "k", "", "two", until, "one", false)
	advance(t, other, "k", "one", "two", until, "two", true)
	advance(t, s, "k", "one", "three", until, "two", false)
	race(t, h, s, other)
}

// race advances a value from "" to "1" and on to "20", by many callers of each of
// the stores.
func race(t *testing.T, h Harness, stores ...denylist.Store) {
	t.Helper()
	until := h.Now().Add(time.Hour)
	var made [steps + 1]atomic.Int32
	together(callers/10, func(i int) {
		from := ""
		for step := 1; step <= steps; step++ {
			to := fmt.Sprint(step)
			current, advanced, err := stores[i%len(stores)].Advance(t.Context(), "race", from, to, until)
			switch {
			case err != nil:
				t.Errorf("Advance: %v", err)
				return
			case advanced:
				made[step].Add(1)
			case current == from:
				t.Errorf("Advance from %q = %q, false", from, current)
				return
			}
			if advanced && current != to {
				t.Errorf("Advance to %q = %q, true", to, current)
			}
			if _, err := fmt.Sscan(current, &step); err != nil {
				t.Errorf("Advance = %q: %v", current, err)
				return
			}
			from = current
		}
	})
	for step := 1; step <= steps; step++ {
		if n := made[step].Load(); n != 1 {
			t.Errorf("%d callers made step %d, want 1", n, step)
		}
	}
}

func advance(t *testing.T, s denylist.Store, key, from, to string, until time.Time, current string, advanced bool) {
	t.Helper()
	gotCurrent, gotAdvanced, err := s.Advance(t.Context(), key, from, to, until)
	if err != nil {
		t.Fatalf("Advance: %v", err)
	}
	if gotCurrent != current || gotAdvanced != advanced {
		t.Errorf("Advance(%.20q, %.20q, %.20q) = %.20q, %t; want %.20q, %t", key, from, to, gotCurrent, gotAdvanced, current, advanced)
	}
}
