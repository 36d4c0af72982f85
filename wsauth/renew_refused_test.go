package wsauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// refusedRenewal is a token that does not renew the one of anHour.
type refusedRenewal struct {
	name      string
	anonymous bool // it is to renew none
	token     func(t *testing.T, auth *paseto.Authorizer) string
	want      error
}

var errBanned = &paseto.Error{Code: "banned", Message: "You are banned"}

// picky is the requirement of the route.
var picky = paseto.Requirement{
	Optional: true, Fresh: true, Scopes: []string{"chat"},
	Check: func(_ context.Context, c *paseto.Claims) error {
		if c.HasScopes("banned") {
			return errBanned
		}
		return nil
	},
}

func refusedRenewals() []refusedRenewal {
	twoHours := lasts(2 * time.Hour)
	granted := func(change func(*paseto.Grant)) func(*testing.T, *paseto.Authorizer) string {
		return func(t *testing.T, auth *paseto.Authorizer) string {
			t.Helper()
			return access(t, auth, but(twoHours, change))
		}
	}
	plain := func(token string) func(*testing.T, *paseto.Authorizer) string {
		return func(*testing.T, *paseto.Authorizer) string { return token }
	}
	yesterday := paseto.WithClock(func() time.Time { return start.Add(-24 * time.Hour) })
	return []refusedRenewal{
		{name: "other subject", token: granted(func(g *paseto.Grant) { g.Subject = "bob" }), want: live.ErrOtherSubject},
		{name: "no subject", token: granted(func(g *paseto.Grant) { g.Subject = "" }), want: live.ErrOtherSubject},
		{name: "other session", token: granted(func(g *paseto.Grant) { g.Session = "s2" }), want: live.ErrOtherSubject},
		{name: "no session", token: granted(func(g *paseto.Grant) { g.Session = "" }), want: live.ErrOtherSubject},
		{name: "anonymous connection", anonymous: true, token: granted(func(*paseto.Grant) {}), want: live.ErrOtherSubject},
		{name: "older", token: granted(func(g *paseto.Grant) { g.TTL = time.Hour - time.Second }), want: live.ErrOlder},
		{name: "not fresh", token: granted(func(g *paseto.Grant) { g.Fresh = false }), want: paseto.ErrNotFresh},
		{name: "scope missing", token: granted(func(g *paseto.Grant) { g.Scopes = nil }), want: paseto.ErrScope},
		{name: "refused by the check", token: granted(func(g *paseto.Grant) { g.Scopes = []string{"chat", "banned"} }), want: errBanned},
		{name: "not valid yet", token: granted(func(g *paseto.Grant) { g.NotBefore = start.Add(time.Minute) }), want: paseto.ErrNotYetValid},
		{name: "empty", token: plain(""), want: paseto.ErrNoToken},
		{name: "garbage", token: plain("garbage"), want: paseto.ErrMalformed},
		{name: "too long", token: plain(strings.Repeat("x", 8193)), want: paseto.ErrMalformed},
		{name: "expired", want: paseto.ErrExpired, token: func(t *testing.T, _ *paseto.Authorizer) string {
			t.Helper()
			return access(t, newAuthorizer(t, paseto.Config{}, yesterday), anHour)
		}},
		{name: "of another key", want: paseto.ErrDecrypt, token: func(t *testing.T, _ *paseto.Authorizer) string {
			t.Helper()
			return access(t, newAuthorizer(t, paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}), twoHours)
		}},
		{name: "refresh token", want: paseto.ErrType, token: func(t *testing.T, auth *paseto.Authorizer) string {
			t.Helper()
			return issue(t, auth, paseto.TypeRefresh, but(twoHours, func(g *paseto.Grant) { g.Fresh = false }))
		}},
		{name: "revoked", want: paseto.ErrRevoked, token: func(t *testing.T, auth *paseto.Authorizer) string {
			t.Helper()
			token := issued(t, auth, twoHours)
			if err := auth.Revoke(t.Context(), token.Claims); err != nil {
				t.Fatal(err)
			}
			return token.Token.Reveal()
		}},
	}
}
