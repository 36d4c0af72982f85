package wsauth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
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

// begin opens a connection and sends the renewal that is refused, and a message after
// it, so that a client which is told nothing does not wait for it in vain.
func (r refusedRenewal) begin(t *testing.T, way way, failure live.RenewFailure) (*websocket.Conn, *clock) {
	t.Helper()
	c := newClock()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
	way.config.live.RenewFailure = failure
	srv := listen(t, newGuard(t, auth, way.config).Require(picky, func(ctx context.Context, conn *wsauth.Conn) {
		present := conn.Claims()
		renewing(ctx, conn)
		if conn.Claims() != present || paseto.FromContext(ctx) != present {
			t.Error("the connection has other claims than it had")
		}
	}))
	send := none()
	if !r.anonymous {
		send = bearer(access(t, auth, anHour))
	}
	ws := connect(t, srv, send)
	say(t, ws, way.with(r.token(t, auth)))
	say(t, ws, "still here")
	return ws, c
}

// TestRefusedRenewal is told to the client, and changes nothing: the connection goes on
// with the token that it has, for as long as that lasts.
func TestRefusedRenewal(t *testing.T) {
	t.Parallel()
	for _, test := range refusedRenewals() {
		for _, way := range ways() {
			t.Run(test.name+" "+way.name, func(t *testing.T) {
				t.Parallel()
				ws, c := test.begin(t, way, "") // which is RenewFailureKeeps
				checkDeclined(t, ws, test.want)
				checkMessage(t, ws, "still here")
				if test.anonymous {
					return
				}
				c.Set(start.Add(time.Hour).Truncate(time.Second).Add(-1))
				checkEcho(t, ws, "and here")
				c.Advance(1)
				say(t, ws, "too late")
				checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
			})
		}
	}
}

// TestRefusedRenewalCloses where it is to, with the refusal as its reason.
func TestRefusedRenewalCloses(t *testing.T) {
	t.Parallel()
	for _, test := range refusedRenewals() {
		for _, way := range ways() {
			t.Run(test.name+" "+way.name, func(t *testing.T) {
				t.Parallel()
				ws, _ := test.begin(t, way, live.RenewFailureEnds)
				if _, data, err := ws.ReadMessage(); !isClose(err, wsauth.ClosePolicyViolation, httpauth.Refusal(test.want).Message) {
					t.Errorf("the client reads %q, %v; want the close for %s", data, err, test.want)
				}
			})
		}
	}
}
