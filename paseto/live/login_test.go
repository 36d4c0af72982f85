package live_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// door is a route where an anonymous caller may log in.
var door = &live.Route{Name: "door", AllowLogin: true, Requirement: paseto.Requirement{Optional: true}}

// TestLogin gives an anonymous right the claims of a token: it is found, counted and bounded
// by them from then on, and is as old as it was.
func TestLogin(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{PerSubject: 1, MaxLifetime: time.Hour}}, func(k keeping) {
		h := k.openOn(door, nil)
		time.Sleep(time.Minute)
		if err := h.Renew(k.Context(), k.token(longer())); err != nil || h.Claims() == nil || paseto.FromContext(h.Context()) != h.Claims() {
			k.Fatalf("Renew = %v, and the claims are %v", err, h.Claims())
		}
		if s := k.Stats(); s.Opened != 1 || s.Renewed != 1 || s.Open != 1 {
			k.Errorf("stats are %+v", s)
		}
		_, err := k.tryOpen(nil, k.verify(longer()))
		checkCode(k.T, err, live.ErrTooMany)
		for grant, want := range map[string]error{"alice": nil, "bob": live.ErrOtherSubject} { // it is not anonymous any more
			g := but(func(g *paseto.Grant) { g.Subject = grant; g.TTL = 3 * time.Hour })
			if err := h.Renew(k.Context(), k.token(g)); !errors.Is(err, want) {
				k.Errorf("Renew for %s = %v, want %v", grant, err, want)
			}
		}
		h.checkEnds(live.ErrLifetime, time.Hour-time.Minute-1, time.Hour-time.Minute+1)

		h = k.openOn(door, nil)
		k.must(h.Renew(k.Context(), k.token(anHour)))
		k.must(k.auth.RevokeSession(k.Context(), anHour.Session))
		h.checkEnds(paseto.ErrRevoked, 0, 0)
	})
}

// TestLoginRefused leaves the right anonymous, uncounted, and able to try again.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	for _, leases := range []bool{false, true} {
		for _, test := range []struct {
			name    string
			prepare func(k keeping) (token string, over func())
			want    error
		}{
			{"garbage", func(keeping) (string, func()) { return "garbage", func() {} }, paseto.ErrMalformed},
			{"too many", func(k keeping) (string, func()) {
				one, two := k.of("alice"), k.of("alice")
				return k.token(longer()), func() { one.Release(); two.Release(); time.Sleep(5 * time.Second) }
			}, live.ErrTooMany},
			{"revoked between", func(k keeping) (string, func()) {
				token, looks := k.issue(longer()), 0
				k.store.OnLook(func(ctx context.Context, asked denylist.Token) (bool, error) {
					looks++
					return looks == 2 && asked.ID == token.Claims.ID, nil
				})
				return token.Token.Reveal(), func() { k.store.OnLook(nil) }
			}, paseto.ErrRevoked},
			{"denylist away", func(k keeping) (string, func()) {
				k.store.OnLook(down)
				return k.token(longer()), func() { k.store.OnLook(nil) }
			}, paseto.ErrUnavailable},
			{"the answer is lost", func(k keeping) (string, func()) {
				k.store.OnAnswer(func() error { return errDown })
				return k.token(longer()), func() { k.store.OnAnswer(nil) }
			}, paseto.ErrUnavailable},
		} {
			if test.name == "the answer is lost" && !leases {
				continue
			}
			run(t, map[bool]string{false: test.name, true: test.name + ", with leases"}[leases], setting{cfg: live.Config{PerSubject: 2}, leases: leases}, func(k keeping) {
				h := k.openOn(door, nil)
				k.store.OnRelease(func(context.Context) { time.Sleep(time.Second) }) // what is given back comes late
				token, over := test.prepare(k)
				if err := h.Renew(k.Context(), token); !errors.Is(err, test.want) {
					k.Errorf("Renew = %v, want %v", err, test.want)
				}
				if h.Claims() != nil || paseto.FromContext(h.Context()) != nil || !h.Deadline().IsZero() {
					k.Errorf("the right has the claims %v", h.Claims())
				}
				h.checkStays("nobody")
				over()
				k.must(h.Renew(k.Context(), k.token(longer())))
				time.Sleep(5 * time.Second)
				k.of("alice")
				if _, err := k.tryOpen(nil, k.verify(longer())); !errors.Is(err, live.ErrTooMany) {
					k.Errorf("a third right is opened with %v, want ErrTooMany", err)
				}
				h.checkStays("alice")
			})
		}
	}
}

// TestLoginIsNotInForce before its token is checked, registered and counted.
func TestLoginIsNotInForce(t *testing.T) {
	t.Parallel()
	keep(t, setting{cfg: live.Config{PerSubject: 1}, leases: true}, func(k keeping) {
		h := k.openOn(door, nil)
		asked := 0
		early := func() {
			asked++
			if h.Claims() != nil || paseto.FromContext(h.Context()) != nil {
				k.Error("claims are in force that are not checked yet")
			}
		}
		k.store.OnLook(func(context.Context, denylist.Token) (bool, error) { early(); return false, nil })
		k.store.OnCall(func(call string) error {
			if call == "acquire" {
				early()
			}
			return nil
		})
		if err := h.Renew(k.Context(), k.token(longer())); err != nil || asked != 3 || h.Claims() == nil {
			k.Errorf("Renew = %v, asked %d times, want twice about the token and once for a lease", err, asked)
		}
	})
}

// TestEndDuringLogin leaves nothing behind.
func TestEndDuringLogin(t *testing.T) {
	t.Parallel()
	for _, at := range []int{1, 2} {
		keep(t, setting{cfg: live.Config{PerSubject: 1}}, func(k keeping) {
			h, looks := k.openOn(door, nil), 0
			k.store.OnLook(func(context.Context, denylist.Token) (bool, error) {
				looks++
				if looks == at {
					h.End(live.ErrPanic)
				}
				return false, nil
			})
			if err := h.Renew(k.Context(), k.token(longer())); !errors.Is(err, live.ErrPanic) || h.Claims() != nil {
				k.Errorf("Renew = %v, claims %v; want the cause", err, h.Claims())
			}
			synctest.Wait()
			k.of("alice").checkStays("alice, elsewhere")
			h.checkEnds(live.ErrPanic, 0, 0)
		})
	}
}
