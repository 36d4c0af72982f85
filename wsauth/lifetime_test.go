package wsauth_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// toldOf is an echo that tells of its connection.
func toldOf(conns chan<- *wsauth.Conn) wsauth.Handler {
	return func(ctx context.Context, conn *wsauth.Conn) {
		conns <- conn
		echo(ctx, conn)
	}
}

// TestEndOfLife closes at the first of the times that bound a connection, which is
// what Deadline says, to the nanosecond.
func TestEndOfLife(t *testing.T) {
	t.Parallel()
	const minutes = 10 * time.Minute
	token := paseto.Grant{Subject: "alice", TTL: minutes}
	for _, test := range []struct {
		name     string
		tokens   paseto.Config
		grant    *paseto.Grant // nil: anonymous
		lifetime time.Duration
		lives    time.Duration
		want     paseto.Code
		code     wsauth.CloseCode
	}{
		{"expiry", paseto.Config{}, &token, 0, minutes, paseto.ErrExpired, wsauth.ClosePolicyViolation},
		{"expiry with leeway", paseto.Config{Leeway: time.Minute}, &token, 0, minutes + time.Minute, paseto.ErrExpired, wsauth.ClosePolicyViolation},
		{"expiry before the lifetime", paseto.Config{}, &token, minutes + 1, minutes, paseto.ErrExpired, wsauth.ClosePolicyViolation},
		{"expiry at the end of the lifetime", paseto.Config{}, &token, minutes, minutes, paseto.ErrExpired, wsauth.ClosePolicyViolation},
		{"lifetime before the expiry", paseto.Config{}, &token, minutes - 1, minutes - 1, live.ErrLifetime, wsauth.CloseGoingAway},
		{"lifetime of an anonymous connection", paseto.Config{}, nil, 5 * time.Hour, 5 * time.Hour, live.ErrLifetime, wsauth.CloseGoingAway},
		{"lifetime of a token without expiry", paseto.Config{AllowNoExpiry: true}, &paseto.Grant{TTL: paseto.NoExpiry}, time.Hour, time.Hour,
			live.ErrLifetime, wsauth.CloseGoingAway},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, test.tokens, setup{Config: wsauth.Config{}, live: live.Config{MaxLifetime: test.lifetime}}, echo, func(b bubble) {
				began, send := time.Now(), none()
				if test.grant != nil {
					send = bearer(access(b, b.auth, *test.grant))
				}
				client := b.call(send, true)
				conn := b.only()
				if got, want := conn.Deadline(), began.Add(test.lives); !got.Equal(want) {
					t.Errorf("Deadline is %s, want %s", got, want)
				}
				client.checkLives(test.lives - 1)
				client.checkEcho()
				client.checkEnd(test.code, test.want.Message())
				client.checkLived(began, test.lives)
				checkCause(b, conn, test.want)
			})
		})
	}
}

// TestNoDeadline is the zero time.
func TestNoDeadline(t *testing.T) {
	t.Parallel()
	conns := make(chan *wsauth.Conn, 1)
	srv := listen(t, newGuard(t, newAuthorizer(t, paseto.Config{}), setup{Config: wsauth.Config{}}).Require(paseto.Requirement{Optional: true},
		toldOf(conns)))
	connect(t, srv, none())
	if deadline := wait(t, conns, "the connection").Deadline(); !deadline.IsZero() {
		t.Errorf("Deadline is %s", deadline)
	}
}

// TestEndlessLife has nothing that bounds it, or something so far away that no
// [time.Duration] reaches it.
func TestEndlessLife(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	never := paseto.Grant{TTL: paseto.NoExpiry}
	for _, test := range []struct {
		name  string
		cfg   setup
		grant paseto.Grant
	}{
		{"no expiry", setup{Config: wsauth.Config{PingInterval: wsauth.NoPing}}, never},
		{"expiry in the year 9999", setup{Config: wsauth.Config{PingInterval: wsauth.NoPing}}, paseto.Grant{ExpiresAt: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}},
		{"longest lifetime", setup{Config: wsauth.Config{PingInterval: wsauth.NoPing}, live: live.Config{MaxLifetime: 100 * year}}, never},
		{"longest ping interval", setup{Config: wsauth.Config{PingInterval: 24 * time.Hour}}, never},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tokens := paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry, SessionTTL: paseto.NoExpiry}
			test.cfg.live.RecheckInterval, test.cfg.live.MaxUnchecked = 24*time.Hour, paseto.NoLimit // a check takes its time
			inBubble(t, tokens, test.cfg, echo, func(b bubble) {
				time.Sleep(time.Second) // the guard is not of today
				client := b.call(bearer(access(b, b.auth, test.grant)), true)
				for range 3 {
					client.checkEcho()
					client.checkLives(24 * time.Hour)
				}
			})
		})
	}
}

// TestRenewalAndLifetime: a renewal moves the expiry, and never the end of the
// lifetime.
func TestRenewalAndLifetime(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}, live: live.Config{MaxLifetime: time.Hour}}, echo, func(b bubble) {
		began := time.Now()
		client := b.call(b.alice(20*time.Minute), true)
		conn := b.only()
		for _, step := range []struct{ at, ttl, ends time.Duration }{
			{10 * time.Minute, 20 * time.Minute, 30 * time.Minute},
			{29 * time.Minute, 31*time.Minute - time.Second, time.Hour - time.Second},
			{40 * time.Minute, 24 * time.Hour, time.Hour},
		} {
			client.checkLives(step.at - time.Since(began))
			if err := conn.Renew(b.Context(), access(b, b.auth, paseto.Grant{Subject: "alice", TTL: step.ttl})); err != nil {
				b.Fatal(err)
			}
			if got := conn.Deadline().Sub(began); got != step.ends {
				t.Errorf("renewed at %s for %s, the connection is to end at %s, want %s", step.at, step.ttl, got, step.ends)
			}
		}
		client.checkEnd(wsauth.CloseGoingAway, live.ErrLifetime.Message())
		client.checkLived(began, time.Hour)
		checkCause(b, conn, live.ErrLifetime)
	})
}

// TestRenewalMovesExpiry: a silent connection ends when its newest token does.
func TestRenewalMovesExpiry(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}}, echo, func(b bubble) {
		began := time.Now()
		client := b.call(b.alice(10*time.Minute), true)
		conn := b.only()
		for range 20 {
			client.checkLives(9 * time.Minute)
			if err := conn.Renew(b.Context(), access(b, b.auth, paseto.Grant{Subject: "alice", TTL: 10 * time.Minute})); err != nil {
				b.Fatal(err)
			}
		}
		client.checkEnd(wsauth.ClosePolicyViolation, expired)
		client.checkLived(began, (20*9+10)*time.Minute)
		checkCause(b, conn, paseto.ErrExpired)
	})
}

// TestClockThatJumps, because somebody sets it or the machine has slept, ends what has
// expired by it within a second, however quiet the connection is. It lengthens no life.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	const hour, minutes = time.Hour, 10 * time.Minute
	type jump struct{ after, by time.Duration }
	for _, test := range []struct {
		name        string
		jumps       []jump
		renewed     time.Duration // for how long the token is renewed before; 0 for not at all
		least, most time.Duration // how long the connection lives
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
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var ahead atomic.Int64
				clock := paseto.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
				store := newRelay(t)
				auth := newAuthorizer(t, paseto.Config{}, clock, paseto.WithDenylist(store))
				cfg := setup{Config: wsauth.Config{PingInterval: wsauth.NoPing}, live: live.Config{RecheckInterval: 24 * hour, MaxUnchecked: paseto.NoLimit}}
				b := newBubble(t, auth, store, cfg, echo)
				defer b.shutDown()
				began := time.Now()
				client := b.call(b.alice(hour), true)
				conn := b.only()
				if test.renewed != 0 {
					if err := conn.Renew(b.Context(), access(b, b.auth, paseto.Grant{Subject: "alice", TTL: test.renewed})); err != nil {
						b.Fatal(err)
					}
				}
				for _, jump := range test.jumps {
					time.Sleep(jump.after)
					ahead.Add(int64(jump.by))
				}
				client.checkEnd(wsauth.ClosePolicyViolation, expired)
				if lived := client.at.Sub(began); lived < test.least || lived > test.most {
					t.Errorf("the connection lived for %s, want %s to %s", lived, test.least, test.most)
				}
				checkCause(b, conn, paseto.ErrExpired)
			})
		})
	}
}
