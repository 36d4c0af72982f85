package denylisttest

import (
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// cutoffs makes the cut-offs of a subject, and asks which sessions they cover.
type cutoffs struct {
	h      Harness
	s      denylist.Store
	second time.Time
}

// revoke records a cut-off, so many seconds after the first one.
func (c cutoffs) revoke(t *testing.T, after int, except string) {
	t.Helper()
	at := c.second.Add(time.Duration(after)*time.Second + 300*time.Millisecond)
	revoke(t, c.s, denylist.Revocation{Subject: "u", IssuedBefore: at, Except: except, Until: c.h.Now().Add(time.Hour)})
}

// want checks which of the sessions that began in the first second are covered.
func (c cutoffs) want(t *testing.T, covered, spared string) {
	t.Helper()
	for _, session := range strings.Fields(covered) {
		wantRevoked(t, c.s, denylist.Token{ID: "t", Session: session, Subject: "u", IssuedAt: c.second}, true)
	}
	for _, session := range strings.Fields(spared) {
		wantRevoked(t, c.s, denylist.Token{ID: "t", Session: session, Subject: "u", IssuedAt: c.second}, false)
	}
	wantRevoked(t, c.s, denylist.Token{ID: "t", Subject: "u", IssuedAt: c.second}, true)
	wantRevoked(t, c.s, denylist.Token{ID: "t", Session: "a", Subject: "other", IssuedAt: c.second}, false)
}

// testExcept: the exception belongs to the cut-off. A later one, or one in the same
// second, replaces both.
func testExcept(t *testing.T, h Harness, s denylist.Store) {
	c := cutoffs{h: h, s: s, second: h.Now().Truncate(time.Second)}
	c.revoke(t, 0, "a")
	c.want(t, "old b", "a")
	wantRevoked(t, s, denylist.Token{Session: "a", Subject: "u"}, false) // also one without a time
	c.revoke(t, -1, "b")
	c.want(t, "old b", "a")
	c.revoke(t, -1, "")
	c.want(t, "old b", "a")
	c.revoke(t, 0, "b")
	c.want(t, "old a", "b")
	c.revoke(t, 0, "b")
	c.want(t, "old a", "b")
	c.revoke(t, 1, "c")
	c.want(t, "old a b", "c")
	c.revoke(t, 0, "")
	c.want(t, "old a b", "c")
	c.revoke(t, 1, "")
	c.want(t, "old a b c", "")
	c.revoke(t, 1, "d")
	c.want(t, "old a b c", "d")
	c.revoke(t, 2, "")
	c.want(t, "old a b c d", "")

	c.revoke(t, 3, "e")
	revoke(t, s, denylist.Revocation{TokenID: "of e", Until: h.Now().Add(time.Hour)})
	wantRevoked(t, s, denylist.Token{ID: "of e", Session: "e", Subject: "u", IssuedAt: c.second}, true)
	c.want(t, "old", "e")
	revoke(t, s, denylist.Revocation{Session: "e", Until: h.Now().Add(time.Hour)})
	c.want(t, "old e", "")
}

func testExceptBytes(t *testing.T, h Harness, s denylist.Store) {
	at := h.Now()
	for _, session := range []string{" ", " a ", "1 2", "a\x00b\r\n", "\xff\xfe", strings.Repeat("x", denylist.MaxID)} {
		revoke(t, s, denylist.Revocation{Subject: "u", IssuedBefore: at, Except: session, Until: at.Add(time.Hour)})
		wantRevoked(t, s, denylist.Token{Session: session, Subject: "u", IssuedAt: at}, false)
		for _, other := range []string{session + "x", session[1:], "old"} {
			wantRevoked(t, s, denylist.Token{Session: other, Subject: "u", IssuedAt: at}, true)
		}
	}
}

// testPeerExcept: what one store excepts, the other lets in, although it had cached
// an answer that covered it.
func testPeerExcept(t *testing.T, h Harness, s denylist.Store) {
	c := cutoffs{h: h, s: s, second: h.Now().Truncate(time.Second)}
	there := cutoffs{h: h, s: h.peer(t, s), second: c.second}
	for _, session := range []string{"a", "b"} {
		c.revoke(t, 0, "")
		testtool.Eventually(t, "all is revoked elsewhere", func() bool {
			return revoked(t, there.s, denylist.Token{Session: session, Subject: "u", IssuedAt: c.second})
		})
		c.want(t, "old "+session, "")
		c.revoke(t, 0, session)
		c.want(t, "old", session) // at once where it was recorded
		testtool.Eventually(t, "the session is excepted elsewhere", func() bool {
			return !revoked(t, there.s, denylist.Token{Session: session, Subject: "u", IssuedAt: c.second})
		})
		there.want(t, "old", session)
	}
}
