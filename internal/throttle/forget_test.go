package throttle_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/throttle"
)

// TestBounded: a flood of addresses costs no more memory than there is room.
func TestBounded(t *testing.T) {
	t.Parallel()
	table := newTable(10, newClock().Now)
	for n := range 80_000 {
		table.Allow(key(n))
	}
	if got := table.Len(); got != 1<<16 {
		t.Errorf("%d keys are remembered, want %d", got, 1<<16)
	}
}

// TestForgetOldest: the key that was not used for longest makes room for a new
// one; to be refused is a use.
func TestForgetOldest(t *testing.T) {
	t.Parallel()
	table := throttle.NewSized[netip.Prefix](2, newClock().Now, 1, 3)
	mustAllow(t, table, key(1), 2)
	mustAllow(t, table, key(2), 2)
	mustAllow(t, table, key(3), 2)
	mustAllow(t, table, key(1), 0)
	mustAllow(t, table, key(4), 2) // for 2
	mustAllow(t, table, key(1), 0)
	mustAllow(t, table, key(3), 0)
	mustAllow(t, table, key(4), 0)
	mustAllow(t, table, key(2), 2) // anew, and for 1
	mustAllow(t, table, key(1), 2)
}

// TestForgetNotUnderWay: keys with attempts under way outlast any flood, and do
// not hinder others; when the attempts have ended there is as much room as ever.
func TestForgetNotUnderWay(t *testing.T) {
	t.Parallel()
	const room, attempts = 8, 20
	table := throttle.NewSized[netip.Prefix](2, newClock().Now, 1, room)
	var ends []func(bool)
	for n := range attempts {
		begin(t, table, key(n))(true)
		ends = append(ends, begin(t, table, key(n)))
	}
	for n := range 1000 {
		mustAllow(t, table, key(attempts+n), 2)
	}
	if got := table.Len(); got != attempts+room {
		t.Errorf("%d keys are remembered, want %d with attempts under way, and %d", got, attempts, room)
	}
	for n := range room {
		mustAllow(t, table, key(attempts+999-n), 0) // they are what was used last
	}
	for n := range attempts {
		mustRefuse(t, table, key(n))
	}
	for _, end := range ends {
		end(true)
	}
	if got := table.Len(); got != room {
		t.Errorf("%d keys are remembered when no attempt is under way, want %d", got, room)
	}
	for n := attempts - room; n < attempts; n++ {
		mustRefuse(t, table, key(n)) // now these are
	}
}

// TestForgetSuccess: who never failed takes no room from who did.
func TestForgetSuccess(t *testing.T) {
	t.Parallel()
	table := throttle.NewSized[netip.Prefix](1, newClock().Now, 1, 3)
	begin(t, table, key(0))(true)
	for n := 1; n < 1000; n++ {
		begin(t, table, key(n))(false)
	}
	mustRefuse(t, table, key(0))
	if got := table.Len(); got != 1 {
		t.Errorf("%d keys are remembered, want the one that failed", got)
	}
}

// TestForgetFull: there is no need to remember who failed more than a minute
// ago.
func TestForgetFull(t *testing.T) {
	t.Parallel()
	c := newClock()
	table := throttle.NewSized[netip.Prefix](10, c.Now, 1, 1000)
	for n := range 1000 {
		mustAllow(t, table, key(n), 10)
	}
	c.Advance(time.Minute + 1)
	mustAllow(t, table, key(2000), 10)
	if got := table.Len(); got != 1 {
		t.Errorf("%d keys are remembered a minute later, want that which was used last", got)
	}
	mustAllow(t, table, key(1), 10)
}
