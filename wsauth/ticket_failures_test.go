package wsauth_test

import (
	"context"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// sendsTicket sends a ticket for an access token of g.
func sendsTicket(g paseto.Grant, bound paseto.TicketGrant) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, auth *paseto.Authorizer) handshake {
		t.Helper()
		return ticket(buy(t, auth, access(t, auth, g), bound))
	}
}

// sendsOldTicket sends a ticket that was bought some time ago.
func sendsOldTicket(age time.Duration, g paseto.Grant) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, _ *paseto.Authorizer) handshake {
		t.Helper()
		seller := newAuthorizer(t, paseto.Config{}, paseto.WithClock(func() time.Time { return start.Add(-age) }))
		return ticket(ticketFor(t, seller, g))
	}
}

// sendsTicketAfter sends a ticket, after something has happened to it or to its
// access token.
func sendsTicketAfter(happens func(auth *paseto.Authorizer, ticket string, access *paseto.Claims) error) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, auth *paseto.Authorizer) handshake {
		t.Helper()
		pair, err := auth.IssuePair(paseto.Grant{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		token := buy(t, auth, pair.Access.Token.Reveal(), paseto.TicketGrant{})
		if err := happens(auth, token, pair.Access.Claims); err != nil {
			t.Fatal(err)
		}
		return ticket(token)
	}
}

// ticketFailures are about tickets. They run as part of TestFailures.
func ticketFailures() []failure {
	const (
		invalid   = "Ticket is not valid here"
		over      = "Token expired."
		revoked   = "Token has been revoked"
		missing   = "PASETO Authorization Token required"
		ambiguous = "More than one token was sent. Expected exactly one"
		malformed = "Bad ticket query param. Expected value '<PASETO>'"
	)
	ctx := context.Background()
	locations := func(l ...httpauth.Location) []httpauth.Location { return l }
	everywhere := locations(httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationCookie, httpauth.LocationSubprotocol, httpauth.LocationTicket)
	beside := func(other handshake) func(*testing.T, *paseto.Authorizer) handshake {
		return func(t *testing.T, auth *paseto.Authorizer) handshake {
			t.Helper()
			return ticket(ticketFor(t, auth, paseto.Grant{})).and(other)
		}
	}
	carried := func(carry func(token string) handshake, bring func(*testing.T, *paseto.Authorizer) string) func(*testing.T, *paseto.Authorizer) handshake {
		return func(t *testing.T, auth *paseto.Authorizer) handshake {
			t.Helper()
			return carry(bring(t, auth))
		}
	}
	aTicket := func(t *testing.T, auth *paseto.Authorizer) string {
		t.Helper()
		return ticketFor(t, auth, paseto.Grant{})
	}
	aToken := func(tokenType string) func(*testing.T, *paseto.Authorizer) string {
		return func(t *testing.T, auth *paseto.Authorizer) string {
			t.Helper()
			return issue(t, auth, tokenType, paseto.Grant{})
		}
	}
	plain := paseto.TicketGrant{}

	rows := []failure{
		{name: "ticket used", message: "Ticket has been used", code: "ticket_used",
			send: sendsTicketAfter(func(a *paseto.Authorizer, ticket string, _ *paseto.Claims) error {
				_, err := a.RedeemTicket(ctx, ticket, paseto.Requirement{}, paseto.TicketUse{})
				return err
			})},
		{name: "ticket for another path", send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{Path: "/wss"}), message: invalid, code: "ticket_invalid"},
		{name: "ticket for an origin, none sent", send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{Origin: "https://app.example.com"}),
			message: invalid, code: "ticket_invalid"},
		{name: "ticket with implicit assertion", send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{Implicit: []byte("room 1")}),
			message: "Failed to decrypt.", code: "decryption_failed"},

		{name: "ticket expired", send: sendsOldTicket(30*time.Second, paseto.Grant{}), message: over, code: "token_expired"},
		{name: "ticket, access token expired", send: sendsOldTicket(10*time.Second, paseto.Grant{TTL: 5 * time.Second}),
			message: over, code: "token_expired"},

		{name: "ticket, session revoked", message: revoked, code: "token_revoked",
			send: sendsTicketAfter(func(a *paseto.Authorizer, _ string, c *paseto.Claims) error { return a.RevokeSession(ctx, c.Session) })},

		{name: "access token for a ticket", send: carried(ticket, aToken("access")),
			message: "ticket token required but access provided", code: "type_mismatch"},
		{name: "ticket in the header", send: carried(bearer, aTicket),
			message: "Access token required but ticket provided", code: "type_mismatch"},
		{name: "ticket as subprotocol", in: locations(httpauth.LocationSubprotocol), message: "Access token required but ticket provided", code: "type_mismatch",
			send: carried(func(token string) handshake { return header("Sec-Websocket-Protocol", "paseto.bearer, "+token) }, aTicket)},

		{name: "ticket parameter empty", send: sends(query("ticket=")), message: malformed, code: "credential_malformed"},
		{name: "ticket after a scheme", send: carried(func(token string) handshake { return query("ticket=Bearer%20" + token) }, aTicket),
			opts: []httpauth.RouteOption{httpauth.WithPrefix("Bearer")}, message: malformed, code: "credential_malformed"},
		{name: "malformed ticket, escaped name", send: beside(query("%74icket=%zz")), message: malformed, code: "credential_malformed"},
		{name: "ticket repeated, escaped", send: beside(query("t%69cket=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and header", send: beside(bearer("x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and subprotocol", in: everywhere, send: beside(header("Sec-Websocket-Protocol", "paseto.bearer, x")),
			message: ambiguous, code: "credential_ambiguous"},

		{name: "ticket where only the header counts", in: locations(httpauth.LocationHeader), send: sendsTicket(paseto.Grant{}, plain),
			message: missing, code: "token_missing"},
		{name: "ticket in capitals", send: carried(func(token string) handshake { return query("Ticket=" + token) }, aTicket),
			message: missing, code: "token_missing"},
	}
	for i, f := range rows {
		switch f.code {
		case "token_missing":
			rows[i].status, rows[i].challenge = 401, bare
		case "credential_malformed", "credential_ambiguous":
			rows[i].status, rows[i].challenge = 400, badRequest+f.message+`"`
		default:
			rows[i].status, rows[i].challenge = 401, badToken+f.message+`"`
		}
	}
	return append(rows, []failure{
		{name: "ticket and token by one name", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery, httpauth.LocationTicket), httpauth.WithKey("ticket")},
			send:    sendsTicket(paseto.Grant{}, plain),
			message: `"ticket" would be the query parameter of both token and ticket`,
			code:    "location_unsupported", status: 500, challenge: noChallenge},
		{name: "ticket, check refuses", send: sendsTicket(paseto.Grant{Subject: "alice"}, plain), message: "alice is banned", code: "banned", status: 403,
			req: paseto.Requirement{Check: func(_ context.Context, c *paseto.Claims) error {
				return &paseto.Error{Code: "banned", Message: c.Subject + " is banned"}
			}}},
	}...)
}
