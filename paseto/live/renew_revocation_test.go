package live_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestRevocationDuringRenewal leaves no right with a revoked token, whenever it comes: the
// denylist is asked twice, and the revocation is recorded before or after one of the
// answers. Only of what comes last the denylist has to tell.
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
		run(t, test.name, setting{cfg: live.Config{RecheckInterval: 24 * time.Hour, MaxUnchecked: paseto.NoLimit}}, func(k keeping) {
			h := k.openOn(picky, &anHour)
			time.Sleep(time.Second) // the first look at all is over
			k.store.OnTell(func(denylist.Event) bool { return test.told })
			now, looks := k.issue(longer()), 0
			k.store.OnLook(func(ctx context.Context, token denylist.Token) (bool, error) {
				looks++
				if looks == test.look && test.before {
					_ = k.auth.Revoke(ctx, now.Claims)
				}
				revoked, err := k.store.Store.Revoked(ctx, token)
				if looks == test.look && !test.before {
					_ = k.auth.Revoke(ctx, now.Claims)
				}
				return revoked, err
			})
			err := h.Renew(k.Context(), now.Token.Reveal())
			if !test.accepted {
				checkCode(k.T, err, paseto.ErrRevoked)
				h.checkStays("alice")
				return
			}
			if err != nil && !errors.Is(err, paseto.ErrRevoked) {
				k.Errorf("Renew = %v, want ErrRevoked or nothing", err)
			}
			h.checkEnds(paseto.ErrRevoked, 0, 0)
		})
	}
}

// TestRevocationAfterRenewal: the token that a right had before is nothing to it any more,
// and all that the new one belongs to is.
func TestRevocationAfterRenewal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		revoke func(ctx context.Context, auth *paseto.Authorizer, before, now *paseto.Claims) error
		ends   bool
	}{
		"old token": {func(ctx context.Context, auth *paseto.Authorizer, before, _ *paseto.Claims) error {
			return auth.Revoke(ctx, before)
		}, false},
		"new token": {func(ctx context.Context, auth *paseto.Authorizer, _, now *paseto.Claims) error {
			return auth.Revoke(ctx, now)
		}, true},
		"session": {func(ctx context.Context, auth *paseto.Authorizer, _, now *paseto.Claims) error {
			return auth.RevokeSession(ctx, now.Session)
		}, true},
		"subject": {func(ctx context.Context, auth *paseto.Authorizer, _, now *paseto.Claims) error {
			return auth.RevokeSubject(ctx, now.Subject, time.Time{})
		}, true},
	} {
		run(t, name, setting{}, func(k keeping) {
			h := k.openOn(picky, &anHour)
			before := h.Claims()
			k.must(h.Renew(k.Context(), k.token(longer())))
			k.must(test.revoke(k.Context(), k.auth, before, h.Claims()))
			if test.ends {
				h.checkEnds(paseto.ErrRevoked, 0, 0)
				return
			}
			time.Sleep(90 * time.Minute) // the recheck finds nothing either
			h.checkStays("alice")
		})
	}
}

// TestOutageAfterRenewal is made up for soon: what was revoked while nobody could ask is
// found when somebody can.
func TestOutageAfterRenewal(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		h := k.openOn(picky, &anHour)
		time.Sleep(time.Second)
		k.store.OnTell(func(e denylist.Event) bool { return e.Kind == denylist.EventMissed })
		looks := 0
		k.store.OnLook(func(ctx context.Context, token denylist.Token) (bool, error) {
			looks++
			switch looks {
			case 1:
				return false, nil
			case 2, 3:
				return down(ctx, token)
			}
			return k.store.Store.Revoked(ctx, token)
		})
		k.must(h.Renew(k.Context(), k.token(longer())))
		k.must(k.auth.Revoke(k.Context(), h.Claims()))
		h.checkEnds(paseto.ErrRevoked, 0, 10*time.Second)
	})
}

// TestRenewalThatHangs: a store that does not answer holds up nobody for long who renews.
func TestRenewalThatHangs(t *testing.T) {
	t.Parallel()
	keep(t, setting{}, func(k keeping) {
		h, looks := k.openOn(picky, &anHour), 0
		time.Sleep(time.Second)
		k.store.OnLook(func(ctx context.Context, token denylist.Token) (bool, error) {
			looks++
			if looks == 1 { // about the new token, before it is in force
				return false, nil
			}
			return hangs(ctx, token)
		})
		began := time.Now()
		k.must(h.Renew(k.Context(), k.token(longer())))
		if took := time.Since(began); took > 5*time.Second {
			k.Errorf("the renewal took %s, want 5s at most", took)
		}
		k.store.OnLook(nil)
		h.checkStays("alice")
	})
}
