package paseto_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestSubjectRevokedForGood: whoever holds a refresh token cannot refresh its
// session away from the revocation of the subject, however late the revocation
// takes effect where the refresh is made.
func TestSubjectRevokedForGood(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		ahead        time.Duration // the clock of the server that refreshes
		before, late time.Duration // the refresh, after the login, and after the cut-off
	}{
		{"refreshed a second after the cut-off", 0, time.Hour, time.Second},
		{"refreshed long after the cut-off", 0, time.Hour, 24 * time.Hour},
		{"refreshed by a clock that is ahead", 2 * time.Second, time.Hour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			right, other, c := apart(t, paseto.Config{}, test.ahead)
			login := issuePair(t, right, paseto.Grant{Subject: "alice"})
			c.Advance(test.before)
			cutoff := c.Now()
			c.Advance(test.late)
			escaped := refresh(t, other, login.Refresh.Token.Reveal(), paseto.Requirement{})
			checkNil(t, right.RevokeSubject(t.Context(), "alice", cutoff))
			for _, issued := range []paseto.Issued{login.Refresh, escaped.Access, escaped.Refresh} {
				checkRevoked(t, right, issued, true)
				checkRevoked(t, other, issued, true)
			}
			c.Advance(time.Second)
			checkRevoked(t, right, issuePair(t, right, paseto.Grant{Subject: "alice"}).Access, false)
		})
	}
}

// TestSubjectRevokedByIssue: tokens outside of any login are covered by the time
// of their issue, and an older login that a program vouches for by its own.
func TestSubjectRevokedByIssue(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{Denylist: paseto.DenylistConfig{Check: []string{paseto.TypeAccess, "invite"}}})
	before := must(auth.Issue("invite", paseto.Grant{Subject: "alice"}))
	checkNil(t, auth.RevokeSubject(t.Context(), "alice", time.Time{}))
	c.Advance(time.Second)
	after := must(auth.Issue("invite", paseto.Grant{Subject: "alice"}))
	elsewhere := issueAccess(t, auth, paseto.Grant{Subject: "alice", AuthTime: start.Add(-time.Hour)})
	checkRevoked(t, auth, before, true)
	checkRevoked(t, auth, after, false)
	checkRevoked(t, auth, elsewhere, true)
}

// TestSubjectRevokedBeforeItsLogin: a token whose auth_time is later than its own
// issue, as another issuer may write it, is covered by the time of its issue.
func TestSubjectRevokedBeforeItsLogin(t *testing.T) {
	t.Parallel()
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	token := sign(fmt.Sprintf(`{"jti":"j1","type":"access","sub":"alice","iat":%q,"exp":%q,"auth_time":%q}`,
		at(issuedAt), at(issuedAt.Add(time.Hour)), at(issuedAt.Add(time.Hour))), "", "")
	for _, test := range []struct {
		cutoff time.Time
		want   bool
	}{{issuedAt.Add(-time.Second), false}, {issuedAt, true}, {issuedAt.Add(time.Minute), true}} {
		auth, _ := revocable(t, paseto.Config{})
		issued := paseto.Issued{Token: paseto.NewSecret(token), Claims: verify(t, auth, token, paseto.Requirement{})}
		checkNil(t, auth.RevokeSubject(t.Context(), "alice", test.cutoff))
		checkRevoked(t, auth, issued, test.want)
		if got := auth.RevokedBy(issued.Claims, denylist.Revocation{Subject: "alice", IssuedBefore: test.cutoff}); got != test.want {
			t.Errorf("RevokedBy reports %t, want %t", got, test.want)
		}
	}
}

// TestRecordsOutliveTokens: a record is kept until the last token that it covers
// is refused by every clock within the leeway.
func TestRecordsOutliveTokens(t *testing.T) {
	t.Parallel()
	const leeway, most = time.Minute, 48 * time.Hour
	var seen events
	auth, c := revocable(t, paseto.Config{Leeway: leeway, MaxTTL: most, RefreshTTL: time.Hour, OtherTTL: time.Hour}, paseto.WithObserver(seen.observe))
	checkNil(t, auth.RevokeSession(t.Context(), "s1"))
	checkNil(t, auth.RevokeSubject(t.Context(), "alice", c.Now().Add(time.Hour)))
	recorded := seen.take()
	for name, latest := range map[string]time.Time{"session": c.Now(), "subject": c.Now().Add(time.Hour)} {
		var until time.Time
		for _, e := range recorded {
			if (e.Revocation.Session != "") == (name == "session") {
				until = e.Revocation.Until
			}
		}
		// Issued by a clock that is ahead, and looked up by a store whose clock
		// is, where the token's is behind.
		if last := latest.Add(leeway + most + 2*leeway); until.Before(last) {
			t.Errorf("the record of the %s is kept until %s, want at least %s", name, until, last)
		}
	}
}

// TestRevokeWhatNoStoreKeeps says that it is the caller's mistake, and not that
// it may work later.
func TestRevokeWhatNoStoreKeeps(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	long := string(make([]byte, denylist.MaxID+1))
	for name, err := range map[string]error{
		"no session":   auth.RevokeSession(t.Context(), ""),
		"no subject":   auth.RevokeSubject(t.Context(), "", time.Time{}),
		"long session": auth.RevokeSession(t.Context(), long),
		"long subject": auth.RevokeSubject(t.Context(), long, time.Time{}),
	} {
		if !errors.Is(err, denylist.ErrInvalid) || errors.Is(err, paseto.ErrUnavailable) {
			t.Errorf("%s: error is %v, want %v", name, err, denylist.ErrInvalid)
		}
	}
	ticket := must(auth.IssueTicket(issueAccess(t, auth, paseto.Grant{}).Claims, paseto.TicketGrant{}))
	checkRefused(t, auth.Revoke(t.Context(), ticket.Claims), paseto.ErrClaims, "")
}
