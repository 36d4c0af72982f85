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

func checkRevoked(t *testing.T, auth *paseto.Authorizer, issued paseto.Issued, want bool) {
	t.Helper()
	_, err := auth.Verify(t.Context(), issued.Token.Reveal(), paseto.Requirement{Type: issued.Claims.Type})
	if want {
		checkRefused(t, err, paseto.ErrRevoked, "Token has been revoked")
	} else if err != nil {
		t.Errorf("the token is refused: %v", err)
	}
	if got := errors.Is(auth.Revoked(t.Context(), issued.Claims), paseto.ErrRevoked); got != want {
		t.Errorf("Revoked reports %t, want %t", got, want)
	}
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	var seen events
	auth, _ := revocable(t, paseto.Config{}, paseto.WithObserver(seen.observe))
	pair := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	checkRevoked(t, auth, pair.Access, false)
	seen.take()
	for range 2 { // the second time changes nothing
		if err := auth.Revoke(t.Context(), pair.Access.Claims); err != nil {
			t.Fatal(err)
		}
		if all := seen.take(); len(all) != 1 || all[0].Kind != paseto.EventRevoked || all[0].Claims != pair.Access.Claims {
			t.Errorf("events are %v", all)
		}
		checkRevoked(t, auth, pair.Access, true)
		checkRevoked(t, auth, pair.Refresh, false)
		seen.take()
	}
}

func TestRevokeSession(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	phone := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	laptop := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	later, err := auth.Refresh(t.Context(), phone.Refresh.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.RevokeSession(t.Context(), phone.Access.Claims.Session); err != nil {
		t.Fatal(err)
	}
	for _, issued := range []paseto.Issued{phone.Access, phone.Refresh, later.Access, later.Refresh} {
		checkRevoked(t, auth, issued, true)
	}
	checkRevoked(t, auth, laptop.Access, false)
	checkRevoked(t, auth, laptop.Refresh, false)
}

// TestRevokeSubject revokes within a second: what was issued in the same one
// is covered, whether before or after.
func TestRevokeSubject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		cutoff time.Time
		after  time.Duration // of issue, relative to the second of start
		want   bool
	}{
		{"now, issued before", time.Time{}, -time.Hour, true},
		{"now, issued earlier in the same second", time.Time{}, 0, true},
		{"now, issued later in the same second", time.Time{}, 999 * time.Millisecond, true},
		{"now, issued in the next second", time.Time{}, time.Second, false},
		{"an hour ago, issued then", issuedAt.Add(-time.Hour), -time.Hour, true},
		{"an hour ago, issued a second later", issuedAt.Add(-time.Hour), -time.Hour + time.Second, false},
		{"in a minute, issued then", issuedAt.Add(time.Minute), time.Minute, true},
		{"in a minute, issued a second later", issuedAt.Add(time.Minute), time.Minute + time.Second, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, c := revocable(t, paseto.Config{AccessTTL: 24 * time.Hour})
			if err := auth.RevokeSubject(t.Context(), "alice", test.cutoff); err != nil {
				t.Fatal(err)
			}
			c.Set(issuedAt.Add(test.after))
			alice := issueAccess(t, auth, paseto.Grant{Subject: "alice"})
			bob := issueAccess(t, auth, paseto.Grant{Subject: "bob"})
			nobody := issueAccess(t, auth, paseto.Grant{})
			c.Set(start.Add(2 * time.Minute))
			checkRevoked(t, auth, alice, test.want)
			checkRevoked(t, auth, bob, false)
			checkRevoked(t, auth, nobody, false)
		})
	}
}

// TestRevokeNumericSubject covers the tokens of libraries that write it as a number and
// of those that write a string.
func TestRevokeNumericSubject(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	tokens := []string{
		sign(`{"type":"access","sub":42,"exp":"2099-01-01T00:00:00Z"}`, "", ""),
		sign(`{"type":"access","sub":"42","exp":"2099-01-01T00:00:00Z"}`, "", ""),
	}
	for _, token := range tokens {
		verify(t, auth, token, paseto.Requirement{})
	}
	if err := auth.RevokeSubject(t.Context(), "42", time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
		checkRefused(t, err, paseto.ErrRevoked, "")
	}
}

func TestRevokeRefuses(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	if err := auth.Revoke(t.Context(), &paseto.Claims{Subject: "alice"}); !errors.Is(err, paseto.ErrClaims) {
		t.Errorf("no jti: error is %v, want %v", err, paseto.ErrClaims)
	}
	if err := auth.RevokeSession(t.Context(), ""); !errors.Is(err, denylist.ErrInvalid) {
		t.Errorf("no session: error is %v, want %v", err, denylist.ErrInvalid)
	}
	if err := auth.RevokeSubject(t.Context(), "", time.Time{}); !errors.Is(err, denylist.ErrInvalid) {
		t.Errorf("no subject: error is %v, want %v", err, denylist.ErrInvalid)
	}
}

func TestRevokeWithoutDenylist(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	if auth.CanRevoke() {
		t.Error("CanRevoke is true")
	}
	issued := issueAccess(t, auth, paseto.Grant{})
	for name, err := range map[string]error{
		"token":   auth.Revoke(t.Context(), issued.Claims),
		"session": auth.RevokeSession(t.Context(), "s1"),
		"subject": auth.RevokeSubject(t.Context(), "alice", time.Time{}),
	} {
		if !errors.Is(err, paseto.ErrNoDenylist) {
			t.Errorf("%s: error is %v, want %v", name, err, paseto.ErrNoDenylist)
		}
	}
	checkRevoked(t, auth, issued, false)
}

// TestRevokeNilClaims revokes what an anonymous caller of an optional route
// brought: nothing.
func TestRevokeNilClaims(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("panic: %v", r)
		}
	}()
	for _, err := range []error{auth.Revoke(t.Context(), nil), auth.Revocable(nil)} {
		if !errors.Is(err, paseto.ErrClaims) {
			t.Errorf("error is %v, want %v", err, paseto.ErrClaims)
		}
	}
}

// ways are the three ways to revoke a token of alice's.
var ways = map[string]func(context.Context, *paseto.Authorizer, *paseto.Claims) error{
	"token": func(ctx context.Context, auth *paseto.Authorizer, c *paseto.Claims) error {
		return auth.Revoke(ctx, c)
	},
	"session": func(ctx context.Context, auth *paseto.Authorizer, c *paseto.Claims) error {
		return auth.RevokeSession(ctx, c.Session)
	},
	"subject": func(ctx context.Context, auth *paseto.Authorizer, c *paseto.Claims) error {
		return auth.RevokeSubject(ctx, c.Subject, time.Time{})
	},
}

// TestRevocationsOutliveTokens revokes a token as early as it can be and looks
// at it in the last moment of its life.
func TestRevocationsOutliveTokens(t *testing.T) {
	t.Parallel()
	for name, revoke := range ways {
		for _, leeway := range []time.Duration{0, time.Minute} {
			// An issuer whose clock is ahead by the leeway, and one that keeps
			// the same time.
			for _, ahead := range slices.Compact([]time.Duration{0, leeway}) {
				t.Run(name+" leeway "+leeway.String()+" issuer ahead "+ahead.String(), func(t *testing.T) {
					t.Parallel()
					auth, c := revocable(t, paseto.Config{Leeway: leeway, StartLeeway: leeway})
					issuer := newAuthorizer(t, paseto.Config{}, paseto.WithClock(func() time.Time { return issuedAt.Add(ahead) }))
					c.Set(issuedAt)
					token := issueAccess(t, issuer, paseto.Grant{Subject: "alice", Session: "s1", TTL: issuer.Config().MaxTTL})
					claims := verify(t, auth, token.Token.Reveal(), paseto.Requirement{})
					if name == "subject" {
						// A cut-off goes by the issuer's clock: no earlier one covers.
						c.Advance(ahead)
					}
					if err := revoke(t.Context(), auth, claims); err != nil {
						t.Fatal(err)
					}
					c.Set(auth.Deadline(claims).Add(-1))
					_, err := auth.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{})
					checkRefused(t, err, paseto.ErrRevoked, "")
				})
			}
		}
	}
}

// TestRevocationsOfEternalTokens looks a century later at tokens that do not
// expire, on an Authorizer that accepts them and issues none itself.
func TestRevocationsOfEternalTokens(t *testing.T) {
	t.Parallel()
	issuer := newAuthorizer(t, paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry})
	token := issueAccess(t, issuer, paseto.Grant{Subject: "alice", Session: "s1", TTL: paseto.NoExpiry})
	for name, revoke := range ways {
		for _, maxTTL := range []time.Duration{0, paseto.NoExpiry} {
			t.Run(name+" MaxTTL "+maxTTL.String(), func(t *testing.T) {
				t.Parallel()
				auth, c := revocable(t, paseto.Config{AllowNoExpiry: true, MaxTTL: maxTTL})
				if err := revoke(t.Context(), auth, verify(t, auth, token.Token.Reveal(), paseto.Requirement{})); err != nil {
					t.Fatal(err)
				}
				c.Set(start.AddDate(100, 0, 0))
				_, err := auth.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{})
				if !errors.Is(err, paseto.ErrRevoked) {
					t.Errorf("error is %v, want %v", err, paseto.ErrRevoked)
				}
			})
		}
	}
}
