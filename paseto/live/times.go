package live

import (
	"sync"
	"time"
)

// A token expires by the Authorizer's clock. That clock jumps when it is set, or when the
// machine has slept. So a right ends when the first of two things happens: the time that its
// token had left when it was shown has passed, or the Authorizer's clock says that the token
// has expired.

// times tells the time by two clocks: one that nobody sets, and that of the Authorizer.
type times struct {
	made time.Time        // by a clock that nobody sets
	born time.Time        // by the Authorizer's clock
	wall func() time.Time // that clock

	mu       sync.Mutex
	lastMono time.Duration // when passed was last called, as the time since made
	lastWall time.Time     // the same by the Authorizer's clock
	total    time.Duration // what had passed then
}

func newTimes(now func() time.Time) *times {
	wall := func() time.Time { return now().Round(0) } // Round removes the monotonic clock
	born := wall().Add(-1)                             // so that no moment is 0, which means none
	return &times{made: time.Now().Add(-1), born: born, wall: wall, lastWall: born}
}

// moment returns how long ago the keeper was made, by a clock that nobody sets.
func (t *times) moment() time.Duration { return time.Since(t.made) }

// passed returns the time of a third clock, which is never behind the other two: between two
// calls it moves on as far as the faster one. A time that it has not reached, neither of them
// has reached. So one schedule is enough for both.
func (t *times) passed() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	mono, wall := t.moment(), t.wall()
	if step := max(mono-t.lastMono, wall.Sub(t.lastWall)); step > 0 {
		t.total = min(t.total+min(step, farAway), farAway)
	}
	t.lastMono, t.lastWall = mono, wall
	return t.made.Add(t.total)
}

// farAway is the longest time that a schedule waits. The expiry of a token may be further away.
const farAway = 100 * 365 * 24 * time.Hour
