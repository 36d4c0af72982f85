package paseto_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestAuthTime(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name      string
		tokenType string
		grant     paseto.Grant
		want      time.Time
	}{
		{"default of access", "access", paseto.Grant{}, issuedAt},
		{"default of refresh", "refresh", paseto.Grant{}, issuedAt},
		{"default of another type", "email-verify", paseto.Grant{}, time.Time{}},
		{"given to access", "access", paseto.Grant{AuthTime: start.Add(-time.Hour)}, issuedAt.Add(-time.Hour)},
		{"given to refresh", "refresh", paseto.Grant{AuthTime: start.Add(-time.Hour)}, issuedAt.Add(-time.Hour)},
		{"given to another type", "email-verify", paseto.Grant{AuthTime: start.Add(-time.Hour)}, issuedAt.Add(-time.Hour)},
		{"elsewhere", "access", paseto.Grant{AuthTime: start.Add(-time.Hour).In(time.FixedZone("", 7200))}, issuedAt.Add(-time.Hour)},
		{"now", "access", paseto.Grant{AuthTime: start}, issuedAt},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issued := must(auth.Issue(test.tokenType, test.grant))
			claims := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{Type: test.tokenType})
			if !claims.AuthTime.Equal(test.want) || !issued.Claims.AuthTime.Equal(test.want) {
				t.Errorf("the login was at %s, issued as %s, want %s", claims.AuthTime, issued.Claims.AuthTime, test.want)
			}
			var written map[string]any
			if err := claims.Decode(&written); err != nil {
				t.Fatal(err)
			}
			want := any(nil)
			if !test.want.IsZero() {
				want = test.want.Format("2006-01-02T15:04:05Z")
			}
			if written["auth_time"] != want {
				t.Errorf("auth_time is %v, want %v", written["auth_time"], want)
			}
		})
	}
	pair := issuePair(t, auth, paseto.Grant{AuthTime: start.Add(-time.Hour)})
	if want := issuedAt.Add(-time.Hour); !pair.Access.Claims.AuthTime.Equal(want) || !pair.Refresh.Claims.AuthTime.Equal(want) {
		t.Errorf("the logins of a pair are at %s and %s", pair.Access.Claims.AuthTime, pair.Refresh.Claims.AuthTime)
	}
}

func TestAuthTimeRefused(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{SessionTTL: time.Hour, StartLeeway: paseto.NoStartLeeway})
	for _, test := range []struct {
		name     string
		authTime time.Time
		why      string
	}{
		{"soon", start.Add(2 * time.Second), "future"},
		{"tomorrow", start.AddDate(0, 0, 1), "future"},
		{"seconds taken for milliseconds", time.Unix(start.UnixMilli(), 0), "future"},
		{"the session is over", start.Add(-time.Hour), "SessionTTL"},
		{"the session has less than a second left", start.Add(-time.Hour + 399*time.Millisecond), "SessionTTL"},
		{"the epoch", time.Unix(0, 0), "SessionTTL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, tokenType := range []string{"access", "refresh", "email-verify"} {
				issued, err := auth.Issue(tokenType, paseto.Grant{AuthTime: test.authTime})
				if !errors.Is(err, paseto.ErrGrant) || !strings.Contains(err.Error(), test.why) || issued.Token.Reveal() != "" {
					t.Errorf("%s: error is %v, want %v about %s", tokenType, err, paseto.ErrGrant, test.why)
				}
			}
			if pair, err := auth.IssuePair(paseto.Grant{AuthTime: test.authTime}); !errors.Is(err, paseto.ErrGrant) || pair.Access.Token.Reveal() != "" {
				t.Errorf("pair: error is %v, want %v", err, paseto.ErrGrant)
			}
		})
	}
	issued := issueAccess(t, auth, paseto.Grant{AuthTime: issuedAt.Add(-time.Hour + time.Second)})
	if got, want := issued.Claims.ExpiresAt, issuedAt.Add(time.Second); !got.Equal(want) {
		t.Errorf("in the last second of a session a token expires at %s, want %s", got, want)
	}
}

// TestSessionEnds follows a session to its end: every token is cut to it, every
// refresh keeps the time of the login, and none is fresh.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	for _, leeway := range []time.Duration{0, time.Minute} {
		t.Run(leeway.String(), func(t *testing.T) {
			t.Parallel()
			auth, c := revocable(t, paseto.Config{SessionTTL: time.Hour, RefreshTTL: 25 * time.Minute, OtherTTL: time.Minute, Leeway: leeway})
			pair := issuePair(t, auth, paseto.Grant{Subject: "alice", Fresh: true})
			end := issuedAt.Add(time.Hour)
			for _, at := range []time.Duration{20 * time.Minute, 40 * time.Minute, 50 * time.Minute, time.Hour - time.Second} {
				c.Set(issuedAt.Add(at))
				pair = refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
				for issued, ttl := range map[*paseto.Issued]time.Duration{&pair.Access: 15 * time.Minute, &pair.Refresh: 25 * time.Minute} {
					claims := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{Type: issued.Claims.Type})
					want := issuedAt.Add(at + ttl)
					if want.After(end) {
						want = end
					}
					if !claims.ExpiresAt.Equal(want) {
						t.Errorf("after %s the %s token expires at %s, want %s", at, claims.Type, claims.ExpiresAt, want)
					}
					if !claims.AuthTime.Equal(issuedAt) {
						t.Errorf("after %s the login was at %s, want %s", at, claims.AuthTime, issuedAt)
					}
					if claims.Fresh {
						t.Errorf("after %s the %s token is fresh", at, claims.Type)
					}
				}
				_, err := auth.Verify(t.Context(), pair.Access.Token.Reveal(), paseto.Requirement{Fresh: true})
				checkRefused(t, err, paseto.ErrNotFresh, "")
			}
			for _, at := range []time.Duration{time.Hour - time.Second + 1, time.Hour, time.Hour + leeway - 1, time.Hour + leeway, 2 * time.Hour} {
				c.Set(issuedAt.Add(at))
				got, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
				checkRefused(t, err, paseto.ErrExpired, "Token expired.")
				if got.Access.Token.Reveal() != "" {
					t.Errorf("after %s a pair comes with the refusal", at)
				}
			}
			_, err := auth.Verify(t.Context(), pair.Access.Token.Reveal(), paseto.Requirement{})
			checkRefused(t, err, paseto.ErrExpired, "")
		})
	}
}

// TestFreshnessDoesNotSurvive in the first pair of a refresh or in its
// repetition.
func TestFreshnessDoesNotSurvive(t *testing.T) {
	t.Parallel()
	one, two, _ := nodes(t, paseto.Config{})
	login := issuePair(t, one, paseto.Grant{Subject: "alice", Fresh: true})
	verify(t, one, login.Access.Token.Reveal(), paseto.Requirement{Fresh: true})
	for _, auth := range []*paseto.Authorizer{one, two} {
		pair := refresh(t, auth, login.Refresh.Token.Reveal(), paseto.Requirement{})
		_, err := auth.Verify(t.Context(), pair.Access.Token.Reveal(), paseto.Requirement{Fresh: true})
		checkRefused(t, err, paseto.ErrNotFresh, "")
	}
}

// TestSessionCutsLifetimes has tokens that were to live longer than the
// session.
func TestSessionCutsLifetimes(t *testing.T) {
	t.Parallel()
	eternal := paseto.Config{AllowNoExpiry: true, RefreshTTL: paseto.NoExpiry, SessionTTL: time.Hour}
	hour := paseto.Config{SessionTTL: time.Hour}
	end := issuedAt.Add(time.Hour)
	for _, test := range []struct {
		name      string
		cfg       paseto.Config
		tokenType string
		grant     paseto.Grant
		want      time.Time
	}{
		{"configured", hour, "refresh", paseto.Grant{}, end},
		{"granted", hour, "access", paseto.Grant{TTL: 2 * time.Hour}, end},
		{"granted until", hour, "access", paseto.Grant{ExpiresAt: start.Add(2 * time.Hour)}, end},
		{"shorter", hour, "access", paseto.Grant{TTL: 59 * time.Minute}, issuedAt.Add(59 * time.Minute)},
		{"since an earlier login", hour, "access", paseto.Grant{AuthTime: start.Add(-50 * time.Minute)}, issuedAt.Add(10 * time.Minute)},
		{"parts of a second", paseto.Config{SessionTTL: 1999 * time.Millisecond}, "access", paseto.Grant{}, issuedAt.Add(time.Second)},
		{"without expiry", eternal, "refresh", paseto.Grant{}, end},
		{"granted without expiry", eternal, "access", paseto.Grant{TTL: paseto.NoExpiry}, end},
		{"another type in no session", hour, "email-verify", paseto.Grant{}, issuedAt.Add(30 * 24 * time.Hour)},
		{"another type in a session", hour, "email-verify", paseto.Grant{AuthTime: start}, end},
		{
			"session without end", paseto.Config{SessionTTL: paseto.NoExpiry}, "refresh",
			paseto.Grant{AuthTime: start.AddDate(-10, 0, 0)}, issuedAt.Add(30 * 24 * time.Hour),
		},
		{
			"neither with an end", paseto.Config{AllowNoExpiry: true, RefreshTTL: paseto.NoExpiry}, "refresh",
			paseto.Grant{AuthTime: start.AddDate(-10, 0, 0)}, time.Time{},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issued, err := newAuthorizer(t, test.cfg).Issue(test.tokenType, test.grant)
			if err != nil {
				t.Fatal(err)
			}
			if got := issued.Claims.ExpiresAt; !got.Equal(test.want) {
				t.Errorf("expires at %s, want %s", got, test.want)
			}
		})
	}
}

// TestSessionWithoutExpiry refreshes a token without expiry in a session that
// has an end: its successors have that as well.
func TestSessionWithoutExpiry(t *testing.T) {
	t.Parallel()
	unbound := newAuthorizer(t, paseto.Config{AllowNoExpiry: true, RefreshTTL: paseto.NoExpiry})
	login := issuePair(t, unbound, paseto.Grant{})
	if !login.Refresh.Claims.ExpiresAt.IsZero() {
		t.Fatalf("the refresh token expires at %s", login.Refresh.Claims.ExpiresAt)
	}
	auth, c := revocable(t, paseto.Config{AllowNoExpiry: true, RefreshTTL: paseto.NoExpiry, SessionTTL: 48 * time.Hour})
	c.Advance(24 * time.Hour)
	pair := refresh(t, auth, login.Refresh.Token.Reveal(), paseto.Requirement{})
	if got, want := pair.Refresh.Claims.ExpiresAt, issuedAt.Add(48*time.Hour); !got.Equal(want) {
		t.Errorf("the successor expires at %s, want %s", got, want)
	}
	c.Set(issuedAt.Add(48 * time.Hour))
	for _, token := range []string{login.Refresh.Token.Reveal(), pair.Refresh.Token.Reveal()} {
		_, err := auth.Refresh(t.Context(), token, paseto.Requirement{})
		checkRefused(t, err, paseto.ErrExpired, "")
	}
}

// TestSessionOfAShorterConfiguration counts for logins that were made before.
func TestSessionOfAShorterConfiguration(t *testing.T) {
	t.Parallel()
	before, c := revocable(t, paseto.Config{})
	login := issuePair(t, before, paseto.Grant{})
	now := newAuthorizer(t, paseto.Config{SessionTTL: 24 * time.Hour}, paseto.WithClock(c.Now))
	c.Set(issuedAt.Add(20 * time.Hour))
	pair := refresh(t, now, login.Refresh.Token.Reveal(), paseto.Requirement{})
	if got, want := pair.Refresh.Claims.ExpiresAt, issuedAt.Add(24*time.Hour); !got.Equal(want) {
		t.Errorf("the successor expires at %s, want %s", got, want)
	}
	c.Set(issuedAt.Add(24 * time.Hour))
	verify(t, now, login.Refresh.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
	_, err := now.Refresh(t.Context(), login.Refresh.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrExpired, "Token expired.")
	refresh(t, before, login.Refresh.Token.Reveal(), paseto.Requirement{})
}

// TestSessionOfAnEarlierToken refreshes what says nothing of a login, or says it
// in seconds.
func TestSessionOfAnEarlierToken(t *testing.T) {
	t.Parallel()
	const rest = `,"type":"refresh","jti":"r1","sid":"s1","exp":"2030-02-01T00:00:00Z"}`
	for _, test := range []struct {
		name, members string
		want          time.Time
		over          bool // by the second day
	}{
		{"time of issue", `{"iat":"2030-01-01T03:04:05Z"`, issuedAt.AddDate(0, 0, -1), true},
		{"nothing", `{"sub":"alice"`, issuedAt, false},
		{"time of login", `{"iat":"2030-01-02T03:04:05Z","auth_time":"2030-01-01T03:04:05Z"`, issuedAt.AddDate(0, 0, -1), true},
		{"seconds", `{"iat":"2030-01-02T03:04:05Z","auth_time":1893467045`, issuedAt.AddDate(0, 0, -1), true},
		{"parts of a second", `{"iat":"2030-01-02T03:04:05Z","auth_time":1893467045.9`, issuedAt.AddDate(0, 0, -1), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, c := revocable(t, paseto.Config{SessionTTL: 48 * time.Hour, Purpose: paseto.Public})
			token := sign(test.members+rest, "", "")
			pair := refresh(t, auth, token, paseto.Requirement{})
			if got := pair.Access.Claims.AuthTime; !got.Equal(test.want) || !pair.Refresh.Claims.AuthTime.Equal(test.want) {
				t.Errorf("the login was at %s, want %s", got, test.want)
			}
			if got, want := pair.Refresh.Claims.ExpiresAt, test.want.Add(48*time.Hour); !got.Equal(want) {
				t.Errorf("the refresh token expires at %s, want %s", got, want)
			}
			c.Set(issuedAt.Add(24 * time.Hour))
			if _, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); errors.Is(err, paseto.ErrExpired) != test.over {
				t.Errorf("a day later the error is %v", err)
			}
		})
	}
}

// TestSessionKeepsOn refreshes for as long as the default session lives, and no
// longer.
func TestSessionKeepsOn(t *testing.T) {
	t.Parallel()
	auth, c := revocable(t, paseto.Config{})
	pair := issuePair(t, auth, paseto.Grant{})
	session := pair.Access.Claims.Session
	for range 4 {
		c.Advance(20 * 24 * time.Hour)
		pair = refresh(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{})
	}
	if pair.Access.Claims.Session != session {
		t.Error("the session changes")
	}
	if got, want := pair.Refresh.Claims.ExpiresAt, issuedAt.Add(90*24*time.Hour); !got.Equal(want) {
		t.Errorf("on the 80th day the refresh token expires at %s, want %s", got, want)
	}
}
