package live_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestEndOfLife: a right ends at the first of the times that bound it, which is what
// Deadline says, to the nanosecond.
func TestEndOfLife(t *testing.T) {
	t.Parallel()
	const minutes = 10 * time.Minute
	token := paseto.Grant{Subject: "alice", TTL: minutes}
	never := paseto.Grant{TTL: paseto.NoExpiry}
	for _, test := range []struct {
		name     string
		leeway   time.Duration
		grant    *paseto.Grant // nil: anonymous
		lifetime time.Duration
		lives    time.Duration
		want     paseto.Code
	}{
		{"expiry", 0, &token, 0, minutes, paseto.ErrExpired},
		{"expiry with leeway", time.Minute, &token, 0, minutes + time.Minute, paseto.ErrExpired},
		{"expiry before the greatest age", 0, &token, minutes + 1, minutes, paseto.ErrExpired},
		{"expiry at the greatest age", 0, &token, minutes, minutes, paseto.ErrExpired},
		{"greatest age before the expiry", 0, &token, minutes - 1, minutes - 1, live.ErrLifetime},
		{"greatest age of an anonymous right", 0, nil, 5 * time.Hour, 5 * time.Hour, live.ErrLifetime},
		{"greatest age without expiry", 0, &never, time.Hour, time.Hour, live.ErrLifetime},
	} {
		tokens := paseto.Config{AllowNoExpiry: true, Leeway: test.leeway}
		run(t, test.name, setting{tokens: tokens, cfg: live.Config{MaxLifetime: test.lifetime}}, func(k keeping) {
			h := k.open(test.grant)
			if got, want := h.Deadline(), time.Now().Add(test.lives); !got.Equal(want) {
				k.Errorf("Deadline is %s, want %s", got, want)
			}
			time.Sleep(test.lives - 1)
			h.checkStays("alice")
			h.checkEnds(test.want, 1, 1)
		})
	}
}

// TestEndlessLife has nothing that bounds it, or something so far away that no
// [time.Duration] reaches it.
func TestEndlessLife(t *testing.T) {
	t.Parallel()
	never := paseto.Grant{TTL: paseto.NoExpiry}
	for _, test := range []struct {
		name    string
		grant   *paseto.Grant
		longest time.Duration
		bounded bool
	}{
		{"anonymous", nil, 0, false},
		{"no expiry", &never, 0, false},
		{"expiry in the year 9999", &paseto.Grant{ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, 0, true},
		{"longest lifetime", &never, 876000 * time.Hour, true},
	} {
		tokens := paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry, SessionTTL: paseto.NoExpiry}
		cfg := live.Config{MaxLifetime: test.longest, RecheckInterval: 24 * time.Hour, MaxUnchecked: paseto.NoLimit}
		run(t, test.name, setting{tokens: tokens, cfg: cfg}, func(k keeping) {
			h := k.open(test.grant)
			if bounded := !h.Deadline().IsZero(); bounded != test.bounded {
				k.Errorf("Deadline is %s", h.Deadline())
			}
			time.Sleep(3 * 24 * time.Hour)
			h.checkStays("alice")
			k.ahead.Store(int64(99 * 365 * 24 * time.Hour))
			time.Sleep(2 * time.Second)
			h.checkStays("alice, whose clock is far ahead")
		})
	}
}

// TestRenewalMovesTheEnd, but never beyond the greatest age.
func TestRenewalMovesTheEnd(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{MaxLifetime: time.Hour}}, func(k keeping) {
		began, first := time.Now(), alice(20*time.Minute)
		h := k.open(&first)
		for _, step := range []struct{ at, ttl, ends time.Duration }{
			{10 * time.Minute, 20 * time.Minute, 30 * time.Minute},
			{29 * time.Minute, 31*time.Minute - time.Second, time.Hour - time.Second},
			{40 * time.Minute, 24 * time.Hour, time.Hour},
		} {
			time.Sleep(step.at - time.Since(began))
			k.must(h.Renew(k.Context(), k.token(alice(step.ttl))))
			if got := h.Deadline().Sub(began); got != step.ends {
				k.Errorf("renewed at %s for %s, the right is to end at %s, want %s", step.at, step.ttl, got, step.ends)
			}
		}
		h.checkEnds(live.ErrLifetime, 20*time.Minute, 20*time.Minute)

		second := k.open(&first)
		for range 20 {
			time.Sleep(19 * time.Minute / 10)
			k.must(second.Renew(k.Context(), k.token(alice(20*time.Minute))))
		}
		second.checkEnds(paseto.ErrExpired, 20*time.Minute-time.Second, 20*time.Minute)
	})
}

// TestClockThatJumps, because somebody sets it or the machine has slept, ends what has
// expired by it within a second, or at once where somebody looks. It lengthens no life.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	const hour, minutes = time.Hour, 10 * time.Minute
	type jump struct{ after, by time.Duration }
	for _, test := range []struct {
		name        string
		jumps       []jump
		renewed     time.Duration // for how long the token is renewed before; 0 for not at all
		least, most time.Duration // how long the right lives
	}{
		{"past the expiry", []jump{{time.Minute, 2 * hour}}, 0, time.Minute, time.Minute + time.Second},
		{"past the expiry of a renewed token", []jump{{time.Minute, 4 * hour}}, 3 * hour, time.Minute, time.Minute + time.Second},
		{"past the expiry of the token before", []jump{{time.Minute, 2 * hour}}, 3 * hour, hour, hour + time.Second},
		{"near the expiry", []jump{{time.Minute, hour - minutes}}, 0, minutes, minutes + time.Second},
		{"step by step", []jump{{time.Minute, hour / 4}, {time.Minute, hour / 4}, {time.Minute, hour / 4}, {time.Minute, hour / 4}}, 0,
			4 * time.Minute, 4*time.Minute + time.Second},
		{"to the expiry", []jump{{0, hour}}, 0, 0, time.Second},
		{"ahead and back at once", []jump{{time.Minute, 2 * hour}, {0, -2 * hour}}, 0, hour, hour},
		{"ahead and back before the expiry", []jump{{time.Minute, hour / 2}, {time.Minute, -hour / 2}}, 0, hour, hour},
		{"back", []jump{{time.Minute, -hour}}, 0, hour, hour},
		{"back and ahead", []jump{{time.Minute, -hour}, {time.Minute, 3 * hour}}, 0, 2 * time.Minute, 2*time.Minute + time.Second},
	} {
		for _, looks := range []bool{false, true} {
			cfg := live.Config{RecheckInterval: 24 * hour, MaxUnchecked: paseto.NoLimit}
			run(t, map[bool]string{false: test.name, true: test.name + ", and somebody looks"}[looks], setting{cfg: cfg}, func(k keeping) {
				began, token := time.Now(), alice(hour)
				h := k.open(&token)
				if test.renewed != 0 {
					k.must(h.Renew(k.Context(), k.token(alice(test.renewed))))
				}
				for _, jump := range test.jumps {
					time.Sleep(jump.after)
					k.ahead.Add(int64(jump.by))
				}
				passed := time.Since(began)
				if looks {
					if live := h.Err() == nil; live != (passed < test.least) {
						k.Errorf("after %s the right is live: %t", passed, live)
					}
					if passed >= test.least { // the look has ended it
						h.checkEnds(paseto.ErrExpired, 0, 0)
						return
					}
				}
				h.checkEnds(paseto.ErrExpired, test.least-passed, test.most-passed)
			})
		}
	}
}

// TestClockSetBack before a right is opened, even to before the keeper was made: it gets the
// lifetime that it would get else.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	const lifetime = 10 * time.Minute
	for _, back := range []time.Duration{0, time.Second, time.Minute, lifetime - 1, lifetime, lifetime + 1, 9 * time.Hour} {
		run(t, back.String(), setting{cfg: live.Config{MaxLifetime: lifetime}}, func(k keeping) {
			k.ahead.Store(-int64(back))
			h := k.open(nil)
			if late := h.Deadline().Sub(k.auth.Now()) - lifetime; late < 0 || late > 1 { // a nanosecond, where the time would be that of the keeper
				k.Errorf("Deadline is %s after the greatest age", late)
			}
			h.checkEnds(live.ErrLifetime, lifetime, lifetime+1)
		})
	}
}

// TestContextOfTheCaller: a right's context ends with that which it was opened with, and Err says why; the right itself
// ends when it is released.
func TestContextOfTheCaller(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		gone := errors.New("the client has gone")
		ctx, leave := context.WithCancelCause(k.Context())
		r, err := k.OpenToken(ctx, k.token(alice(time.Hour)), nil, nil)
		if err != nil {
			k.Fatal(err)
		}
		leave(gone)
		if r.Err() != gone || context.Cause(r.Context()) != gone || r.Ended() {
			k.Errorf("Err is %v, the context ends with %v, ended: %t", r.Err(), context.Cause(r.Context()), r.Ended())
		}
		r.Release()
		if r.Err() != gone || !r.Ended() {
			k.Errorf("released: Err is %v, ended: %t", r.Err(), r.Ended())
		}
	})
}

// TestAgeCountsFromAdmission, however long a right has waited for its token.
func TestAgeCountsFromAdmission(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{MaxLifetime: time.Hour}}, func(k keeping) {
		r, err := k.Reserve(k.Context(), nil, nil)
		k.must(err)
		defer r.Release()
		time.Sleep(2 * time.Hour)
		k.must(r.Err())
		k.must(r.Admit(k.Context(), k.verify(lasting("alice"))))
		if got := r.Deadline().Sub(k.auth.Now()); got != time.Hour {
			k.Errorf("the right is to end in %s, want an hour", got)
		}
	})
}
