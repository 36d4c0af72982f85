// Package clock tells the time by which records expire. The wall clock of a machine
// may jump: ahead by an hour, and back when somebody notices. A record that was
// removed in between is missing afterwards, and what it revoked is valid again. So
// a record is removed only when its time has come by the wall clock, and when as
// much time has passed by the monotonic clock as well, which never jumps.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time. It is safe for concurrent use.
//
// The monotonic clock alone would never learn of a wall clock that was wrong at
// first, and it stands still while a machine sleeps. So what the wall clock is
// ahead by counts as passed once it has been ahead by that much for [patience].
type Clock struct {
	wall    func() time.Time
	elapsed func() time.Duration // since some moment, by the monotonic clock
	own     bool                 // wall was given by the program

	// start is the wall clock at the moment that elapsed counts from.
	start atomic.Pointer[time.Time]

	mu    sync.Mutex
	since time.Duration // when the watch of lag began, by elapsed
	lag   time.Duration // the least that the wall clock was ahead by since then
}

// patience is how long the wall clock must be ahead until it is believed.
const patience = 24 * time.Hour

// Reading is the time at one moment, in Unix seconds.
type Reading struct {
	// Now is the time by which a record counts or does not.
	Now int64
	// Passed is the time by which a record may be removed. It is never later
	// than Now.
	Passed int64
}

// New returns a Clock that begins at the present time of the wall clock. Now is a
// wall clock of the program's own, or nil for the machine's. Records count by the
// program's clock alone, so that its tests can move it, and are removed by both
// clocks in any case.
func New(now func() time.Time) *Clock {
	began := time.Now()
	elapsed := func() time.Duration { return time.Since(began) }
	if now == nil {
		return newClock(time.Now, elapsed, false)
	}
	return newClock(now, elapsed, true)
}

func newClock(wall func() time.Time, elapsed func() time.Duration, own bool) *Clock {
	c := &Clock{wall: wall, elapsed: elapsed, own: own, since: elapsed()}
	// Without its monotonic reading, so that it is compared by the wall clock.
	start := wall().Round(0).Add(-c.since)
	c.start.Store(&start)
	return c
}

// Now returns the time by which a record counts or does not. It takes no lock.
func (c *Clock) Now() int64 {
	wall := c.wall().Unix()
	if c.own {
		return wall
	}
	return min(wall, c.start.Load().Add(c.elapsed()).Unix())
}

// Read returns the time. What makes records calls it, for it also watches how far
// the wall clock is ahead.
func (c *Clock) Read() Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, elapsed := c.wall().Round(0), c.elapsed()
	steady := c.start.Load().Add(elapsed)
	c.lag = min(c.lag, wall.Sub(steady))
	if elapsed-c.since >= patience {
		if c.lag > 0 {
			steady = steady.Add(c.lag)
			start := steady.Add(-elapsed)
			c.start.Store(&start)
		}
		c.since, c.lag = elapsed, wall.Sub(steady)
	}
	r := Reading{Now: wall.Unix(), Passed: min(wall.Unix(), steady.Unix())}
	if !c.own {
		r.Now = r.Passed
	}
	return r
}
