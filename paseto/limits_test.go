package paseto_test

import (
	"math"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestDurationsThatDoNotFit: arithmetic with them would overflow, and a
// revocation would lie in the past.
func TestDurationsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]paseto.Config{
		"longest lifetime": {MaxTTL: math.MaxInt64},
		"lifetime":         {RefreshTTL: 101 * 365 * 24 * time.Hour},
		"leeway":           {Leeway: math.MaxInt64/2 + 1},
		"a day too much":   {Leeway: 25 * time.Hour},
		"no token type":    {Denylist: paseto.DenylistConfig{Check: []string{""}}},
		"tickets":          {Denylist: paseto.DenylistConfig{Check: []string{paseto.TypeTicket}}},
	} {
		cfg.Keys = []paseto.Key{localKey}
		if auth, err := paseto.New(cfg); auth != nil || err == nil {
			t.Errorf("%s: New accepts it", name)
		}
	}
	auth, _ := revocable(t, paseto.Config{MaxTTL: 100 * 365 * 24 * time.Hour, Leeway: 24 * time.Hour})
	pair := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	if err := auth.RevokeSession(t.Context(), pair.Access.Claims.Session); err != nil {
		t.Fatal(err)
	}
	_, err := auth.Verify(t.Context(), pair.Access.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrRevoked, "Token has been revoked")
}

func TestRefreshKeepsTheLifetime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		cfg           paseto.Config
		granted, want time.Duration
	}{
		{"configured", paseto.Config{}, 0, 30 * 24 * time.Hour},
		{"shorter", paseto.Config{}, time.Hour, time.Hour},
		{"none", paseto.Config{AllowNoExpiry: true}, paseto.NoExpiry, paseto.NoExpiry},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, clock := revocable(t, test.cfg)
			pair := issuePair(t, auth, paseto.Grant{Subject: "alice", RefreshTTL: test.granted})
			for range 2 {
				clock.Advance(30 * time.Minute)
				var err error
				if pair, err = auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); err != nil {
					t.Fatal(err)
				}
			}
			got := paseto.NoExpiry
			if c := pair.Refresh.Claims; !c.ExpiresAt.IsZero() {
				got = c.ExpiresAt.Sub(c.IssuedAt)
			}
			if got != test.want {
				t.Errorf("the successor lives %s, want %s", got, test.want)
			}
		})
	}
}

// TestRefreshWithinAShorterBound: a bound that is shorter now counts for the
// successors of tokens that were issued before.
func TestRefreshWithinAShorterBound(t *testing.T) {
	t.Parallel()
	before, clock := revocable(t, paseto.Config{})
	pair := issuePair(t, before, paseto.Grant{Subject: "alice"})
	now := must(paseto.New(paseto.Config{Keys: []paseto.Key{localKey}, RefreshTTL: time.Hour, OtherTTL: time.Hour}, paseto.WithClock(clock.Now)))
	next, err := now.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	if got := next.Refresh.Claims.ExpiresAt.Sub(next.Refresh.Claims.IssuedAt); got != time.Hour {
		t.Errorf("the successor lives %s, want 1h", got)
	}
}

// TestRefreshOfAnEternalTokenWithinABound: so it does for those that were to
// live for ever.
func TestRefreshOfAnEternalTokenWithinABound(t *testing.T) {
	t.Parallel()
	before := newAuthorizer(t, paseto.Config{AllowNoExpiry: true, RefreshTTL: paseto.NoExpiry})
	pair := issuePair(t, before, paseto.Grant{Subject: "alice"})
	const month = 30 * 24 * time.Hour
	now, _ := revocable(t, paseto.Config{AllowNoExpiry: true, MaxTTL: month})
	verify(t, now, pair.Refresh.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
	next := refresh(t, now, pair.Refresh.Token.Reveal(), paseto.Requirement{})
	if got, want := next.Refresh.Claims.ExpiresAt, issuedAt.Add(month); !got.Equal(want) {
		t.Errorf("the successor expires at %s, want %s", got, want)
	}
}

// TestEventsOfRevocations can be audited: they say what was revoked.
func TestEventsOfRevocations(t *testing.T) {
	t.Parallel()
	var seen events
	auth, _ := revocable(t, paseto.Config{}, paseto.WithObserver(seen.observe))
	if err := auth.RevokeSession(t.Context(), "login-1"); err != nil {
		t.Fatal(err)
	}
	if err := auth.RevokeSubject(t.Context(), "alice", time.Time{}); err != nil {
		t.Fatal(err)
	}
	got := seen.take()
	if len(got) != 2 || got[0].Revocation.Session != "login-1" || got[1].Revocation.Subject != "alice" {
		t.Errorf("events are %+v", got)
	}
}

// TestIssuedInTheFuture: iat counts even where nbf has come.
func TestIssuedInTheFuture(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := sign(`{"type":"access","exp":"2030-01-02T05:00:00Z","nbf":"2030-01-01T00:00:00Z","iat":"2030-01-02T04:00:00Z"}`, "", "")
	_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	checkRefused(t, err, paseto.ErrNotYetValid, "Token is not valid yet")
}

// TestForeignTypeIsNotShown: another issuer may write anything into type.
func TestForeignTypeIsNotShown(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := sign(`{"type":"a\r\nb","exp":"2030-01-02T05:00:00Z"}`, "", "")
	_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	checkRefused(t, err, paseto.ErrType, "Access token required but unknown provided")
}

// TestFutureCutOff: a cut-off that lies ahead covers tokens that are yet to be
// issued, and is kept until the last of them has expired.
func TestFutureCutOff(t *testing.T) {
	t.Parallel()
	clock := newClock()
	store := denylist.NewMemory(denylist.WithClock(clock.Now))
	t.Cleanup(func() { _ = store.Close() })
	auth := newAuthorizer(t, paseto.Config{RefreshTTL: time.Hour, OtherTTL: time.Hour}, paseto.WithClock(clock.Now), paseto.WithDenylist(store))
	cutoff := clock.Now().Add(48 * time.Hour)
	if err := auth.RevokeSubject(t.Context(), "alice", cutoff); err != nil {
		t.Fatal(err)
	}
	clock.Set(cutoff)
	token := issuePair(t, auth, paseto.Grant{Subject: "alice"}).Refresh
	clock.Set(token.Claims.ExpiresAt.Add(-time.Second))
	_, err := auth.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
	checkRefused(t, err, paseto.ErrRevoked, "Token has been revoked")
}
