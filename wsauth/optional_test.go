package wsauth_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestOptional tells the callers whom an optional route lets in without claims
// from those whose token is valid and yet not enough.
func TestOptional(t *testing.T) {
	t.Parallel()
	const anonymous = "nobody"
	auth := newAuthorizer(t, paseto.Config{})
	alice := paseto.Grant{Subject: "alice"}
	revoked, err := auth.IssueAccess(alice)
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.Revoke(t.Context(), revoked.Claims); err != nil {
		t.Fatal(err)
	}
	fromElsewhere := access(t, newAuthorizer(t, paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}), alice)
	for _, test := range []struct {
		name    string
		req     paseto.Requirement
		send    handshake
		who     string // of the caller who is let in
		refused string // message to the one who is not
	}{
		{name: "no token", send: none(), who: anonymous},
		{name: "token", send: bearer(access(t, auth, alice)), who: "alice"},
		{name: "token that is none", send: bearer("nonsense"), who: anonymous},
		{name: "token that does not decrypt", send: bearer(fromElsewhere), who: anonymous},
		{name: "wrong type", send: bearer(issue(t, auth, "refresh", alice)), refused: "Access token required but refresh provided"},
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, send: bearer(access(t, auth, alice)),
			refused: "PASETO access token is not fresh"},
		{name: "scope missing", req: paseto.Requirement{Scopes: []string{"admin"}}, send: bearer(access(t, auth, alice)),
			refused: "Token scope is not sufficient"},
		{name: "revoked", send: bearer(revoked.Token.Reveal()), refused: "Token has been revoked"},
		{name: "malformed header", send: header("Authorization", "Bearer"),
			refused: "Bad Authorization header. Expected value 'Bearer <PASETO>'"},
		{name: "two tokens", send: header("Authorization", "Bearer a", "Bearer b"),
			refused: "More than one token was sent. Expected exactly one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.req.Optional = true
			guard := newGuard(t, auth, setup{Config: wsauth.Config{}})
			srv := listen(t, guard.Require(test.req, func(ctx context.Context, conn *wsauth.Conn) {
				who := anonymous
				if claims := conn.Claims(); claims != nil {
					who = claims.Subject
				}
				if paseto.FromContext(ctx) != conn.Claims() {
					t.Error("the context has other claims than the connection")
				}
				_ = conn.WriteMessage(wsauth.TextMessage, []byte(who))
			}))
			ws := connect(t, srv, test.send)
			if test.refused != "" {
				checkClosed(t, ws, wsauth.ClosePolicyViolation, test.refused)
				return
			}
			checkMessage(t, ws, test.who)
			checkClosed(t, ws, wsauth.CloseNormal, "")
		})
	}
}

// TestAnonymousAfterAuthenticated finds no claims of a middleware, or of the
// client before, in an anonymous connection.
func TestAnonymousAfterAuthenticated(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{}},
		wsauth.WithConnContext(func(_ context.Context, r *http.Request) context.Context { return r.Context() }))
	srv := listen(t, withValue(paseto.NewContext(context.Background(), &paseto.Claims{Subject: "mallory"}),
		guard.Require(paseto.Requirement{Optional: true}, func(ctx context.Context, conn *wsauth.Conn) {
			_ = conn.WriteJSON(map[string]bool{
				"conn": conn.Claims().Anonymous(), "context": paseto.FromContext(ctx).Anonymous(),
			})
		})))
	for _, test := range []struct {
		name      string
		send      handshake
		anonymous string
	}{
		{"alice", bearer(access(t, auth, paseto.Grant{Subject: "alice"})), `{"conn":false,"context":false}`},
		{"nobody", none(), `{"conn":true,"context":true}`},
	} {
		checkMessage(t, connect(t, srv, test.send), test.anonymous)
	}
}
