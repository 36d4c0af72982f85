package live

import (
	"sync"
	"time"
)

// A token expires by the Authorizer's clock, which jumps when it is set, or when the
// machine has slept. A right ends by whichever comes first: the time that it had left when
// its token was shown has passed, or the Authorizer's clock says that its time has come.

// times tells the time by two clocks.
type times struct {
	made time.Time        // by a clock that nobody sets
	born time.Time        // by the Authorizer's clock
	wall func() time.Time // that clock

	mu       sync.Mutex
	lastMono time.Duration // when passed was last called, since made
	lastWall time.Time
	total    time.Duration // what has passed by then
}

func newTimes(now func() time.Time) *times {
	wall := func() time.Time { return now().Round(0) } // and not the monotonic one
	born := wall().Add(-1)                             // so that no moment is 0, which stands for none
	return &times{made: time.Now().Add(-1), born: born, wall: wall, lastWall: born}
}

// moment returns how long ago the keeper was made, by a clock that nobody sets.
func (t *times) moment() time.Duration { return time.Since(t.made) }

// passed returns a time of a third clock, which is never behind either of the two: between
// two calls it goes on by what the faster one has. What it says has not passed, has passed
// by neither. So one schedule is enough for both.
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

// farAway is further than anything that is waited for. A token may say more.
const farAway = 100 * 365 * 24 * time.Hour
