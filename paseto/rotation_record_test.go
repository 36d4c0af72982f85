package paseto_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// unmarked returns a refresh token without a generation, as they were issued before
// there were any. More are further claims.
func unmarked(id, session string, more ...string) string {
	claims := fmt.Sprintf(`"type":"refresh","jti":%q,"sub":"alice","iat":%q,"auth_time":%[3]q,"exp":%[4]q`,
		id, "2030-01-02T03:04:05Z", "2030-01-02T03:04:05Z", "2030-02-01T03:04:05Z")
	if session != "" {
		claims += fmt.Sprintf(`,"sid":%q`, session)
	}
	return sign("{"+strings.Join(append([]string{claims}, more...), ",")+"}", "", "")
}

// rot returns the claim rot of a token.
func rot(t testing.TB, c *paseto.Claims) any {
	t.Helper()
	var claims map[string]any
	if err := c.Decode(&claims); err != nil {
		t.Fatal(err)
	}
	return claims["rot"]
}

// TestRotationKeepsOneRecord refreshes one session for a month, as fast as it may,
// and looks at how much the denylist keeps of it.
func TestRotationKeepsOneRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		cfg     paseto.Config
		every   time.Duration
		longest int
	}{
		{"now and then", paseto.Config{}, 15 * time.Minute, 200},
		{"as often as allowed", paseto.Config{}, 6 * time.Second, 1000},
		{"as often as allowed at most", paseto.Config{RefreshesPerMinute: 60, RefreshGrace: 5 * time.Minute}, time.Second, 5 << 10},
		{"without a limit", paseto.Config{RefreshesPerMinute: paseto.NoRefreshLimit, RefreshGrace: 5 * time.Minute}, time.Millisecond, 5 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			memory := denylist.NewMemory(denylist.WithClock(c.Now))
			t.Cleanup(func() { _ = memory.Close() })
			longest := 0
			store := &during{Store: memory, winner: func(value string) string { longest = max(longest, len(value)); return value }}
			auth := newAuthorizer(t, test.cfg, paseto.WithClock(c.Now), paseto.WithDenylist(store))
			pair := issuePair(t, auth, paseto.Grant{})
			for range 100 {
				c.Advance(test.every)
				pair = refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
				refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
				pair = refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
				c.Advance(test.every)
			}
			if n := memory.Len(); n != 1 {
				t.Errorf("the denylist has %d records, want 1", n)
			}
			if longest > test.longest {
				t.Errorf("the record has %d bytes, want %d at most", longest, test.longest)
			}
		})
	}
}

// TestRefreshesPerMinute refreshes a session more often than allowed, on two
// machines in turn. What is refused uses nothing up, and works after RetryAfter.
func TestRefreshesPerMinute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ configured, want int }{{0, 10}, {1, 1}, {60, 60}, {paseto.NoRefreshLimit, 200}} {
		t.Run(fmt.Sprint(test.configured), func(t *testing.T) {
			t.Parallel()
			var seen events
			one, two, c := nodes(t, paseto.Config{RefreshesPerMinute: test.configured, RefreshGrace: time.Second}, paseto.WithObserver(seen.observe))
			other := issuePair(t, one, paseto.Grant{Subject: "alice"})
			pair := issuePair(t, one, paseto.Grant{Subject: "alice"})
			for i := range test.want {
				c.Advance(100 * time.Millisecond)
				auth := []*paseto.Authorizer{one, two}[i%2]
				next := refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
				for range 3 { // to be given the same pair again does not count
					checkSamePair(t, refresh(t, one, pair.Refresh.Token.Reveal(), paseto.Requirement{}), next)
				}
				pair = next
			}
			if test.configured == paseto.NoRefreshLimit {
				return
			}
			seen.take()
			wait := time.Minute - time.Duration(test.want-1)*100*time.Millisecond
			for _, passes := range []time.Duration{0, time.Second, wait - time.Second - 1} {
				c.Advance(passes)
				wait -= passes
				for _, auth := range []*paseto.Authorizer{one, two} {
					got, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
					checkRefused(t, err, paseto.ErrRefreshes, "Too many refreshes")
					if refusal, _ := errors.AsType[*paseto.Error](err); refusal == nil || refusal.RetryAfter != wait {
						t.Errorf("to wait are %v, want %s", refusal, wait)
					}
					if got.Access.Token.Reveal() != "" {
						t.Error("a pair comes with the refusal")
					}
				}
			}
			for _, event := range seen.take() {
				if event.Kind == paseto.EventReused || event.Kind == paseto.EventIssued {
					t.Errorf("%s is observed", event.Kind)
				}
			}
			refresh(t, one, other.Refresh.Token.Reveal(), paseto.Requirement{})
			c.Advance(wait)
			next := refresh(t, two, pair.Refresh.Token.Reveal(), paseto.Requirement{})
			_, err := one.Refresh(t.Context(), next.Refresh.Token.Reveal(), paseto.Requirement{})
			checkRefused(t, err, paseto.ErrRefreshes, "")
		})
	}
}

// TestRefreshesPerMinuteWithAClockSetBack keeps nobody waiting for longer than it says,
// nor for the clock to come back to where it was.
func TestRefreshesPerMinuteWithAClockSetBack(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{StartLeeway: 2 * time.Hour})
	pair := issuePair(t, auth, paseto.Grant{})
	again := func() {
		pair = refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
	}
	for range 10 {
		again()
		c.Advance(5 * time.Second)
	}
	for _, back := range []time.Duration{0, 20 * time.Second} {
		c.Advance(-back)
		_, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
		refusal, _ := errors.AsType[*paseto.Error](err)
		if !errors.Is(err, paseto.ErrRefreshes) {
			t.Fatalf("%s back: error is %v, want %v", back, err, paseto.ErrRefreshes)
		}
		c.Advance(refusal.RetryAfter)
		again()
	}
	for _, back := range []time.Duration{time.Minute, time.Hour} {
		c.Advance(-back) // so that earlier refreshes are in the future
		again()
	}
}

// TestLineagesOfOneSession: pairs that a program issues in one session are refreshed
// independently, and a reuse in one of them ends the session.
func TestLineagesOfOneSession(t *testing.T) {
	t.Parallel()
	one, two, c := nodes(t, paseto.Config{})
	grant := paseto.Grant{Subject: "alice", Session: "s1"}
	first, second := issuePair(t, one, grant), issuePair(t, two, grant)
	single := must(one.IssueRefresh(grant))
	tokens := []string{first.Refresh.Token.Reveal(), second.Refresh.Token.Reveal(), single.Token.Reveal()}
	for range 3 {
		for i, token := range tokens {
			tokens[i] = refresh(t, two, token, paseto.Requirement{}).Refresh.Token.Reveal()
		}
		c.Advance(time.Minute)
	}
	_, err := one.Refresh(t.Context(), second.Refresh.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrReused, "")
	for _, token := range tokens {
		_, err := two.Refresh(t.Context(), token, paseto.Requirement{})
		checkRefused(t, err, paseto.ErrRevoked, "")
	}
}

// TestRefreshOfAnEarlierToken refreshes a token from before there were generations,
// and one with a claim of that name that was written elsewhere. They work once, and
// what comes of them has generations.
func TestRefreshOfAnEarlierToken(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]string{
		"without the claim":    nil,
		"another claim":        {`"rot":"clockwise"`},
		"a number":             {`"rot":7`},
		"an object":            {`"rot":{"lineage":"x"}`},
		"generation 0":         {`"rot":"0.x"`},
		"a negative one":       {`"rot":"-1.x"`},
		"one that is too late": {`"rot":"4294967296.x"`},
		"without a lineage":    {`"rot":"1."`},
		"a lineage of spaces":  {`"rot":"1.a b"`},
		"a long lineage":       {`"rot":"1.` + strings.Repeat("x", 65) + `"`},
	} {
		for _, session := range []string{"s1", ""} {
			t.Run(fmt.Sprintf("%s, session %q", name, session), func(t *testing.T) {
				t.Parallel()
				one, two, c := nodes(t, paseto.Config{})
				token := unmarked("old", session, more...)
				first := refresh(t, one, token, paseto.Requirement{})
				checkSamePair(t, refresh(t, two, token, paseto.Requirement{}), first)
				if got, want := rot(t, first.Refresh.Claims), "1."+first.Refresh.Claims.ID; got != want {
					t.Errorf("the successor's generation is %v, want %s", got, want)
				}
				if got := rot(t, first.Access.Claims); got != nil {
					t.Errorf("the access token has the generation %v", got)
				}
				next := refresh(t, two, first.Refresh.Token.Reveal(), paseto.Requirement{})
				if got, want := rot(t, next.Refresh.Claims), "2."+first.Refresh.Claims.ID; got != want {
					t.Errorf("the next generation is %v, want %s", got, want)
				}
				c.Advance(time.Minute)
				_, err := two.Refresh(t.Context(), token, paseto.Requirement{})
				checkRefused(t, err, paseto.ErrReused, "")
				checkRevoked(t, one, next.Refresh, true)
			})
		}
	}
}

// TestRotationOfALostRecord: where the denylist has lost what was used, as in a
// restart or a failover, the session goes on with the latest token, and those before
// it are found to be reused from then on.
func TestRotationOfALostRecord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		kept int // refreshes that the denylist knows of
	}{{"the whole record", 0}, {"the latest refreshes", 1}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before, c := revocable(t, paseto.Config{})
			after := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now), paseto.WithDenylist(denylist.NewMemory(denylist.WithClock(c.Now))))
			login := issuePair(t, before, paseto.Grant{Subject: "alice"})
			if test.kept > 0 {
				refresh(t, after, login.Refresh.Token.Reveal(), paseto.Requirement{})
			}
			pairs := []paseto.Pair{login}
			for i := range 3 {
				pairs = append(pairs, refresh(t, before, pairs[i].Refresh.Token.Reveal(), paseto.Requirement{}))
			}
			next := refresh(t, after, pairs[3].Refresh.Token.Reveal(), paseto.Requirement{})
			checkSamePair(t, refresh(t, after, pairs[3].Refresh.Token.Reveal(), paseto.Requirement{}), next)
			next = refresh(t, after, next.Refresh.Token.Reveal(), paseto.Requirement{})
			_, err := after.Refresh(t.Context(), pairs[2].Refresh.Token.Reveal(), paseto.Requirement{})
			checkRefused(t, err, paseto.ErrReused, "")
			checkRevoked(t, after, next.Access, true)
		})
	}
}

// TestRotationOutlivesItsTokens: the record is kept for as long as any token of the
// lineage is valid, also an early one that lives longer than all that came of it.
func TestRotationOutlivesItsTokens(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	c := newClock()
	store := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = store.Close() })
	auth := func(cfg paseto.Config) *paseto.Authorizer {
		return newAuthorizer(t, cfg, paseto.WithClock(c.Now), paseto.WithDenylist(store))
	}
	long, short := auth(paseto.Config{RefreshTTL: 60 * day, RefreshGrace: time.Second}), auth(paseto.Config{RefreshTTL: day, OtherTTL: day})
	login := issuePair(t, long, paseto.Grant{})
	pair := refresh(t, short, login.Refresh.Token.Reveal(), paseto.Requirement{})
	if life := pair.Refresh.Claims.ExpiresAt.Sub(issuedAt); life != day {
		t.Fatalf("the successor lives for %s", life)
	}
	c.Advance(time.Hour)
	refresh(t, short, pair.Refresh.Token.Reveal(), paseto.Requirement{})
	c.Set(long.Deadline(login.Refresh.Claims).Add(-1))
	_, err := long.Refresh(t.Context(), login.Refresh.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrReused, "")
}
