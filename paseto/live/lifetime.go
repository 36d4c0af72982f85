package live

import (
	"cmp"
	"context"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// What ends a right at a time of its own: its token's expiry, and its greatest age. One
// schedule rings all rights of a keeper when the next of these is due.

// Deadline returns when the right ends unless its token is renewed: when that expires, the
// Authorizer's leeway added, or at [Config.MaxLifetime], whichever comes first; zero for
// never. A renewal moves it.
func (r *Right) Deadline() time.Time {
	deadline, _ := r.deadline()
	return deadline
}

// deadline also returns what the right ends with.
func (r *Right) deadline() (at time.Time, over paseto.Code) {
	k := r.keeper
	at, over = k.auth.Deadline(r.Claims()), paseto.ErrExpired
	if began := r.beganWall.Load(); began != 0 && k.cfg.MaxLifetime > 0 {
		if end := k.times.born.Add(time.Duration(began)).Add(k.cfg.MaxLifetime); at.IsZero() || end.Before(at) {
			at, over = end, ErrLifetime
		}
	}
	return at, over
}

// left returns the time until the right is over by the first clock that says so, and what
// it ends with then. Without an end it is not bounded.
func (r *Right) left() (d time.Duration, over paseto.Code, bounded bool) {
	k := r.keeper
	at, over := r.deadline()
	if at.IsZero() {
		return 0, "", false
	}
	d = at.Sub(k.times.wall())
	moment := k.times.moment()
	if expireAt := r.expireAt.Load(); expireAt != 0 && time.Duration(expireAt)-moment < d {
		d, over = time.Duration(expireAt)-moment, paseto.ErrExpired
	}
	if began := r.began.Load(); began != 0 && k.cfg.MaxLifetime > 0 {
		if left := time.Duration(began) + k.cfg.MaxLifetime - moment; left < d {
			d, over = left, ErrLifetime
		}
	}
	return d, over, true
}

// Err returns nil while the right is in force, and then why it is not: what [context.Cause]
// says of its context. It ends the right if its time has come: the schedule alone would be
// late on a machine that slept.
func (r *Right) Err() error {
	if !r.inForce() {
		return r.cause()
	}
	return context.Cause(r.ctx)
}

func (r *Right) inForce() bool {
	if r.Ended() {
		return false
	}
	if d, over, bounded := r.left(); bounded && d <= 0 {
		r.End(refusal.New(over))
		return false
	}
	return true
}

// begin begins the life of a right, whose greatest age counts from now on.
func (r *Right) begin() {
	k := r.keeper
	if r.began.Load() == 0 {
		r.began.Store(int64(k.times.moment()))
		r.beganWall.Store(cmp.Or(int64(k.times.wall().Sub(k.times.born)), 1)) // the clock may have been set back
	}
	r.expireLater()
}

// expireLater has the right end when the token that it has now expires.
func (r *Right) expireLater() {
	k := r.keeper
	expireAt := time.Duration(0)
	if deadline := k.auth.Deadline(r.Claims()); !deadline.IsZero() {
		expireAt = max(1, k.times.moment()+min(deadline.Sub(k.times.wall()), farAway))
	}
	r.expireAt.Store(int64(expireAt))
	r.schedule()
}

// schedule has the right rung when its time may have come.
func (r *Right) schedule() {
	d, _, bounded := r.left()
	if bounded {
		r.keeper.deadlines.Set(r, r.keeper.times.passed().Add(min(d, farAway)))
	}
	if !bounded || r.Ended() { // and perhaps taken out before
		r.keeper.deadlines.Remove(r)
	}
}

// ring ends the right, unless its token was renewed meanwhile, or the clock set back.
func (r *Right) ring() {
	if r.inForce() {
		r.schedule()
	}
}
