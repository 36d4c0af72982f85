package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestConcurrentRenewals leave a connection with the newest token of those that were
// accepted, whatever else is done with it meanwhile.
func TestConcurrentRenewals(t *testing.T) {
	t.Parallel()
	const renewers, each = 8, 20
	conns := make(chan *wsauth.Conn, 1)
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{}, live: live.Config{RenewInterval: paseto.NoLimit, RecheckInterval: time.Millisecond}})
	srv := listen(t, guard.Require(paseto.Requirement{}, toldOf(conns)))
	ws := connect(t, srv, bearer(access(t, auth, anHour)))
	conn := wait(t, conns, "the connection")
	var tokens [renewers][each]paseto.Issued
	for r := range tokens {
		for n := range tokens[r] {
			tokens[r][n] = issued(t, auth, lasts(time.Hour+time.Duration(n*renewers+r)*time.Second))
		}
	}
	var newest atomic.Int64
	var group sync.WaitGroup
	for _, mine := range tokens {
		group.Go(func() {
			for _, token := range mine {
				switch err := conn.Renew(t.Context(), token.Token.Reveal()); {
				case err == nil:
					for at := token.Claims.ExpiresAt.Unix(); ; {
						if seen := newest.Load(); seen >= at || newest.CompareAndSwap(seen, at) {
							break
						}
					}
				case !errors.Is(err, live.ErrOlder):
					t.Error(err)
				}
				if c := conn.Claims(); c.Subject != "alice" || conn.Deadline().Before(token.Claims.ExpiresAt) {
					t.Errorf("renewed to %s, and the connection is of %s until %s", token.Claims.ExpiresAt, c.Subject, conn.Deadline())
				}
			}
		})
	}
	for range 50 {
		checkEcho(t, ws, "meanwhile")
	}
	group.Wait()
	if got := conn.Claims().ExpiresAt.Unix(); got != newest.Load() || !tokens[renewers-1][each-1].Claims.ExpiresAt.Equal(conn.Deadline()) {
		t.Errorf("the connection ends at %s, want the newest", conn.Deadline())
	}
	if n := len(slices.Collect(guard.ConnectionsOf("alice"))); n != 1 {
		t.Errorf("alice has %d connections", n)
	}
}

// TestRevocationAfterRenewal: the token that a connection had before is nothing to it
// any more, and all that the new one belongs to is.
func TestRevocationAfterRenewal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		revoke func(ctx context.Context, auth *paseto.Authorizer, before, now *paseto.Claims) error
		closes bool
	}{
		{"old token", func(ctx context.Context, auth *paseto.Authorizer, before, _ *paseto.Claims) error {
			return auth.Revoke(ctx, before)
		}, false},
		{"new token", func(ctx context.Context, auth *paseto.Authorizer, _, now *paseto.Claims) error {
			return auth.Revoke(ctx, now)
		}, true},
		{"session", func(ctx context.Context, auth *paseto.Authorizer, _, now *paseto.Claims) error {
			return auth.RevokeSession(ctx, now.Session)
		}, true},
		{"subject", func(ctx context.Context, auth *paseto.Authorizer, _, now *paseto.Claims) error {
			return auth.RevokeSubject(ctx, now.Subject, time.Time{})
		}, true},
	} {
		for _, way := range ways() {
			t.Run(test.name+" "+way.name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, paseto.Config{}, way.config, renewing, func(b bubble) {
					before, now := issued(b, b.auth, anHour), issued(b, b.auth, lasts(2*time.Hour))
					client := b.call(bearer(before.Token.Reveal()), true)
					client.say(way.with(now.Token.Reveal()))
					client.hearAnswer()
					if err := test.revoke(b.Context(), b.auth, before.Claims, now.Claims); err != nil {
						b.Fatal(err)
					}
					synctest.Wait()
					if test.closes {
						client.checkEnd(wsauth.ClosePolicyViolation, beenRevoked)
						return
					}
					client.checkEcho()
					client.checkLives(90 * time.Minute) // and the recheck finds nothing either
					client.checkEcho()
				})
			})
		}
	}
}

// TestRevocationDuringRenewal leaves no connection with a revoked token, whenever it
// comes: the denylist is asked twice, and the revocation is recorded before or after
// one of the answers. Only of what comes last the denylist has to tell.
func TestRevocationDuringRenewal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		look     int // at which
		before   bool
		accepted bool // since the first answer was good
		told     bool
	}{
		{"before the first look", 1, true, false, false},
		{"after the first look", 1, false, true, false},
		{"before the second look", 2, true, true, false},
		{"after the second look", 2, false, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}, live: live.Config{RecheckInterval: 24 * time.Hour, MaxUnchecked: paseto.NoLimit}}, echo, func(b bubble) {
				b.store.tells(func(denylist.Event) bool { return test.told })
				now := issued(b, b.auth, lasts(2*time.Hour))
				client := b.call(bearer(access(b, b.auth, anHour)), true)
				conn := b.only()
				looks := 0
				b.store.onLook(func(ctx context.Context, token denylist.Token) (bool, error) {
					looks++
					if looks == test.look && test.before {
						_ = b.auth.Revoke(ctx, now.Claims)
					}
					revoked, err := b.store.Store.Revoked(ctx, token)
					if looks == test.look && !test.before {
						_ = b.auth.Revoke(ctx, now.Claims)
					}
					return revoked, err
				})
				err := conn.Renew(b.Context(), now.Token.Reveal())
				if !test.accepted {
					if !errors.Is(err, paseto.ErrRevoked) {
						t.Errorf("Renew returns %v, want ErrRevoked", err)
					}
					client.checkEcho()
					return
				}
				if err != nil && !errors.Is(err, paseto.ErrRevoked) {
					t.Errorf("Renew returns %v, want ErrRevoked or nothing", err)
				}
				client.checkEnd(wsauth.ClosePolicyViolation, beenRevoked)
				checkCause(b, conn, paseto.ErrRevoked)
			})
		})
	}
}

// TestRenewalRacesRevocation leaves nothing alive of what is revoked while a
// connection renews its token.
func TestRenewalRacesRevocation(t *testing.T) {
	t.Parallel()
	const rounds = 300
	conns := make(chan *wsauth.Conn, 1)
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{}, live: live.Config{RecheckInterval: time.Hour}})
	srv := listen(t, guard.Require(paseto.Requirement{}, toldOf(conns)))
	for n := range rounds {
		grant := but(anHour, func(g *paseto.Grant) { g.Session = fmt.Sprint("s", n) })
		before, now := issued(t, auth, grant), issued(t, auth, grant)
		ws := connect(t, srv, bearer(before.Token.Reveal()))
		conn := wait(t, conns, "the connection")
		var group sync.WaitGroup
		var renewed error
		group.Go(func() { renewed = conn.Renew(t.Context(), now.Token.Reveal()) })
		bySession := n%2 == 0
		revoked := auth.Revoke
		if bySession {
			revoked = func(ctx context.Context, c *paseto.Claims) error { return auth.RevokeSession(ctx, c.Session) }
		}
		if n%4 > 1 {
			runtime.Gosched() // let the renewal begin
		}
		if err := revoked(t.Context(), now.Claims); err != nil {
			t.Fatal(err)
		}
		group.Wait()
		switch {
		case bySession || conn.Claims().ID == now.Claims.ID:
			checkClosed(t, ws, wsauth.ClosePolicyViolation, beenRevoked)
		case errors.Is(renewed, paseto.ErrRevoked):
			checkEcho(t, ws, "with the old token")
		default:
			t.Errorf("Renew returns %v, and the connection has the old token", renewed)
		}
		_ = ws.Close()
	}
}

// TestOutageDuringRenewal is not the client's fault, and never ends a connection.
func TestOutageDuringRenewal(t *testing.T) {
	t.Parallel()
	for _, way := range ways() {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			way.config.live.RenewFailure = live.RenewFailureEnds
			s := newStage(t, way.config, renewing)
			before, now := issued(t, s.auth, anHour), issued(t, s.auth, lasts(2*time.Hour))
			ws := connect(t, s.srv, bearer(before.Token.Reveal()))
			checkToken(t, ws, before.Claims)

			s.store.onLook(down)
			say(t, ws, way.with(now.Token.Reveal()))
			checkDeclined(t, ws, paseto.ErrUnavailable)
			checkToken(t, ws, before.Claims)

			var looks atomic.Int32
			s.store.onLook(func(ctx context.Context, token denylist.Token) (bool, error) {
				// A recheck may look at the old token meanwhile.
				if token.ID == now.Claims.ID && looks.Add(1) > 1 { // the second look, when the token is accepted
					return down(ctx, token)
				}
				return false, nil
			})
			say(t, ws, way.with(now.Token.Reveal()))
			checkAccepted(t, ws, now.Claims.ExpiresAt)
			checkToken(t, ws, now.Claims)
			if looks.Load() < 2 {
				t.Error("the denylist was asked once, want twice")
			}
		})
	}
}

// TestOutageAfterRenewal is made up for soon: what was revoked while nobody could ask is
// found when somebody can.
func TestOutageAfterRenewal(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}}, echo, func(b bubble) {
		b.store.tells(func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
		client := b.call(bearer(access(b, b.auth, anHour)), true)
		conn, now := b.only(), issued(b, b.auth, lasts(2*time.Hour))
		looks := 0
		b.store.onLook(func(ctx context.Context, token denylist.Token) (bool, error) {
			looks++
			switch looks {
			case 1:
				return false, nil
			case 2, 3:
				return down(ctx, token)
			}
			return b.store.Store.Revoked(ctx, token)
		})
		if err := conn.Renew(b.Context(), now.Token.Reveal()); err != nil {
			b.Fatal(err)
		}
		if err := b.auth.Revoke(b.Context(), now.Claims); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		client.checkEnd(wsauth.ClosePolicyViolation, beenRevoked)
		if took := client.at.Sub(began); took >= 30*time.Second {
			b.Errorf("the connection ended after %s", took)
		}
		checkCause(b, conn, paseto.ErrRevoked)
	})
}

// TestRenewalOfImpatientCaller, whose context has ended, says nothing of the token.
func TestRenewalOfImpatientCaller(t *testing.T) {
	t.Parallel()
	conns := make(chan *wsauth.Conn, 1)
	s := newStage(t, setup{Config: wsauth.Config{}, live: live.Config{RenewFailure: live.RenewFailureEnds}}, toldOf(conns))
	ws := connect(t, s.srv, bearer(access(t, s.auth, anHour)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := wait(t, conns, "the connection").Renew(ctx, access(t, s.auth, anHour)); !errors.Is(err, context.Canceled) {
		t.Errorf("Renew returns %v, want the context's error", err)
	}
	checkEcho(t, ws, "still here")
}

// TestRenewalAfterEnd fails with what ended the connection, and does not keep that in
// memory.
func TestRenewalAfterEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		late bool // whether there is a renewal
	}{{"without a renewal", false}, {"with a renewal", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			conns := make(chan *wsauth.Conn, 1)
			s := newStage(t, setup{Config: wsauth.Config{CloseTimeout: soon}}, toldOf(conns))
			token := access(t, s.auth, anHour)
			ws := connect(t, s.srv, bearer(token))
			conn := wait(t, conns, "the connection")
			conn.Close(4000, "enough")
			checkClosed(t, ws, 4000, "enough")
			checkCut(t, ws)
			until(t, "the connection is forgotten", func() bool { return s.guard.Stats().Connections == 0 })
			if test.late {
				if err := conn.Renew(t.Context(), token); !errors.Is(err, live.ErrClosed) {
					t.Errorf("Renew returns %v, want ErrClosed", err)
				}
			}
			forgotten := weak.Make(conn)
			conn = nil
			until(t, "the memory of the connection is free", func() bool {
				runtime.GC()
				return forgotten.Value() == nil
			})
		})
	}
}
