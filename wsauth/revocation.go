package wsauth

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
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

// hear acts on what the denylist tells.
func (g *Guard) hear(e denylist.Event) {
	switch {
	case e.Missed:
		select {
		case g.missed <- struct{}{}:
		default: // all will be asked for anyway
		}
	case e.Displaced != denylist.Lease{}:
		g.displaced(e.Displaced)
	default:
		for _, c := range g.conns.covered(e.Revocation) {
			if g.auth.RevokedBy(c.Claims(), e.Revocation) {
				go c.close(paseto.ErrRevoked)
			}
		}
	}
}

// recheck asks for all connections at every interval and after every gap, until the
// guard's life ends.
func (g *Guard) recheck() {
	timer := time.NewTimer(g.cfg.RecheckInterval)
	defer timer.Stop()
	for {
		select {
		case <-g.life.Done():
			return
		case <-g.missed:
		case <-timer.C:
		}
		next := g.cfg.RecheckInterval
		if !g.recheckAll() {
			g.closeUnchecked()
			next = min(next, recheckPause)
		}
		timer.Reset(next)
	}
}

const (
	// recheckPause is how soon all are asked for again when the denylist could
	// not be asked.
	recheckPause = 5 * time.Second
	// rechecks is how many are asked for at a time.
	rechecks = 16
)

// recheckAll closes the connections that would not be admitted any more, and reports
// whether it could ask for all. An outage ends it: that costs one call's time, and
// not every connection's.
func (g *Guard) recheckAll() bool {
	ctx, stop := context.WithCancel(g.life)
	defer stop()
	conns := make(chan *Conn)
	var workers sync.WaitGroup
	for range rechecks {
		workers.Go(func() {
			for c := range conns {
				if !c.recheck(ctx) {
					stop()
				}
			}
		})
	}
	for _, c := range g.conns.all() {
		if c.Claims() == nil {
			continue
		}
		select {
		case conns <- c:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(conns)
	workers.Wait()
	return ctx.Err() == nil
}

// recheck closes the connection if it would not be admitted any more. It reports
// whether that is known.
func (c *Conn) recheck(ctx context.Context) bool {
	claims := c.Claims()
	switch err := c.gate.guard.auth.Recheck(ctx, claims); {
	case err == nil:
		c.checked.Store(c.gate.guard.moment())
	case isOutage(err):
		return false
	case c.Claims() == claims: // and not renewed meanwhile
		go c.close(err)
	}
	return true
}

// closeUnchecked closes the connections of which nobody knows for too long whether
// they are revoked.
func (g *Guard) closeUnchecked() {
	if g.cfg.MaxUnchecked == NoLimit || g.life.Err() != nil {
		return
	}
	oldest := g.moment() - int64(g.cfg.MaxUnchecked)
	for _, c := range g.conns.all() {
		if c.Claims() != nil && c.checked.Load() < oldest {
			go c.close(paseto.ErrUnavailable)
		}
	}
}
