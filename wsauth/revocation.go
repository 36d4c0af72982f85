package wsauth

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// How a revocation finds the connections that it is about. The denylist tells of each
// as it is made; what it may not have told is found by asking anew for all
// connections, from time to time and after every gap. A connection is registered
// before it is asked for the last time, so that none slips between.

// watch closes what the denylist says is revoked, until the guard's life ends.
func (g *Guard) watch() {
	for g.life.Err() == nil {
		err := g.auth.WatchDenylist(g.life, g.hear)
		if g.life.Err() != nil || errors.Is(err, denylist.ErrClosed) {
			return
		}
		g.log.Error("denylist cannot be watched; revocations close connections late", "err", err)
		g.pause(watchPause)
	}
}

// watchPause is between two attempts to watch.
const watchPause = time.Second

// pause waits, unless the guard's life ends.
func (g *Guard) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.life.Done():
	}
}

// hear acts on what the denylist tells. What it does not know may end rights.
func (g *Guard) hear(e denylist.Event) {
	switch e.Kind {
	default:
		g.recheckSoon()
		signal(g.missedLeases)
	case denylist.EventDisplaced:
		g.displaced(e.Lease)
	case denylist.EventRevoked:
		for _, c := range g.conns.covered(e.Revocation) {
			if g.auth.RevokedBy(c.Claims(), e.Revocation) {
				go c.close(refusal.New(paseto.ErrRevoked))
			}
		}
	}
}

// recheckSoon has all connections asked for without waiting for the interval.
func (g *Guard) recheckSoon() { signal(g.missed) }

// signal sends to a channel of capacity one, unless there is something in it.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// recheck asks for all connections at every interval and after every gap, until the
// guard's life ends.
func (g *Guard) recheck() {
	interval := g.cfg.RecheckInterval
	if g.cfg.MaxUnchecked != paseto.NoLimit { // so that an outage is noticed before it has lasted too long
		interval = min(interval, g.cfg.MaxUnchecked/2)
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-g.life.Done():
			return
		case <-g.missed:
		case <-timer.C:
		}
		next := interval
		if !g.recheckAll(g.life) {
			next = min(next, recheckPause)
		}
		timer.Reset(next)
	}
}

const (
	// recheckPause is how soon all are asked for again when the denylist could
	// not be asked for some.
	recheckPause = 5 * time.Second
	// rechecks is how many are asked for at a time.
	rechecks = 16
	// recheckTimeout bounds a question to a store that does not do so itself.
	recheckTimeout = 5 * time.Second
	// maxFailures is how many questions in a row may fail before the denylist
	// counts as away, and is not asked the others: that would take the time of
	// as many calls.
	maxFailures = 2 * rechecks
)

// Recheck looks at all connections now, as the guard does by itself from time to time
// (see [Config.RecheckInterval]), and begins to close those that would not be admitted
// any more: their time has come by the Authorizer's clock, their token is revoked, or
// its key has been taken out. A program calls it when it cannot wait, such as after
// [paseto.Authorizer.SetKeys] took out a key that has leaked; a test, after it has moved
// the clock. The error is that of ctx, or [paseto.ErrUnavailable] if the denylist could
// not be asked for all.
func (g *Guard) Recheck(ctx context.Context) error {
	if !g.recheckAll(ctx) {
		return cmp.Or[error](ctx.Err(), refusal.New(paseto.ErrUnavailable))
	}
	return nil
}

// recheckAll closes the connections that would not be admitted any more, and reports
// whether that is known of all.
func (g *Guard) recheckAll(ctx context.Context) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failures, failed atomic.Int64 // in a row, and at all
	conns := make(chan *Conn)
	var workers sync.WaitGroup
	for range rechecks {
		workers.Go(func() {
			for c := range conns {
				if c.recheck(ctx) { // with ctx ended, what needs no denylist is still looked at
					failures.Store(0)
					continue
				}
				failed.Add(1)
				if failures.Add(1) >= maxFailures {
					stop()
				}
			}
		})
	}
	for _, c := range g.conns.all() {
		if over := c.overdue(); over != "" {
			go c.close(refusal.New(over))
		} else if c.Claims() != nil {
			conns <- c
		}
	}
	close(conns)
	workers.Wait()
	return failed.Load() == 0
}

// recheck closes the connection if it would not be admitted any more, or if that has
// not been known for too long. It reports whether it is known.
func (c *Conn) recheck(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	claims := c.Claims()
	switch err := c.gate.guard.auth.Recheck(ctx, claims); {
	case err == nil:
		c.checked.Store(c.gate.guard.moment())
	case isOutage(err):
		if g := c.gate.guard; g.cfg.MaxUnchecked != paseto.NoLimit && !g.failOpen && g.life.Err() == nil &&
			g.moment()-c.checked.Load() > int64(g.cfg.MaxUnchecked) {
			go c.close(refusal.New(paseto.ErrUnavailable))
		}
		return false
	case c.Claims() == claims: // and not renewed meanwhile
		go c.close(err)
	}
	return true
}
