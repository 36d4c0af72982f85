// Package denylisttest is the contract of [denylist.Store] as a test suite.
// Every store in this module runs it, and a store of your own should:
//
//	func TestStore(t *testing.T) {
//		denylisttest.Run(t, denylisttest.Harness{Open: openMyStore})
//	}
package denylisttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Harness tells [Run] how to make the store under test.
type Harness struct {
	// Open returns an empty store that no other test uses. Run closes it.
	Open func(t testing.TB) denylist.Store

	// Peer returns a second store with the records of s, as another process
	// would open it. Run closes it. Nil for a store that cannot be shared, which
	// is then not tested for that.
	Peer func(t testing.TB, s denylist.Store) denylist.Store
	// Reopen closes s and returns a store with its records, which Run closes.
	// Nil for a store that forgets them when it is closed.
	Reopen func(t testing.TB, s denylist.Store) denylist.Store

	// Now and Advance are the clock of the stores that Open returns. Both nil
	// means the wall clock: Run then gives records a life of some seconds
	// and asks the store until they are gone.
	Now     func() time.Time
	Advance func(d time.Duration)
}

// Run tests that the stores of h keep the contract. Its subtests run one after
// the other, as they may share a clock.
func Run(t *testing.T, h Harness) {
	if h.Now == nil {
		h.Now = time.Now
	}
	for _, test := range h.tests() {
		t.Run(test.name, func(t *testing.T) {
			store := h.Open(t)
			closeAfter(t, store)
			test.run(t, h, store)
		})
	}
}

type test struct {
	name string
	run  func(*testing.T, Harness, denylist.Store)
}

// tests returns what applies to the stores of h.
func (h Harness) tests() []test {
	tests := []test{
		{"token id", testTokenID},
		{"session", testSession},
		{"subject cut-off", testSubject},
		{"cut-off never moves back", testCutoffMovesForward},
		{"cut-off expires", testCutoffExpires},
		{"cut-off that excepts a session", testExcept},
		{"excepted session of any bytes", testExceptBytes},
		{"kinds do not meet", testKindsApart},
		{"empty identifiers match nothing", testEmptyToken},
		{"invalid revocations", testInvalid},
		{"any bytes, any length to 4 KiB", testIdentifiers},
		{"records expire", testExpiry},
		{"revoking again never shortens", testNeverShortened},
		{"consume once", testConsume},
		{"consume expires", testConsumeExpiry},
		{"consume concurrently", testConsumeConcurrently},
		{"advance", testAdvance},
		{"advance expires", testAdvanceExpiry},
		{"advance what is consumed", testAdvanceConsumed},
		{"advance concurrently", testAdvanceConcurrently},
		{"revoke concurrently", testRevokeConcurrently},
		{"ended context", testCancelled},
		{"watch", testWatch},
		{"watch: slow watcher", testSlowWatcher},
		{"watch ends with its context", testWatchCancelled},
		{"watch ends at close", testWatchClosed},
		{"use after close", testClosed},
		{"use while closing", testClosing},
	}
	if h.Advance != nil {
		tests = append(tests, test{"the clock jumps ahead and back", testClockJumps})
	}
	if h.Peer != nil {
		tests = append(tests,
			test{"shared: revoke", testPeerRevoke},
			test{"shared: consume", testPeerConsume},
			test{"shared: advance", testPeerAdvance},
			test{"shared: watch", testPeerWatch},
			test{"shared: cut-off that excepts a session", testPeerExcept},
		)
	}
	if h.Reopen != nil {
		tests = append(tests, test{"durable", testReopen})
	}
	return tests
}

func closeAfter(t *testing.T, s denylist.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func testTokenID(t *testing.T, h Harness, s denylist.Store) {
	revoke(t, s, denylist.Revocation{TokenID: "a", Until: h.Now().Add(time.Hour)})
	wantRevoked(t, s, denylist.Token{ID: "a", Session: "s", Subject: "u"}, true)
	wantRevoked(t, s, denylist.Token{ID: "b", Session: "s", Subject: "u"}, false)
	wantRevoked(t, s, denylist.Token{ID: "A"}, false)
}

func testSession(t *testing.T, h Harness, s denylist.Store) {
	revoke(t, s, denylist.Revocation{Session: "login", Until: h.Now().Add(time.Hour)})
	wantRevoked(t, s, denylist.Token{ID: "a", Session: "login"}, true)
	wantRevoked(t, s, denylist.Token{ID: "b", Session: "login"}, true)
	wantRevoked(t, s, denylist.Token{ID: "a", Session: "another"}, false)
}

func testSubject(t *testing.T, h Harness, s denylist.Store) {
	second := h.Now().Truncate(time.Second)
	cutoff := second.Add(300 * time.Millisecond)
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: cutoff, Until: second.Add(time.Hour)})
	for _, test := range []struct {
		name     string
		issuedAt time.Time
		want     bool
	}{
		{"a second before", second.Add(-time.Second), true},
		{"in its second", second, true},
		{"late in its second", second.Add(999 * time.Millisecond), true},
		{"a second after", second.Add(time.Second), false},
		{"never", time.Time{}, true},
	} {
		if got := revoked(t, s, denylist.Token{ID: "a", Subject: "u", IssuedAt: test.issuedAt}); got != test.want {
			t.Errorf("issued %s: Revoked = %t, want %t", test.name, got, test.want)
		}
	}
	wantRevoked(t, s, denylist.Token{ID: "a", Subject: "v", IssuedAt: second}, false)
}

// testCutoffExpires: a cut-off whose time has come says nothing any more, even
// when another one follows.
func testCutoffExpires(t *testing.T, h Harness, s denylist.Store) {
	now := h.Now().Truncate(time.Second)
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: now.Add(time.Hour), Until: now.Add(2 * time.Second)})
	h.pass(4 * time.Second)
	h.eventually(t, "the first cut-off is over", func() bool {
		return !revoked(t, s, denylist.Token{Subject: "u", IssuedAt: now.Add(time.Minute)})
	})
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: now, Until: now.Add(time.Hour)})
	wantRevoked(t, s, denylist.Token{Subject: "u", IssuedAt: now}, true)
	wantRevoked(t, s, denylist.Token{Subject: "u", IssuedAt: now.Add(time.Minute)}, false)
}

func testCutoffMovesForward(t *testing.T, h Harness, s denylist.Store) {
	now := h.Now().Truncate(time.Second)
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: now, Until: now.Add(time.Hour)})
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: now.Add(-time.Minute), Until: now.Add(time.Hour)})
	wantRevoked(t, s, denylist.Token{Subject: "u", IssuedAt: now}, true)
	revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: now.Add(time.Minute), Until: now.Add(time.Hour)})
	wantRevoked(t, s, denylist.Token{Subject: "u", IssuedAt: now.Add(time.Minute)}, true)
}

func testKindsApart(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	revoke(t, s, denylist.Revocation{TokenID: "token", Until: until})
	revoke(t, s, denylist.Revocation{Session: "session", Until: until})
	revoke(t, s, denylist.Revocation{Subject: "subject", IssuedBefore: h.Now(), Until: until})
	consume(t, s, "consumed", "", until, "", true)

	for _, token := range []denylist.Token{
		{Session: "token", Subject: "token"},
		{ID: "session", Subject: "session"},
		{ID: "subject", Session: "subject"},
		{ID: "consumed", Session: "consumed", Subject: "consumed"},
	} {
		wantRevoked(t, s, token, false)
	}
	for _, key := range []string{"token", "session", "subject"} {
		consume(t, s, key, "x", until, "x", true)
	}
}

func testEmptyToken(t *testing.T, h Harness, s denylist.Store) {
	revoke(t, s, denylist.Revocation{TokenID: "a"})
	wantRevoked(t, s, denylist.Token{}, false)
}

// tooLong is an identifier that no store keeps.
var tooLong = strings.Repeat("x", denylist.MaxID+1)

func testInvalid(t *testing.T, h Harness, s denylist.Store) {
	for name, r := range map[string]denylist.Revocation{
		"nothing named":          {Until: h.Now().Add(time.Hour)},
		"two named":              {TokenID: "a", Session: "b"},
		"subject, no cut-off":    {Subject: "u"},
		"cut-off, no subject":    {TokenID: "a", IssuedBefore: h.Now()},
		"session with a cut-off": {Session: "a", IssuedBefore: h.Now()},
		"a longer identifier":    {TokenID: tooLong},
		"an exception alone":     {Except: "a"},
		"session, an exception":  {Session: "a", Except: "b"},
		"a longer exception":     {Subject: "a", IssuedBefore: h.Now(), Except: tooLong},
		"a longer subject":       {Subject: tooLong, IssuedBefore: h.Now()},
	} {
		if err := s.Revoke(t.Context(), r); !errors.Is(err, denylist.ErrInvalid) {
			t.Errorf("%s: Revoke = %v, want ErrInvalid", name, err)
		}
	}
	for name, key := range map[string]string{"an empty key": "", "a longer key": tooLong} {
		if _, _, err := s.Consume(t.Context(), key, "v", time.Time{}); !errors.Is(err, denylist.ErrInvalid) {
			t.Errorf("Consume of %s = %v, want ErrInvalid", name, err)
		}
	}
	if _, _, err := s.Consume(t.Context(), "k", strings.Repeat("x", denylist.MaxValue+1), time.Time{}); !errors.Is(err, denylist.ErrInvalid) {
		t.Errorf("Consume with a longer value = %v, want ErrInvalid", err)
	}
	for name, arguments := range map[string][3]string{
		"an empty key":    {"", "", "v"},
		"a longer key":    {tooLong, "", "v"},
		"an empty value":  {"k", "", ""},
		"a longer value":  {"k", "", strings.Repeat("x", denylist.MaxValue+1)},
		"from a longer":   {"k", strings.Repeat("x", denylist.MaxValue+1), "v"},
		"away from value": {"k", "v", ""},
	} {
		if _, _, err := s.Advance(t.Context(), arguments[0], arguments[1], arguments[2], time.Time{}); !errors.Is(err, denylist.ErrInvalid) {
			t.Errorf("Advance: %s: %v, want ErrInvalid", name, err)
		}
	}
	consume(t, s, "k", "v", time.Time{}, "v", true)
	// Such a token cannot be revoked by its id, and is not.
	wantRevoked(t, s, denylist.Token{ID: tooLong, Session: tooLong, Subject: tooLong}, false)
}

func testIdentifiers(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	for name, id := range map[string]string{
		"NUL":           "a\x00b",
		"not UTF-8":     "\xff\xfe\x80",
		"line ends":     "a\r\nb",
		"separators":    "a:b{c}*?|d",
		"spaces":        " a ",
		"not ASCII":     "jürgen-日本",
		"4 KiB":         strings.Repeat("x", denylist.MaxID),
		"4 KiB, binary": strings.Repeat("\x00\xff", denylist.MaxID/2),
	} {
		revoke(t, s, denylist.Revocation{TokenID: id, Until: until})
		revoke(t, s, denylist.Revocation{Session: id, Until: until})
		revoke(t, s, denylist.Revocation{Subject: id, IssuedBefore: h.Now(), Until: until})
		for _, token := range []denylist.Token{{ID: id}, {Session: id}, {Subject: id, IssuedAt: h.Now().Add(-time.Minute)}} {
			if !revoked(t, s, token) {
				t.Errorf("%s: not revoked", name)
			}
		}
		if revoked(t, s, denylist.Token{ID: id + "x"}) || revoked(t, s, denylist.Token{ID: id[:len(id)-1]}) {
			t.Errorf("%s: a longer or shorter id counts as revoked", name)
		}
		consume(t, s, id, id, until, id, true)
		consume(t, s, id, "other", until, id, false)
	}
}

func testExpiry(t *testing.T, h Harness, s denylist.Store) {
	now := h.Now()
	soon, cutoff := now.Add(h.life()), now.Add(-time.Minute)
	revoke(t, s, denylist.Revocation{TokenID: "soon", Until: soon})
	revoke(t, s, denylist.Revocation{Session: "soon", Until: soon})
	revoke(t, s, denylist.Revocation{Subject: "soon", IssuedBefore: cutoff, Until: soon})
	revoke(t, s, denylist.Revocation{TokenID: "later", Until: now.Add(time.Hour)})
	revoke(t, s, denylist.Revocation{TokenID: "never"})

	covered := []denylist.Token{{ID: "soon"}, {Session: "soon"}, {Subject: "soon", IssuedAt: cutoff}}
	for _, token := range covered {
		wantRevoked(t, s, token, true)
	}
	h.pass(4 * time.Second)
	for _, token := range covered {
		h.eventually(t, fmt.Sprintf("%+v is forgotten", token), func() bool { return !revoked(t, s, token) })
	}
	wantRevoked(t, s, denylist.Token{ID: "later"}, true)
	wantRevoked(t, s, denylist.Token{ID: "never"}, true)
}

func testNeverShortened(t *testing.T, h Harness, s denylist.Store) {
	now := h.Now()
	revoke(t, s, denylist.Revocation{TokenID: "a", Until: now.Add(time.Hour)})
	revoke(t, s, denylist.Revocation{TokenID: "a", Until: now.Add(time.Second)})
	revoke(t, s, denylist.Revocation{Session: "b"})
	revoke(t, s, denylist.Revocation{Session: "b", Until: now.Add(time.Second)})
	cutoff := now.Add(-time.Minute)
	revoke(t, s, denylist.Revocation{Subject: "c", IssuedBefore: cutoff, Until: now.Add(time.Hour)})
	revoke(t, s, denylist.Revocation{Subject: "c", IssuedBefore: cutoff, Until: now.Add(time.Second)})
	revoke(t, s, denylist.Revocation{TokenID: "clock", Until: now.Add(time.Second)})
	h.pass(3 * time.Second)
	h.eventually(t, "the shorter life is over", func() bool { return !revoked(t, s, denylist.Token{ID: "clock"}) })
	wantRevoked(t, s, denylist.Token{ID: "a"}, true)
	wantRevoked(t, s, denylist.Token{Session: "b"}, true)
	wantRevoked(t, s, denylist.Token{Subject: "c", IssuedAt: cutoff}, true)
}

func testConsume(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	consume(t, s, "k", "first", until, "first", true)
	consume(t, s, "k", "second", until, "first", false)
	consume(t, s, "other", "", until, "", true)
	consume(t, s, "other", "late", time.Time{}, "", false)
}

func testConsumeExpiry(t *testing.T, h Harness, s denylist.Store) {
	consume(t, s, "k", "old", h.Now().Add(h.life()), "old", true)
	consume(t, s, "kept", "old", time.Time{}, "old", true)
	consume(t, s, "k", "new", h.Now().Add(time.Hour), "old", false)
	h.pass(4 * time.Second)
	h.eventually(t, "the key is free again", func() bool {
		winner, first, err := s.Consume(t.Context(), "k", "new", h.Now().Add(time.Hour))
		if err != nil {
			t.Fatalf("Consume: %v", err)
		}
		return first && winner == "new"
	})
	consume(t, s, "kept", "new", time.Time{}, "old", false)
}

func testCancelled(t *testing.T, h Harness, s denylist.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Revoke(ctx, denylist.Revocation{TokenID: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Revoke = %v, want context.Canceled", err)
	}
	if _, err := s.Revoked(ctx, denylist.Token{ID: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Revoked = %v, want context.Canceled", err)
	}
	if _, _, err := s.Consume(ctx, "k", "cancelled", time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Consume = %v, want context.Canceled", err)
	}
	if _, _, err := s.Advance(ctx, "k", "", "cancelled", time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Advance = %v, want context.Canceled", err)
	}
	if err := s.Watch(ctx, func(denylist.Event) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want context.Canceled", err)
	}
	wantRevoked(t, s, denylist.Token{ID: "a"}, false)
	consume(t, s, "k", "v", time.Time{}, "v", true)
}

func testClosed(t *testing.T, h Harness, s denylist.Store) {
	revoke(t, s, denylist.Revocation{TokenID: "a"})
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := s.Revoke(t.Context(), denylist.Revocation{TokenID: "b"}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("Revoke = %v, want ErrClosed", err)
	}
	if _, err := s.Revoked(t.Context(), denylist.Token{ID: "a"}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("Revoked = %v, want ErrClosed", err)
	}
	if _, _, err := s.Consume(t.Context(), "k", "", time.Time{}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("Consume = %v, want ErrClosed", err)
	}
	if _, _, err := s.Advance(t.Context(), "k", "", "v", time.Time{}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("Advance = %v, want ErrClosed", err)
	}
	if err := s.Watch(t.Context(), func(denylist.Event) {}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("Watch = %v, want ErrClosed", err)
	}
}

// life is how long a record lives that a test makes, finds and sees expire: on the
// wall clock long enough for the slowest machine to find it.
func (h Harness) life() time.Duration {
	if h.Advance != nil {
		return 2 * time.Second
	}
	return 5 * time.Second
}

// pass moves the clock on, where the harness has one.
func (h Harness) pass(d time.Duration) {
	if h.Advance != nil {
		h.Advance(d)
	}
}

// eventually fails the test unless ok holds: at once on a clock of the
// harness, in time on the wall clock.
func (h Harness) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if h.Advance == nil {
		testtool.Eventually(t, what, ok)
	} else if !ok() {
		t.Fatalf("not so: %s", what)
	}
}

func revoke(t *testing.T, s denylist.Store, r denylist.Revocation) {
	t.Helper()
	if err := s.Revoke(t.Context(), r); err != nil {
		t.Fatalf("Revoke(%+v): %v", r, err)
	}
}

func revoked(t *testing.T, s denylist.Store, token denylist.Token) bool {
	t.Helper()
	ok, err := s.Revoked(t.Context(), token)
	if err != nil {
		t.Fatalf("Revoked(%+v): %v", token, err)
	}
	return ok
}

func wantRevoked(t *testing.T, s denylist.Store, token denylist.Token, want bool) {
	t.Helper()
	if got := revoked(t, s, token); got != want {
		t.Errorf("Revoked(%+v) = %t, want %t", token, got, want)
	}
}

func consume(t *testing.T, s denylist.Store, key, value string, until time.Time, winner string, first bool) {
	t.Helper()
	gotWinner, gotFirst, err := s.Consume(t.Context(), key, value, until)
	if err != nil {
		t.Fatalf("Consume: %v", err)
	}
	if gotWinner != winner || gotFirst != first {
		t.Errorf("Consume(%.20q, %.20q) = %.20q, %t; want %.20q, %t", key, value, gotWinner, gotFirst, winner, first)
	}
}
