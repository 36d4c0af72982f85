package paseto_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// rotating returns an Authorizer with a store that a test can disturb.
func rotating(t testing.TB, cfg paseto.Config, opts ...paseto.Option) (*paseto.Authorizer, *during, *clock) {
	t.Helper()
	c := newClock()
	memory := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = memory.Close() })
	store := &during{Store: memory}
	opts = append([]paseto.Option{paseto.WithClock(c.Now), paseto.WithDenylist(store)}, opts...)
	return newAuthorizer(t, cfg, opts...), store, c
}

// TestRotationFailsOpen cannot use a token up, and is told to go on all the
// same: every use gets a pair of its own, and is logged and counted.
func TestRotationFailsOpen(t *testing.T) {
	t.Parallel()
	var seen events
	var log bytes.Buffer
	auth, store, c := rotating(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}},
		paseto.WithObserver(seen.observe), paseto.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	store.consume = func() error { return errDown }
	old := issuePair(t, auth, paseto.Grant{})
	ids := map[string]bool{old.Access.Claims.ID: true}
	var pairs []paseto.Pair
	for range 2 {
		seen.take()
		pair := refresh(t, auth, old.Refresh.Token.Reveal(), paseto.Requirement{})
		verify(t, auth, pair.Access.Token.Reveal(), paseto.Requirement{})
		ids[pair.Access.Claims.ID] = true
		pairs = append(pairs, pair)
		all := seen.take()
		if len(all) < 3 || all[1].Kind != paseto.EventDenylistFailed || all[2].Kind != paseto.EventDenylistBypassed ||
			all[2].Claims.ID != old.Refresh.Claims.ID || !errors.Is(all[2].Err, errDown) {
			t.Errorf("events are %+v", all)
		}
		c.Advance(time.Minute)
	}
	if len(ids) != 3 {
		t.Errorf("the tokens have %d identifiers, want 3", len(ids))
	}
	if said := log.String(); strings.Count(said, "accepted unchecked") != 2 || strings.Contains(said, old.Refresh.Token.Reveal()) {
		t.Errorf("the log says %s", said)
	}
	store.consume = nil
	for _, pair := range pairs { // each goes on, and none looks like a reuse of the other
		refresh(t, auth, refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{}).Refresh.Token.Reveal(), paseto.Requirement{})
		c.Advance(time.Minute)
	}
}

// TestReuseThatCannotBeRecorded ends no session, and must not let anyone on: not
// even where the denylist fails open. It is found again when the store is back.
func TestReuseThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	for _, failOpen := range []bool{false, true} {
		t.Run(fmt.Sprintf("fail open %t", failOpen), func(t *testing.T) {
			t.Parallel()
			var seen events
			auth, store, c := rotating(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: failOpen}}, paseto.WithObserver(seen.observe))
			old := issuePair(t, auth, paseto.Grant{})
			first := refresh(t, auth, old.Refresh.Token.Reveal(), paseto.Requirement{})
			c.Advance(time.Minute)
			store.revoke = func() error { return errDown }
			seen.take()
			pair, err := auth.Refresh(t.Context(), old.Refresh.Token.Reveal(), paseto.Requirement{})
			checkRefused(t, err, paseto.ErrUnavailable, "")
			if pair.Access.Token.Reveal() != "" || !errors.Is(err, errDown) {
				t.Errorf("%v with error %v", pair, err)
			}
			failed := 0
			for _, event := range seen.take() {
				switch event.Kind {
				case paseto.EventDenylistFailed:
					failed++
					if event.Revocation.Session != old.Access.Claims.Session {
						t.Errorf("what could not be recorded is %+v", event.Revocation)
					}
				case paseto.EventReused, paseto.EventRevoked, paseto.EventIssued:
					t.Errorf("%s is observed", event.Kind)
				}
			}
			if failed != 1 {
				t.Errorf("%d failures are observed, want 1", failed)
			}
			checkRevoked(t, auth, first.Access, false)

			store.revoke = nil
			_, err = auth.Refresh(t.Context(), old.Refresh.Token.Reveal(), paseto.Requirement{})
			checkRefused(t, err, paseto.ErrReused, "")
			checkRevoked(t, auth, first.Access, true)
		})
	}
}

// TestRotationUnreadable finds that a token was used and cannot tell for what, or
// finds a pair without identifiers, as in a store that another program wrote to.
// Nobody gets a pair.
func TestRotationUnreadable(t *testing.T) {
	t.Parallel()
	now := start.UnixMilli()
	for _, test := range []struct {
		name   string
		token  func(*paseto.Authorizer) string
		values []string
	}{
		{"without a generation", func(*paseto.Authorizer) string { return unmarked("old", "s1") }, []string{
			"", " ", "   ", "used", "2030-01-02T03:04:05Z", `{"at":1893553445600`, `[1]`, `{"at":"1893553445600"}`, `{"at":1e400}`,
			fmt.Sprint(now), fmt.Sprint(now, " a1 r1"), fmt.Sprint(now, " a1  s1"), fmt.Sprint(now, "  r1 s1"), "1.5 a1 r1 s1", " a1 r1 s1",
		}},
		{"with a generation", func(a *paseto.Authorizer) string { return issuePair(t, a, paseto.Grant{}).Refresh.Token.Reveal() }, []string{
			" ", "    ", "used", "0", "0 ", "2030-01-02T03:04:05Z", `{"at":1893553445600`,
			fmt.Sprint("0 2 ", now), fmt.Sprint("0 2 ", now, " a1"), fmt.Sprint("0 2 ", now, " a1 "), fmt.Sprint("0 2 ", now, "  r1"),
			fmt.Sprint("0 0 ", now, " a1 r1"), fmt.Sprint("0 -2 ", now, " a1 r1"), fmt.Sprint("0 99999999999 ", now, " a1 r1"), "0 2 1.5 a1 r1",
			fmt.Sprint(" 2 ", now, " a1 r1"), fmt.Sprint("soon 2 ", now, " a1 r1"), fmt.Sprint("0 2 ", now, " a1 r1 1"),
		}},
	} {
		for _, value := range test.values {
			t.Run(test.name+" "+value, func(t *testing.T) {
				t.Parallel()
				auth, store, c := rotating(t, paseto.Config{})
				token := test.token(auth)
				refresh(t, auth, token, paseto.Requirement{})
				store.winner = func(string) string { return value }
				for range 2 {
					pair, err := auth.Refresh(t.Context(), token, paseto.Requirement{})
					checkRefused(t, err, paseto.ErrRevoked, "")
					if pair.Access.Token.Reveal() != "" {
						t.Errorf("a pair is issued that says %s", says(t, pair.Access.Claims))
					}
					c.Advance(time.Hour)
				}
			})
		}
	}
}

// TestRotationDuringRevocation revokes after the token was found valid and
// before it is used up: for the first time, and again within the grace.
func TestRotationDuringRevocation(t *testing.T) {
	t.Parallel()
	for name, revoke := range ways {
		for _, uses := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s used %d times", name, uses), func(t *testing.T) {
				t.Parallel()
				auth, store, c := rotating(t, paseto.Config{})
				old := issuePair(t, auth, paseto.Grant{Subject: "alice"}).Refresh
				for range uses {
					refresh(t, auth, old.Token.Reveal(), paseto.Requirement{})
				}
				store.consume = func() error {
					store.consume = nil
					err := revoke(t.Context(), auth, old.Claims)
					c.Advance(time.Second)
					return err
				}
				pair, err := auth.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{})
				checkRefused(t, err, paseto.ErrRevoked, "")
				if pair.Access.Token.Reveal() != "" {
					t.Error("a pair comes with the refusal")
				}
			})
		}
	}
}

// lastLook is a store that fails at the second question about a token while it
// is down: when a refresh token has just been used up.
type lastLook struct {
	denylist.Store
	down  bool
	looks int
}

func (l *lastLook) Revoked(ctx context.Context, token denylist.Token) (bool, error) {
	l.looks++
	if l.down && l.looks%2 == 0 {
		return false, errDown
	}
	return l.Store.Revoked(ctx, token)
}

// TestRotationAnswerLost uses a token up and cannot hand the pair out. Who asks
// again within the grace gets it.
func TestRotationAnswerLost(t *testing.T) {
	t.Parallel()
	memory := denylist.NewMemory()
	t.Cleanup(func() { _ = memory.Close() })
	store := &lastLook{Store: memory, down: true}
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store))
	old := issuePair(t, auth, paseto.Grant{})
	pair, err := auth.Refresh(t.Context(), old.Refresh.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrUnavailable, "")
	if pair.Access.Token.Reveal() != "" {
		t.Error("a pair comes with the refusal")
	}
	store.down = false
	verify(t, auth, refresh(t, auth, old.Refresh.Token.Reveal(), paseto.Requirement{}).Access.Token.Reveal(), paseto.Requirement{})
}

// TestRotationOfAnothersToken uses nothing up.
func TestRotationOfAnothersToken(t *testing.T) {
	t.Parallel()
	theirs := paseto.NewSecretKey()
	half := must(theirs.PublicKey())
	token := issuePair(t, newAuthorizer(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{theirs}}), paseto.Grant{}).Refresh.Token.Reveal()
	var seen events
	auth, store, _ := rotating(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{secretKey, half}}, paseto.WithObserver(seen.observe))
	store.consume = func() error { t.Error("the token is used up"); return nil }
	for range 2 {
		_, err := auth.Refresh(t.Context(), token, paseto.Requirement{})
		checkRefused(t, err, paseto.ErrForbidden, "")
	}
	if slices.Contains(seen.kinds(), paseto.EventIssued) {
		t.Error("a token is issued")
	}
}

// TestReuseContextEnded: whoever presents a used token cannot prevent its session
// from being revoked by hanging up, at whatever moment, and gets nothing.
func TestReuseContextEnded(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]func(*paseto.Authorizer) string{
		"without a generation": func(*paseto.Authorizer) string { return unmarked("old", "s1") },
		"with a generation":    func(a *paseto.Authorizer) string { return issuePair(t, a, paseto.Grant{}).Refresh.Token.Reveal() },
	} {
		for _, moment := range []string{"once the reuse is found", "as the revocation is recorded"} {
			t.Run(name+", "+moment, func(t *testing.T) {
				t.Parallel()
				auth, store, c := rotating(t, paseto.Config{})
				token := token(auth)
				first := refresh(t, auth, token, paseto.Requirement{})
				c.Advance(time.Minute)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if moment == "once the reuse is found" {
					store.winner = func(value string) string { cancel(); return value }
				} else {
					store.revoke = func() error { cancel(); return nil }
				}
				pair, err := auth.Refresh(ctx, token, paseto.Requirement{})
				if err == nil || pair.Access.Token.Reveal() != "" {
					t.Errorf("%v with error %v", pair, err)
				}
				if ctx.Err() == nil {
					t.Fatal("the caller has not hung up")
				}
				for _, issued := range []paseto.Issued{first.Access, first.Refresh} {
					checkRevoked(t, auth, issued, true)
				}
			})
		}
	}
}
