package paseto_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// checkSamePair checks that two pairs say the same to the last byte.
func checkSamePair(t testing.TB, got, want paseto.Pair) {
	t.Helper()
	for _, tokens := range [][2]paseto.Issued{{got.Access, want.Access}, {got.Refresh, want.Refresh}} {
		if got, want := says(t, tokens[0].Claims), says(t, tokens[1].Claims); got != want {
			t.Errorf("the token says %s,\nwant %s", got, want)
		}
	}
}

// TestRotationConcurrently presents one refresh token a thousand times at once,
// on two machines: one pair comes of it.
func TestRotationConcurrently(t *testing.T) {
	t.Parallel()
	one, two, _ := nodes(t, paseto.Config{})
	old := issuePair(t, one, paseto.Grant{Subject: "alice", Fresh: true, Claims: map[string]string{"role": "admin"}})
	const callers = 1000
	pairs, errs := make([]paseto.Pair, callers), make([]error, callers)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range callers {
		auth := one
		if i%2 == 1 {
			auth = two
		}
		group.Go(func() {
			<-begin
			pairs[i], errs[i] = auth.Refresh(t.Context(), old.Refresh.Token.Reveal(), paseto.Requirement{})
		})
	}
	close(begin)
	group.Wait()
	said := map[string]bool{}
	for i, pair := range pairs {
		if errs[i] != nil {
			t.Fatalf("caller %d: %v", i, errs[i])
		}
		for _, issued := range []paseto.Issued{pair.Access, pair.Refresh} {
			claims := verify(t, one, issued.Token.Reveal(), paseto.Requirement{Type: issued.Claims.Type})
			said[says(t, claims)] = true
		}
	}
	if len(said) != 2 {
		t.Errorf("%d callers get %d tokens that differ, want one access and one refresh token", callers, len(said))
	}
}

// TestRotationRepeats presents a refresh token again until the last moment of
// the grace, here and on another machine.
func TestRotationRepeats(t *testing.T) {
	t.Parallel()
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s wrapped %t", purpose, wrapped), func(t *testing.T) {
				t.Parallel()
				one, two, c := nodes(t, paseto.Config{RefreshGrace: time.Minute})
				req := paseto.Requirement{Implicit: []byte("device"), Base64: wrapped}
				old := issuePair(t, one, paseto.Grant{
					Subject: "alice", Fresh: true, Scopes: []string{"a", "b"}, Issuer: "i", Audience: []string{"x", "y"},
					AuthTime: start.Add(-time.Hour), RefreshTTL: 5 * time.Hour,
					Claims: map[string]any{"role": "<admin>", "deep": map[string]any{"n": 1.5}}, Footer: map[string]string{"tenant": "t1"},
					Purpose: purpose, Implicit: req.Implicit, Base64: wrapped,
				})
				c.Advance(time.Hour)
				used := c.Now()
				first := refresh(t, one, old.Refresh.Token.Reveal(), req)
				for _, after := range []time.Duration{0, 500 * time.Millisecond, 10 * time.Second, time.Minute - 1} {
					c.Set(used.Add(after))
					for _, auth := range []*paseto.Authorizer{one, two} {
						again := refresh(t, auth, old.Refresh.Token.Reveal(), req)
						checkSamePair(t, again, first)
						for _, issued := range []paseto.Issued{again.Access, again.Refresh} {
							req := req
							req.Type = issued.Claims.Type
							if got := says(t, verify(t, two, issued.Token.Reveal(), req)); got != says(t, issued.Claims) {
								t.Errorf("after %s the token says %s, issued as %s", after, got, says(t, issued.Claims))
							}
						}
					}
				}
				if got, want := first.Access.Claims.IssuedAt, issuedAt.Add(time.Hour); !got.Equal(want) {
					t.Errorf("issued at %s, want %s", got, want)
				}
				next := refresh(t, two, first.Refresh.Token.Reveal(), req)
				if next.Access.Claims.ID == first.Access.Claims.ID || next.Refresh.Claims.ID == first.Refresh.Claims.ID {
					t.Error("the next pair is the same")
				}
			})
		}
	}
}

// TestRotationReuse presents a used refresh token after the grace: to the
// nanosecond, and much later.
func TestRotationReuse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		grace time.Duration
		after time.Duration // of the first use
	}{
		{"at the end of the default grace", 0, 10 * time.Second},
		{"at the end of a long grace", 5 * time.Minute, 5 * time.Minute},
		{"at the end of the shortest grace", time.Millisecond, time.Millisecond},
		{"weeks later", 0, 21 * 24 * time.Hour},
		{"at once, where there is no grace", paseto.NoGrace, 0},
		{"later, where there is no grace", paseto.NoGrace, time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var seen events
			var log bytes.Buffer
			one, two, c := nodes(t, paseto.Config{RefreshGrace: test.grace, AccessTTL: 30 * 24 * time.Hour},
				paseto.WithObserver(seen.observe), paseto.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			old := issuePair(t, one, paseto.Grant{Subject: "alice"})
			elsewhere := issuePair(t, one, paseto.Grant{Subject: "alice"})
			c.Advance(time.Hour)
			first := refresh(t, one, old.Refresh.Token.Reveal(), paseto.Requirement{})
			next := refresh(t, one, first.Refresh.Token.Reveal(), paseto.Requirement{})
			if test.grace != paseto.NoGrace {
				c.Advance(test.after - 1)
				if test.name != "weeks later" {
					checkSamePair(t, refresh(t, two, old.Refresh.Token.Reveal(), paseto.Requirement{}), first)
				}
				c.Advance(1)
			} else {
				c.Advance(test.after)
			}
			seen.take()
			pair, err := two.Refresh(t.Context(), old.Refresh.Token.Reveal(), paseto.Requirement{})
			checkRefused(t, err, paseto.ErrReused, "Refresh token has been used before")
			if pair.Access.Token.Reveal() != "" || pair.Refresh.Token.Reveal() != "" {
				t.Error("a pair comes with the refusal")
			}
			checkReuse(t, seen.take(), old.Refresh.Claims)
			if said := log.String(); strings.Count(said, "level=WARN") != 1 || !strings.Contains(said, "reused") || !strings.Contains(said, old.Refresh.Claims.ID) ||
				strings.Contains(said, old.Refresh.Token.Reveal()) {
				t.Errorf("the log says %s", said)
			}

			for _, issued := range []paseto.Issued{old.Access, old.Refresh, first.Access, first.Refresh, next.Access, next.Refresh} {
				checkRevoked(t, one, issued, true)
			}
			checkRevoked(t, one, elsewhere.Access, false)
			seen.take()
			for _, token := range []string{old.Refresh.Token.Reveal(), first.Refresh.Token.Reveal(), next.Refresh.Token.Reveal()} {
				_, err := one.Refresh(t.Context(), token, paseto.Requirement{})
				checkRefused(t, err, paseto.ErrRevoked, "")
			}
			if slices.Contains(seen.kinds(), paseto.EventReused) {
				t.Error("the reuse is observed again")
			}
			c.Set(one.Deadline(next.Refresh.Claims).Add(-1))
			checkRevoked(t, two, next.Refresh, true)
		})
	}
}

// checkReuse checks that the events are those of one reuse of a token.
func checkReuse(t testing.TB, all []paseto.Event, of *paseto.Claims) {
	t.Helper()
	var kinds []paseto.EventKind
	for _, event := range all {
		kinds = append(kinds, event.Kind)
	}
	want := []paseto.EventKind{paseto.EventVerified, paseto.EventRevoked, paseto.EventReused, paseto.EventRefused}
	if !slices.Equal(kinds, want) {
		t.Fatalf("events are %q, want %q", kinds, want)
	}
	reused := all[2]
	if reused.Claims.ID != of.ID || reused.Revocation != all[1].Revocation || !errors.Is(reused.Err, paseto.ErrReused) {
		t.Errorf("the reuse is observed as %+v", reused)
	}
	r := reused.Revocation
	if r.Session != of.Session || r.Session == "" || r.Subject != "" || r.TokenID != "" || r.Until.IsZero() {
		t.Errorf("what is revoked is %+v", r)
	}
}

// TestRotationReuseOfAnAncestor goes two pairs on and presents the token that
// began it: within the grace for its own successor, after it as a reuse.
func TestRotationReuseOfAnAncestor(t *testing.T) {
	t.Parallel()
	one, two, c := nodes(t, paseto.Config{})
	login := issuePair(t, one, paseto.Grant{Subject: "alice"})
	parent := refresh(t, one, login.Refresh.Token.Reveal(), paseto.Requirement{})
	c.Advance(5 * time.Second)
	child := refresh(t, two, parent.Refresh.Token.Reveal(), paseto.Requirement{})
	checkSamePair(t, refresh(t, two, login.Refresh.Token.Reveal(), paseto.Requirement{}), parent)
	c.Advance(5 * time.Second) // the grace of the login's token is over, that of the parent's not
	checkSamePair(t, refresh(t, one, parent.Refresh.Token.Reveal(), paseto.Requirement{}), child)
	_, err := one.Refresh(t.Context(), login.Refresh.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrReused, "")
	for _, issued := range []paseto.Issued{login.Access, parent.Access, parent.Refresh, child.Access, child.Refresh} {
		checkRevoked(t, two, issued, true)
	}
}

// TestRotationWithoutSession refreshes a token that belongs to no session: its
// successors belong to one, the same each time, and that is what a reuse ends.
func TestRotationWithoutSession(t *testing.T) {
	t.Parallel()
	var seen events
	one, two, c := nodes(t, paseto.Config{}, paseto.WithObserver(seen.observe))
	old := must(one.IssueRefresh(paseto.Grant{Subject: "alice"}))
	if old.Claims.Session != "" {
		t.Fatalf("the token belongs to the session %q", old.Claims.Session)
	}
	first := refresh(t, one, old.Token.Reveal(), paseto.Requirement{})
	session := first.Access.Claims.Session
	if session == "" || first.Refresh.Claims.Session != session {
		t.Errorf("sessions are %q and %q, want one", session, first.Refresh.Claims.Session)
	}
	checkSamePair(t, refresh(t, two, old.Token.Reveal(), paseto.Requirement{}), first)
	next := refresh(t, two, first.Refresh.Token.Reveal(), paseto.Requirement{})
	if next.Refresh.Claims.Session != session {
		t.Errorf("the session changes from %q to %q", session, next.Refresh.Claims.Session)
	}
	c.Advance(time.Minute)
	seen.take()
	_, err := one.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrReused, "")
	revoked := slices.DeleteFunc(seen.take(), func(e paseto.Event) bool { return e.Kind != paseto.EventReused })
	if len(revoked) != 1 || revoked[0].Revocation.Session != session {
		t.Errorf("the reuse is observed as %+v, want one of %q", revoked, session)
	}
	for _, issued := range []paseto.Issued{first.Access, first.Refresh, next.Access, next.Refresh} {
		checkRevoked(t, two, issued, true)
	}
	_, err = two.Refresh(t.Context(), old.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrRevoked, "")
}

// TestRotationOnceConcurrently has no grace: of all who present a token at once
// one gets a pair, if any, and it is worth nothing.
func TestRotationOnceConcurrently(t *testing.T) {
	t.Parallel()
	one, two, _ := nodes(t, paseto.Config{RefreshGrace: paseto.NoGrace})
	old := issuePair(t, one, paseto.Grant{})
	const callers = 100
	pairs, errs := make([]paseto.Pair, callers), make([]error, callers)
	var group sync.WaitGroup
	for i := range callers {
		auth := one
		if i%2 == 1 {
			auth = two
		}
		group.Go(func() {
			pairs[i], errs[i] = auth.Refresh(t.Context(), old.Refresh.Token.Reveal(), paseto.Requirement{})
		})
	}
	group.Wait()
	won, reused := 0, 0
	for i, err := range errs {
		switch {
		case err == nil:
			won++
			checkRevoked(t, one, pairs[i].Access, true)
			checkRevoked(t, two, pairs[i].Refresh, true)
		case errors.Is(err, paseto.ErrReused):
			reused++
		default:
			checkRefused(t, err, paseto.ErrRevoked, "")
		}
	}
	if won > 1 || reused == 0 {
		t.Errorf("%d callers get a pair and %d are told of the reuse, want one at most, and some", won, reused)
	}
	checkRevoked(t, one, old.Access, true)
}

// TestRotationKeepsNoToken looks at what the denylist is given to keep.
func TestRotationKeepsNoToken(t *testing.T) {
	t.Parallel()
	memory := denylist.NewMemory()
	t.Cleanup(func() { _ = memory.Close() })
	var kept []string
	store := &during{Store: memory, winner: func(value string) string { kept = append(kept, value); return value }}
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store))
	old := issuePair(t, auth, paseto.Grant{Subject: "alice", Claims: map[string]string{"name": "Alice"}})
	pair := refresh(t, auth, old.Refresh.Token.Reveal(), paseto.Requirement{})
	if len(kept) != 1 {
		t.Fatalf("the denylist keeps %q", kept)
	}
	for _, secret := range []string{old.Refresh.Token.Reveal(), pair.Access.Token.Reveal(), pair.Refresh.Token.Reveal(), "v4.", "alice", "Alice"} {
		if strings.Contains(kept[0], secret) {
			t.Errorf("the denylist keeps %s", kept[0])
		}
	}
}
