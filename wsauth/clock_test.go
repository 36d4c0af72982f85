package wsauth_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestClockMovedByHand ends connections by the Authorizer's clock, which stands still
// between the two times that it is set to. No real time has to pass.
func TestClockMovedByHand(t *testing.T) {
	t.Parallel()
	token := paseto.Grant{Subject: "alice", TTL: time.Hour}
	for _, test := range []struct {
		name  string
		cfg   setup
		grant *paseto.Grant // nil: no token
		ends  time.Duration
		want  paseto.Code
		code  wsauth.CloseCode
	}{
		// The clock stands at 100 ms before a second, in which a token is issued.
		{"expiry", setup{Config: wsauth.Config{}}, &token, time.Hour - 900*time.Millisecond, paseto.ErrExpired, wsauth.ClosePolicyViolation},
		{"greatest age", setup{Config: wsauth.Config{}, live: live.Config{MaxLifetime: 10 * time.Minute}}, &token, 10 * time.Minute, live.ErrLifetime, wsauth.CloseGoingAway},
		{"greatest age of an anonymous one", setup{Config: wsauth.Config{}, live: live.Config{MaxLifetime: 9 * time.Hour}}, nil, 9 * time.Hour, live.ErrLifetime, wsauth.CloseGoingAway},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
			guard := newGuard(t, auth, test.cfg)
			pending := slices.Contains(test.cfg.Locations, httpauth.LocationMessage)
			req := paseto.Requirement{Optional: test.grant == nil && !pending}
			conns := make(chan *wsauth.Conn, 1)
			send := none()
			if test.grant != nil {
				send = bearer(access(t, auth, *test.grant))
			}
			ws := connect(t, listen(t, guard.Require(req, toldOf(conns))), send)
			lives := func() {
				t.Helper()
				if err := wsauth.KeeperOf(guard).Recheck(t.Context()); err != nil {
					t.Fatal(err)
				}
				if !pending {
					checkEcho(t, ws, "still there")
				}
			}
			lives()
			c.Advance(test.ends - 1)
			lives()
			if !pending {
				conn := wait(t, conns, "the connection")
				if got, want := conn.Deadline(), start.Add(test.ends); !got.Equal(want) {
					t.Errorf("Deadline is %s, want %s", got, want)
				}
			}
			c.Advance(1)
			if err := wsauth.KeeperOf(guard).Recheck(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkClosed(t, ws, test.code, test.want.Message())
		})
	}
}

// TestClockSetBack opens connections after the Authorizer's clock has been set back to or
// before the time when the guard was made. They get the lifetime that they would get else.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	const lifetime = 10 * time.Minute
	for _, back := range []time.Duration{0, time.Minute, lifetime - 1, lifetime, lifetime + 1, 9 * time.Hour} {
		t.Run(back.String(), func(t *testing.T) {
			t.Parallel()
			c := newClock()
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
			guard := newGuard(t, auth, setup{Config: wsauth.Config{}, live: live.Config{MaxLifetime: lifetime}})
			c.Advance(-back)
			conns := make(chan *wsauth.Conn, 1)
			ws := connect(t, listen(t, guard.Require(paseto.Requirement{Optional: true}, toldOf(conns))), none())
			late := wait(t, conns, "the connection").Deadline().Sub(c.Now()) - lifetime
			if late < 0 || late > 1 { // a nanosecond, where the time would be that of the guard
				t.Errorf("Deadline is %s after the greatest age", late)
			}
			c.Advance(lifetime + 1)
			if err := wsauth.KeeperOf(guard).Recheck(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkClosed(t, ws, wsauth.CloseGoingAway, live.ErrLifetime.Message())
		})
	}
}

// TestRecheckAtOnce closes what should be closed while nothing else would look: the
// interval is an hour, and the denylist tells of nothing.
func TestRecheckAtOnce(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, test := range []struct {
		name   string
		change func(auth *paseto.Authorizer, store *relay, claims *paseto.Claims) error
		ctx    context.Context //nolint:containedctx // That of the call.
		err    error
		want   paseto.Code // empty: it lives on
	}{
		{"nothing", func(*paseto.Authorizer, *relay, *paseto.Claims) error { return nil }, t.Context(), nil, ""},
		{"a key is taken out", func(auth *paseto.Authorizer, _ *relay, _ *paseto.Claims) error { return auth.SetKeys(secretKey) },
			t.Context(), nil, paseto.ErrKeyWithdrawn},
		{"a token is revoked", func(auth *paseto.Authorizer, _ *relay, claims *paseto.Claims) error {
			return auth.Revoke(context.Background(), claims)
		}, t.Context(), nil, paseto.ErrRevoked},
		{"the denylist is away", func(_ *paseto.Authorizer, store *relay, _ *paseto.Claims) error {
			store.onLook(down)
			return nil
		}, t.Context(), paseto.ErrUnavailable, ""},
		{"the caller has gone", func(_ *paseto.Authorizer, store *relay, _ *paseto.Claims) error {
			store.onLook(hangs)
			return nil
		}, ended, context.Canceled, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := newRelay(t)
			store.watch = func(ctx context.Context, _ func(denylist.Event)) error {
				<-ctx.Done()
				return ctx.Err()
			}
			auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey}}, paseto.WithClock(time.Now), paseto.WithDenylist(store))
			guard := newGuard(t, auth, setup{Config: wsauth.Config{}, live: live.Config{RecheckInterval: time.Hour, MaxUnchecked: paseto.NoLimit}})
			token := issued(t, auth, paseto.Grant{Subject: "alice"})
			ws := connect(t, listen(t, guard.Require(paseto.Requirement{}, echo)), bearer(token.Token.Reveal()))
			checkEcho(t, ws, "hello")
			if err := test.change(auth, store, token.Claims); err != nil {
				t.Fatal(err)
			}
			if err := wsauth.KeeperOf(guard).Recheck(test.ctx); !errors.Is(err, test.err) {
				t.Errorf("Recheck = %v, want %v", err, test.err)
			}
			if test.want == "" {
				checkEcho(t, ws, "still there")
				return
			}
			checkClosed(t, ws, wsauth.ClosePolicyViolation, test.want.Message())
		})
	}
}
