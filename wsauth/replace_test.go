package wsauth_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestReplaceSessions closes the sockets of the old sessions, those of another guard
// too, and leaves those of the new session.
func TestReplaceSessions(t *testing.T) {
	t.Parallel()
	c := newClock()
	store := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = store.Close() })
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now), paseto.WithDenylist(store))
	here := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
	there := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
	replace := func() string {
		t.Helper()
		pair, err := auth.ReplaceSessions(t.Context(), paseto.Grant{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		return pair.Access.Token.Reveal()
	}

	old := access(t, auth, paseto.Grant{Subject: "alice", Session: "old"})
	oldHere, oldThere := connect(t, here, bearer(old)), connect(t, there, bearer(old))
	bob := connect(t, here, bearer(access(t, auth, paseto.Grant{Subject: "bob"})))
	token := replace()
	newHere, newThere := connect(t, here, bearer(token)), connect(t, there, bearer(token))
	checkClosed(t, oldHere, wsauth.ClosePolicyViolation, beenRevoked)
	checkClosed(t, oldThere, wsauth.ClosePolicyViolation, beenRevoked)

	last := connect(t, here, bearer(replace())) // within the same second
	checkClosed(t, newHere, wsauth.ClosePolicyViolation, beenRevoked)
	checkClosed(t, newThere, wsauth.ClosePolicyViolation, beenRevoked)
	checkEcho(t, last, "still here")
	checkEcho(t, bob, "still here")
}
