package paseto_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// apart returns two Authorizers that share a denylist and whose clocks differ:
// that of the first and of the store is right, the second is off by so much.
func apart(t testing.TB, cfg paseto.Config, off time.Duration) (right, wrong *paseto.Authorizer, c *clock) {
	t.Helper()
	c = newClock()
	store := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = store.Close() })
	right = newAuthorizer(t, cfg, paseto.WithClock(c.Now), paseto.WithDenylist(store))
	wrong = newAuthorizer(t, cfg, paseto.WithClock(func() time.Time { return c.Now().Add(off) }), paseto.WithDenylist(store))
	return right, wrong, c
}

// TestRefreshOfAnIssuerAhead refreshes right after the login, where the clock is
// behind that of the login by no more than the leeway.
func TestRefreshOfAnIssuerAhead(t *testing.T) {
	t.Parallel()
	const leeway = time.Minute
	for _, test := range []struct {
		name string
		off  time.Duration
	}{{"by a little", -2 * time.Second}, {"by half", -leeway / 2}, {"by as much as allowed", -leeway + time.Second}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ahead, behind, c := apart(t, paseto.Config{StartLeeway: leeway}, test.off)
			login := issuePair(t, ahead, paseto.Grant{Subject: "alice"})
			verify(t, behind, login.Refresh.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
			pair := refresh(t, behind, login.Refresh.Token.Reveal(), paseto.Requirement{})
			for _, auth := range []*paseto.Authorizer{ahead, behind} {
				verify(t, auth, pair.Access.Token.Reveal(), paseto.Requirement{})
			}
			if got, latest := pair.Access.Claims.AuthTime, login.Access.Claims.AuthTime; got.After(latest) {
				t.Errorf("the login moves from %s to %s", latest, got)
			}
			c.Advance(leeway)
			refresh(t, behind, pair.Refresh.Token.Reveal(), paseto.Requirement{})
		})
	}
}

// TestRefreshTwiceWithClocksApart is no reuse as long as the clocks differ by
// less than the grace.
func TestRefreshTwiceWithClocksApart(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-9 * time.Second, 9 * time.Second} {
		one, two, c := apart(t, paseto.Config{StartLeeway: time.Minute}, off)
		login := issuePair(t, one, paseto.Grant{Subject: "alice"})
		c.Advance(time.Hour)
		first := refresh(t, one, login.Refresh.Token.Reveal(), paseto.Requirement{})
		again := refresh(t, two, login.Refresh.Token.Reveal(), paseto.Requirement{})
		checkSamePair(t, again, first)
		verify(t, two, again.Access.Token.Reveal(), paseto.Requirement{})
	}
}

// TestRefreshTwiceBeforeTheLogin presents a token again where, by the clock there,
// the login has yet to come: the pair says the same to the last byte.
func TestRefreshTwiceBeforeTheLogin(t *testing.T) {
	t.Parallel()
	ahead, behind, c := apart(t, paseto.Config{StartLeeway: time.Minute, SessionTTL: time.Hour}, -30*time.Second)
	for name, auth := range map[string]*paseto.Authorizer{"first use ahead": ahead, "first use behind": behind} {
		login := issuePair(t, ahead, paseto.Grant{Subject: "alice"})
		first := refresh(t, auth, login.Refresh.Token.Reveal(), paseto.Requirement{})
		for range 3 {
			c.Advance(time.Second)
			again := refresh(t, behind, login.Refresh.Token.Reveal(), paseto.Requirement{})
			if got, want := says(t, again.Refresh.Claims), says(t, first.Refresh.Claims); got != want {
				t.Errorf("%s: the token says %s,\nwant %s", name, got, want)
			}
		}
	}
}

// TestNoGraceWithAClockBehind takes the second use for a theft, whatever the
// time is there.
func TestNoGraceWithAClockBehind(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-time.Hour, -time.Second, -time.Millisecond, time.Second} {
		one, two, c := apart(t, paseto.Config{RefreshGrace: paseto.NoGrace}, off)
		login := issuePair(t, one, paseto.Grant{Subject: "alice"})
		c.Advance(2 * time.Hour)
		pair := refresh(t, one, login.Refresh.Token.Reveal(), paseto.Requirement{})
		_, err := two.Refresh(t.Context(), login.Refresh.Token.Reveal(), paseto.Requirement{})
		checkRefused(t, err, paseto.ErrReused, "")
		checkRevoked(t, one, pair.Access, true)
	}
}

// TestRevokedForEveryClock looks at a revoked token in the last moment in which
// it is valid where the clock is behind that of the store.
func TestRevokedForEveryClock(t *testing.T) {
	t.Parallel()
	for name, revoke := range ways {
		for off, leeway := range map[time.Duration]time.Duration{-time.Second: 0, -time.Hour: time.Hour} {
			right, behind, c := apart(t, paseto.Config{Leeway: leeway, AccessTTL: 30 * 24 * time.Hour}, off)
			token := issueAccess(t, right, paseto.Grant{Subject: "alice", Session: "s1"})
			checkNil(t, revoke(t.Context(), right, token.Claims))
			c.Set(behind.Deadline(token.Claims).Add(-off - 1))
			if _, err := behind.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrRevoked) {
				t.Errorf("%s, clock %s behind: error is %v, want %v", name, -off, err, paseto.ErrRevoked)
			}
		}
	}
}

// TestUsedUpForEveryClock presents a used refresh token where the clock is behind
// that of the store by no more than the leeway, or a little, in the last moment
// in which it is valid there. It must not work again.
func TestUsedUpForEveryClock(t *testing.T) {
	t.Parallel()
	const leeway = time.Hour
	for off, leeway := range map[time.Duration]time.Duration{-time.Second: 0, -time.Minute: leeway, -leeway: leeway} {
		right, behind, c := apart(t, paseto.Config{Leeway: leeway}, off)
		login := issuePair(t, right, paseto.Grant{Subject: "alice"}).Refresh
		c.Advance(2 * leeway)
		refresh(t, right, login.Token.Reveal(), paseto.Requirement{})
		c.Set(behind.Deadline(login.Claims).Add(-off - 1))
		verify(t, behind, login.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
		pair, err := behind.Refresh(t.Context(), login.Token.Reveal(), paseto.Requirement{})
		if err == nil {
			t.Errorf("with a clock %s behind, a used token gets a pair until %s", -off, pair.Refresh.Claims.ExpiresAt)
			continue
		}
		checkRefused(t, err, paseto.ErrReused, "")
	}
}

// TestBehindByALittle: by default a machine whose clock is behind by less than five
// seconds takes what another one issued just now: tokens, pairs, and tickets.
func TestBehindByALittle(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-time.Millisecond, -200 * time.Millisecond, -4 * time.Second} {
		for fraction := range 4 { // of the second in which it is issued
			ahead, behind, c := apart(t, paseto.Config{}, off)
			c.Set(issuedAt.Add(time.Duration(fraction) * 250 * time.Millisecond))
			login := issuePair(t, ahead, paseto.Grant{Subject: "alice"})
			checkNil(t, behind.CheckPair(t.Context(), login, paseto.Requirement{}))
			access := verify(t, behind, login.Access.Token.Reveal(), paseto.Requirement{})
			redeem(t, behind, issueTicket(t, ahead, access, paseto.TicketGrant{}), paseto.Requirement{}, paseto.TicketUse{})
			pair := refresh(t, behind, login.Refresh.Token.Reveal(), paseto.Requirement{})
			for _, auth := range []*paseto.Authorizer{ahead, behind} {
				verify(t, auth, pair.Access.Token.Reveal(), paseto.Requirement{})
			}
		}
	}
}

// TestNoStartLeeway refuses what was issued a moment ahead.
func TestNoStartLeeway(t *testing.T) {
	t.Parallel()
	ahead, behind, _ := apart(t, paseto.Config{StartLeeway: paseto.NoStartLeeway}, -601*time.Millisecond)
	_, err := behind.Verify(t.Context(), issueAccess(t, ahead, paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrNotYetValid, "")
}
