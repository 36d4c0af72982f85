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

// recheck checks all rights at every interval, and after every gap in what the denylist told,
// until the keeper's life ends. It begins at most one pass a second, however many gaps there
// are.
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
	// passPause is the time from the start of one pass over all rights to the start of the
	// next.
	passPause = time.Second
	// recheckPause is the time until the next pass when the denylist could not be asked
	// about some rights.
	recheckPause = 5 * time.Second
	// rechecks is how many rights are checked at a time.
	rechecks = 16
	// recheckTimeout bounds a question to a store that has no timeout of its own.
	recheckTimeout = 5 * time.Second
	// maxFailures is how many questions in a row may fail. After that the denylist counts as
	// unavailable, and the pass asks nothing more: each question could take a whole timeout.
	maxFailures = 2 * rechecks
)

// Recheck checks all rights now, as the keeper does by itself at [Config.RecheckInterval]. It
// ends those that would not be admitted any more: they have expired by the Authorizer's clock,
// their token is revoked, or its key was taken out. A program calls it when it cannot wait,
// for example after [paseto.Authorizer.SetKeys] took out a key that has leaked. A test calls
// it after it has moved the clock. The error is that of ctx, or [paseto.ErrUnavailable] if the
// denylist could not be asked about all rights.
func (k *Keeper) Recheck(ctx context.Context) error {
	if !k.recheckAll(ctx) {
		return cmp.Or[error](ctx.Err(), refusal.New(paseto.ErrUnavailable))
	}
	return nil
}

// recheckAll ends the rights that would not be admitted any more. It reports whether all
// rights could be checked.
func (k *Keeper) recheckAll(ctx context.Context) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failures, failed atomic.Int64 // in a row, and in all
	rights := make(chan *Right)
	var workers sync.WaitGroup
	for range rechecks {
		workers.Go(func() {
			for r := range rights {
				if r.recheck(ctx) { // when ctx has ended, this still checks what needs no denylist
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

// recheck ends the right if it would not be admitted any more, or if it could not be checked
// for too long. It reports whether it could be checked.
func (r *Right) recheck(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	k := r.keeper
	claims := k.rights.claimsOf(r) // in force, or soon: an admission may take long
	switch err := k.auth.Recheck(ctx, claims); {
	case err == nil:
		r.checked.Store(int64(k.times.moment()))
	case isOutage(err):
		if k.cfg.MaxUnchecked != paseto.NoLimit && !k.failOpen && k.life.Err() == nil &&
			k.times.moment()-time.Duration(r.checked.Load()) > k.cfg.MaxUnchecked {
			r.End(refusal.New(paseto.ErrUnavailable))
		}
		return false
	case k.rights.claimsOf(r) == claims: // otherwise it was renewed meanwhile
		r.End(err)
	}
	return true
}
