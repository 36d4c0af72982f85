package live

import (
	"cmp"
	"context"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// A right ends by itself when its token expires, and when it reaches its greatest age. All
// rights of a keeper share one schedule, which calls a right when the first of these is due.

// Deadline returns when the right ends if its token is not renewed. That is when the token
// expires plus the Authorizer's leeway, or when the right reaches [Config.MaxLifetime],
// whichever comes first. It is zero for a right that never ends so. A renewal moves it.
func (r *Right) Deadline() time.Time {
	deadline, _ := r.deadline()
	return deadline
}

// deadline also returns the cause that the right ends with then.
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

// left returns the time until the right ends by the clock that is ahead, and the cause then.
// bounded is false if it never ends so.
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

// Err returns nil while the right is in force, and the cause when it has ended: the same as
// [context.Cause] of its context. If the token has expired by now, Err ends the right: after a
// machine has slept, it knows that before the context does.
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

// begin makes the claims of a right count from now on, and its greatest age.
func (r *Right) begin() {
	k := r.keeper
	if r.began.Load() == 0 {
		r.began.Store(int64(k.times.moment()))
		r.beganWall.Store(cmp.Or(int64(k.times.wall().Sub(k.times.born)), 1)) // the clock may have been set back
	}
	r.expireLater()
}

// expireLater schedules the end of the right for when its present token expires.
func (r *Right) expireLater() {
	k := r.keeper
	expireAt := time.Duration(0)
	if deadline := k.auth.Deadline(r.Claims()); !deadline.IsZero() {
		expireAt = max(1, k.times.moment()+min(deadline.Sub(k.times.wall()), farAway))
	}
	r.expireAt.Store(int64(expireAt))
	r.schedule()
}

// schedule has the keeper's schedule call ring when the right may have to end.
func (r *Right) schedule() {
	d, _, bounded := r.left()
	if bounded {
		r.keeper.deadlines.Set(r, r.keeper.times.passed().Add(min(d, farAway)))
	}
	if !bounded || r.Ended() { // it may have ended, and been removed, before Set
		r.keeper.deadlines.Remove(r)
	}
}

// ring ends the right, unless its token was renewed meanwhile or the clock was set back.
func (r *Right) ring() {
	if r.inForce() {
		r.schedule()
	}
}
