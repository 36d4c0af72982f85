package paseto_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// replace ends all sessions of alice but one that is new.
func replace(ctx context.Context, t *testing.T, auth *paseto.Authorizer) paseto.Pair {
	t.Helper()
	pair, err := auth.ReplaceSessions(ctx, paseto.Grant{Subject: "alice", Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// checkPair checks whether both tokens of a pair are revoked.
func checkPair(t *testing.T, auth *paseto.Authorizer, pair paseto.Pair, want bool) {
	t.Helper()
	checkRevoked(t, auth, pair.Access, want)
	checkRevoked(t, auth, pair.Refresh, want)
}

// TestReplaceSessions ends logins of the same second, and all before, and no other
// subject's. The new session goes on, and lives through its refreshes.
func TestReplaceSessions(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{})
	early, bob := issuePair(t, auth, paseto.Grant{Subject: "alice"}), issuePair(t, auth, paseto.Grant{Subject: "bob"})
	c.Advance(10 * time.Minute)
	refreshed := refresh(t, auth, early.Refresh.Token.Reveal(), paseto.Requirement{})
	present, single := issuePair(t, auth, paseto.Grant{Subject: "alice"}), issueAccess(t, auth, paseto.Grant{Subject: "alice"})
	pair := replace(paseto.NewContext(t.Context(), present.Access.Claims), t, auth)
	for _, old := range []paseto.Pair{early, refreshed, present} {
		checkPair(t, auth, old, true)
	}
	checkRevoked(t, auth, single, true)
	checkPair(t, auth, bob, false)
	checkPair(t, auth, pair, false)
	if !pair.Access.Claims.Fresh {
		t.Error("the new access token is not fresh")
	}
	next := refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
	checkPair(t, auth, next, false)

	again := replace(t.Context(), t, auth) // in the same second
	checkPair(t, auth, next, true)
	checkPair(t, auth, again, false)
	checkNil(t, auth.RevokeSubject(t.Context(), "alice", time.Time{}))
	checkPair(t, auth, again, true)
	last := replace(t.Context(), t, auth)
	checkPair(t, auth, last, false)
	checkPair(t, auth, again, true)
	checkNil(t, auth.RevokeSession(t.Context(), last.Access.Claims.Session))
	checkPair(t, auth, last, true)

	c.Advance(time.Second)
	checkPair(t, auth, issuePair(t, auth, paseto.Grant{Subject: "alice"}), false)
}

// TestReplaceSessionsForLong keeps the old sessions out for as long as their tokens
// live, and the new one in.
func TestReplaceSessionsForLong(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{})
	old := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	pair := replace(t.Context(), t, auth)
	c.Set(auth.Deadline(old.Refresh.Claims).Add(-1))
	checkRevoked(t, auth, old.Refresh, true)
	checkRevoked(t, auth, pair.Refresh, false)
}

// TestReplaceSessionsOfAServerAhead ends the present session, whose login bears a
// later time than the clock shows.
func TestReplaceSessionsOfAServerAhead(t *testing.T) {
	t.Parallel()
	for _, grant := range []paseto.Grant{{Subject: "alice"}, {Subject: "alice", Session: "s"}} {
		ahead, behind, _ := apart(t, paseto.Config{}, -4*time.Second)
		present := issuePair(t, ahead, grant)
		pair := replace(paseto.NewContext(t.Context(), present.Access.Claims), t, behind)
		checkPair(t, ahead, present, true)
		checkPair(t, ahead, pair, false)
		checkPair(t, behind, pair, false)
		checkNil(t, behind.RevokeSubject(t.Context(), "alice", time.Time{})) // although the present login bore a later time
		checkPair(t, behind, pair, true)
		checkPair(t, behind, present, true)
	}

	ahead, behind, _ := apart(t, paseto.Config{}, -4*time.Second)
	single := issueAccess(t, ahead, paseto.Grant{Subject: "alice"})
	pair := replace(paseto.NewContext(t.Context(), single.Claims), t, behind)
	checkRevoked(t, ahead, single, true)
	checkPair(t, behind, pair, false)
}

// TestReplaceSessionsOfAnExceptedSession ends, by a clock that is behind, the session that
// a later cut-off excepts. The later cut-off covers the new one, so that none comes out.
func TestReplaceSessionsOfAnExceptedSession(t *testing.T) {
	t.Parallel()
	ahead, behind, _ := apart(t, paseto.Config{}, -4*time.Second)
	stolen := refresh(t, behind, replace(t.Context(), t, ahead).Refresh.Token.Reveal(), paseto.Requirement{})
	if _, err := behind.ReplaceSessions(paseto.NewContext(t.Context(), stolen.Access.Claims), paseto.Grant{Subject: "alice"}); !errors.Is(err, paseto.ErrRevoked) {
		t.Errorf("the error is %v, want ErrRevoked", err)
	}
	checkPair(t, behind, stolen, true)
}

// TestReplaceSessionsUnderALaterRevocation gives out no pair that is dead at once, and
// takes no revocation back.
func TestReplaceSessionsUnderALaterRevocation(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{})
	old := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	checkNil(t, auth.RevokeSubject(t.Context(), "alice", c.Now().Add(time.Minute)))
	pair, err := auth.ReplaceSessions(t.Context(), paseto.Grant{Subject: "alice"})
	if !errors.Is(err, paseto.ErrRevoked) || pair.Access.Claims != nil {
		t.Errorf("the pair is %v, the error %v", pair, err)
	}
	checkPair(t, auth, old, true)
}

// TestReplaceSessionsFails issues nothing, and with a bad grant ends nothing.
func TestReplaceSessionsFails(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	alice := paseto.Grant{Subject: "alice"}
	for _, test := range []struct {
		name  string
		auth  func(t *testing.T, opts ...paseto.Option) *paseto.Authorizer
		grant paseto.Grant
		want  error
	}{
		{"the store fails", withStore(paseto.Config{}, &failing{err: down}), alice, paseto.ErrUnavailable},
		{"the store fails open", withStore(paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, &failing{err: down}), alice, paseto.ErrUnavailable},
		{"the new session cannot be asked for", withStore(paseto.Config{}, &deaf{denylist.NewMemory(), down}), alice, paseto.ErrUnavailable},
		{"no denylist", withStore(paseto.Config{}, nil), alice, paseto.ErrNoDenylist},
		{
			"refresh tokens are not looked up",
			withStore(paseto.Config{Denylist: paseto.DenylistConfig{Check: []string{paseto.TypeAccess}}}, denylist.NewMemory()), alice, paseto.ErrNoDenylist,
		},
		{"no subject", withStore(paseto.Config{}, denylist.NewMemory()), paseto.Grant{}, paseto.ErrGrant},
		{"a session", withStore(paseto.Config{}, denylist.NewMemory()), paseto.Grant{Subject: "alice", Session: "s"}, paseto.ErrGrant},
		{"another bad grant", withStore(paseto.Config{}, denylist.NewMemory()), paseto.Grant{Subject: "alice", TTL: 1}, paseto.ErrGrant},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var seen events
			auth := test.auth(t, paseto.WithObserver(seen.observe))
			pair, err := auth.ReplaceSessions(t.Context(), test.grant)
			if !errors.Is(err, test.want) || pair.Access.Claims != nil || pair.Refresh.Claims != nil {
				t.Errorf("the pair is %v, the error %v, want %v", pair, err, test.want)
			}
			kinds := seen.kinds()
			if slices.Contains(kinds, paseto.EventIssued) {
				t.Errorf("a pair counts as issued: %v", kinds)
			}
			if errors.Is(test.want, paseto.ErrGrant) && len(kinds) > 0 {
				t.Errorf("something happened: %v", kinds)
			}
		})
	}
}

// deaf is a store that records, and cannot be asked.
type deaf struct {
	denylist.Store
	err error
}

func (d *deaf) Revoked(context.Context, denylist.Token) (bool, error) { return false, d.err }

// withStore returns what makes an Authorizer with a store, nil for none.
func withStore(cfg paseto.Config, store denylist.Store) func(*testing.T, ...paseto.Option) *paseto.Authorizer {
	return func(t *testing.T, opts ...paseto.Option) *paseto.Authorizer {
		t.Helper()
		if store != nil {
			opts = append(opts, paseto.WithDenylist(store))
		}
		return newAuthorizer(t, cfg, opts...)
	}
}

// TestReplaceSessionsOutlivesItsCaller ends the old sessions although the caller has
// gone away.
func TestReplaceSessionsOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	old := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	checkPair(t, auth, replace(ctx, t, auth), false)
	checkPair(t, auth, old, true)
}
