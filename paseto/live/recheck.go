package live

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// recheck asks for all rights at every interval and after every gap, until the keeper's
// life ends. However many gaps there are, it begins at most one pass a second.
func (k *Keeper) recheck(life context.Context) {
	interval := k.cfg.RecheckInterval
	if k.cfg.MaxUnchecked != paseto.NoLimit { // so that an outage is noticed before it has lasted too long
		interval = min(interval, k.cfg.MaxUnchecked/2)
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		select {
		case <-life.Done():
			return
		case <-k.missed:
		case <-timer.C:
		}
		began := time.Now()
		next := interval
		if !k.recheckAll(life) {
			next = min(next, recheckPause)
		}
		timer.Reset(next)
		k.pause(min(passPause, interval) - time.Since(began))
	}
}

const (
	// passPause is from the begin of a pass over all to that of the next.
	passPause = time.Second
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

// Recheck looks at all rights now, as the keeper does by itself from time to time
// (see [Config.RecheckInterval]), and ends those that would not be admitted
// any more: their time has come by the Authorizer's clock, their token is revoked, or
// its key has been taken out. A program calls it when it cannot wait, such as after
// [paseto.Authorizer.SetKeys] took out a key that has leaked; a test, after it has moved
// the clock. The error is that of ctx, or [paseto.ErrUnavailable] if the denylist could
// not be asked for all.
func (k *Keeper) Recheck(ctx context.Context) error {
	if !k.recheckAll(ctx) {
		return cmp.Or[error](ctx.Err(), refusal.New(paseto.ErrUnavailable))
	}
	return nil
}

// recheckAll ends the rights that would not be admitted any more, and reports
// whether that is known of all.
func (k *Keeper) recheckAll(ctx context.Context) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failures, failed atomic.Int64 // in a row, and at all
	rights := make(chan *Right)
	var workers sync.WaitGroup
	for range rechecks {
		workers.Go(func() {
			for r := range rights {
				if r.recheck(ctx) { // with ctx ended, what needs no denylist is still looked at
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
	k.rights.walk(func(r *Right) bool {
		if r.inForce() && k.rights.claimsOf(r) != nil {
			rights <- r
		}
		return true
	})
	close(rights)
	workers.Wait()
	return failed.Load() == 0
}

// recheck ends the right if it would not be admitted any more, or if that has
// not been known for too long. It reports whether it is known.
func (r *Right) recheck(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	k := r.keeper
	claims := k.rights.claimsOf(r) // in force, or about to be, which may take long
	switch err := k.auth.Recheck(ctx, claims); {
	case err == nil:
		r.checked.Store(int64(k.times.moment()))
	case isOutage(err):
		if k.cfg.MaxUnchecked != paseto.NoLimit && !k.failOpen && k.life.Err() == nil &&
			k.times.moment()-time.Duration(r.checked.Load()) > k.cfg.MaxUnchecked {
			r.End(refusal.New(paseto.ErrUnavailable))
		}
		return false
	case k.rights.claimsOf(r) == claims: // and not renewed meanwhile
		r.End(err)
	}
	return true
}
