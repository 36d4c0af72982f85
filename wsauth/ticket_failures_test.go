package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
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
		{name: "ticket for a path above", send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{Path: "/"}), message: invalid, code: "ticket_invalid"},
		{name: "ticket for an origin, none sent", send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{Origin: "https://app.example.com"}),
			message: invalid, code: "ticket_invalid"},
		{name: "ticket of another key", message: "Failed to decrypt.", code: "decryption_failed",
			send: func(t *testing.T, _ *paseto.Authorizer) handshake {
				t.Helper()
				return ticket(ticketFor(t, newAuthorizer(t, paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}), paseto.Grant{}))
			}},
		{name: "ticket without implicit assertion", req: paseto.Requirement{Implicit: []byte("room 1")}, send: sendsTicket(paseto.Grant{}, plain),
			message: "Failed to decrypt.", code: "decryption_failed"},
		{name: "ticket with implicit assertion", send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{Implicit: []byte("room 1")}),
			message: "Failed to decrypt.", code: "decryption_failed"},
		{name: "ticket that is none", send: sends(ticket("nonsense")), message: "Invalid PASETO format", code: "token_malformed"},

		{name: "ticket expired", send: sendsOldTicket(30*time.Second, paseto.Grant{}), message: over, code: "token_expired"},
		{name: "ticket expired, leeway", paseto: paseto.Config{Leeway: time.Hour}, send: sendsOldTicket(30*time.Second, paseto.Grant{}),
			message: over, code: "token_expired"},
		{name: "ticket, access token expired", send: sendsOldTicket(10*time.Second, paseto.Grant{TTL: 5 * time.Second}),
			message: over, code: "token_expired"},
		{name: "ticket not valid yet", send: sendsOldTicket(-time.Minute, paseto.Grant{}), message: "Token is not valid yet", code: "token_not_yet_valid"},
		{name: "ticket, no issuer", paseto: paseto.Config{RequireIssuer: "here"}, message: "Token is missing the 'iss' claim", code: "issuer_missing",
			send: sendsOldTicket(0, paseto.Grant{})},
		{name: "ticket, wrong audience", paseto: paseto.Config{RequireAudience: []string{"chat"}}, message: "aud verification failed.", code: "audience_invalid",
			send: sendsOldTicket(0, paseto.Grant{Audience: []string{"mail"}})},

		{name: "ticket, token revoked", message: revoked, code: "token_revoked",
			send: sendsTicketAfter(func(a *paseto.Authorizer, _ string, c *paseto.Claims) error { return a.Revoke(ctx, c) })},
		{name: "ticket, session revoked", message: revoked, code: "token_revoked",
			send: sendsTicketAfter(func(a *paseto.Authorizer, _ string, c *paseto.Claims) error { return a.RevokeSession(ctx, c.Session) })},
		{name: "ticket, subject revoked", message: revoked, code: "token_revoked",
			send: sendsTicketAfter(func(a *paseto.Authorizer, _ string, c *paseto.Claims) error {
				return a.RevokeSubject(ctx, c.Subject, time.Time{})
			})},

		{name: "ticket for refresh", req: paseto.Requirement{Type: "refresh"}, send: sendsTicket(paseto.Grant{}, plain),
			message: "Refresh token required but access provided", code: "type_mismatch"},
		{name: "access token for a ticket", send: carried(ticket, aToken("access")),
			message: "ticket token required but access provided", code: "type_mismatch"},
		{name: "refresh token for a ticket", send: carried(ticket, aToken("refresh")),
			message: "ticket token required but refresh provided", code: "type_mismatch"},
		{name: "ticket in the header", send: carried(bearer, aTicket),
			message: "Access token required but ticket provided", code: "type_mismatch"},
		{name: "ticket as the token of the query", in: locations(httpauth.LocationQuery), message: "Access token required but ticket provided", code: "type_mismatch",
			send: carried(func(token string) handshake { return query("token=" + token) }, aTicket)},
		{name: "ticket as subprotocol", in: locations(httpauth.LocationSubprotocol), message: "Access token required but ticket provided", code: "type_mismatch",
			send: carried(func(token string) handshake { return header("Sec-Websocket-Protocol", "paseto.bearer, "+token) }, aTicket)},

		{name: "ticket parameter empty", send: sends(query("ticket=")), message: malformed, code: "credential_malformed"},
		{name: "ticket after a scheme", send: carried(func(token string) handshake { return query("ticket=Bearer%20" + token) }, aTicket),
			opts: []httpauth.RouteOption{httpauth.WithPrefix("Bearer")}, message: malformed, code: "credential_malformed"},
		{name: "malformed ticket", send: sends(query("ticket=%zz")), message: malformed, code: "credential_malformed"},
		{name: "malformed ticket, escaped name", send: beside(query("%74icket=%zz")), message: malformed, code: "credential_malformed"},
		{name: "ticket before a semicolon", send: sends(query("ticket=x;y=z")), message: malformed, code: "credential_malformed"},
		{name: "malformed query without a ticket", send: sends(query("room=%")), message: "PASETO Authorization Token required", code: "token_missing"},
		{name: "ticket repeated", send: beside(query("ticket=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket repeated, escaped", send: beside(query("t%69cket=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and header", send: beside(bearer("x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and query", in: everywhere, send: beside(query("token=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and cookie", in: everywhere, send: beside(header("Cookie", "__Host-access_token=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and subprotocol", in: everywhere, send: beside(header("Sec-Websocket-Protocol", "paseto.bearer, x")),
			message: ambiguous, code: "credential_ambiguous"},

		{name: "ticket where only the header counts", in: locations(httpauth.LocationHeader), send: sendsTicket(paseto.Grant{}, plain),
			message: missing, code: "token_missing"},
		{name: "ticket where only the query counts", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery)}, send: sendsTicket(paseto.Grant{}, plain),
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
		{name: "ticket, not fresh", req: paseto.Requirement{Fresh: true}, send: sendsTicket(paseto.Grant{}, plain),
			message: "PASETO access token is not fresh", code: "token_not_fresh", status: 401,
			challenge: `Bearer realm="api", error="insufficient_user_authentication", error_description="PASETO access token is not fresh"`},
		{name: "ticket, scope missing", req: paseto.Requirement{Scopes: []string{"admin"}}, send: sendsTicket(paseto.Grant{Scopes: []string{"chat"}}, plain),
			message: "Token scope is not sufficient", code: "scope_insufficient", status: 403,
			challenge: `Bearer realm="api", error="insufficient_scope", error_description="Token scope is not sufficient", scope="admin"`},
		{name: "ticket, check refuses", send: sendsTicket(paseto.Grant{Subject: "alice"}, plain), message: "alice is banned", code: "banned", status: 403,
			req: paseto.Requirement{Check: func(_ context.Context, c *paseto.Claims) error {
				return &paseto.Error{Code: "banned", Message: c.Subject + " is banned"}
			}}},
	}...)
}

// forgetful is a denylist that answers, and cannot keep what is used up.
type forgetful struct{ brokenStore }

func (forgetful) Revoked(context.Context, denylist.Token) (bool, error) { return false, nil }

func (forgetful) Consume(context.Context, string, string, time.Time) (winner string, first bool, err error) {
	return "", false, errors.New("connection refused")
}

// TestTicketWhileTheDenylistIsAway is refused over HTTP, whether or not that is
// how tokens are refused, and is not lost by it.
func TestTicketWhileTheDenylistIsAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]denylist.Store{"revocations": brokenStore{}, "what is used": forgetful{}} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			for _, optional := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, reject %s, optional %t", name, reject, optional), func(t *testing.T) {
					t.Parallel()
					auth := newAuthorizer(t, paseto.Config{})
					token := ticket(ticketFor(t, auth, paseto.Grant{}))
					guard := newGuard(t, newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(away)), setup{Config: wsauth.Config{Reject: reject}})
					ws, resp := dial(t, listen(t, guard.Require(paseto.Requirement{Optional: optional}, unreachable(t))), token)
					if ws != nil {
						t.Fatal("the handshake succeeded")
					}
					checkProblem(t, resp, http.StatusServiceUnavailable, "denylist_unavailable", "Token revocation cannot be checked at the moment")
					if got := resp.Header.Get("Retry-After"); got != "5" {
						t.Errorf("Retry-After is %q, want 5", got)
					}
					back := newGuard(t, auth, setup{Config: wsauth.Config{}})
					checkEcho(t, connect(t, listen(t, back.Require(paseto.Requirement{}, echo)), token), "hello")
				})
			}
		}
	}
}

// TestTicketAndFailOpen works any number of times until it expires, where the
// operator wants it so, and is held to all else.
func TestTicketAndFailOpen(t *testing.T) {
	t.Parallel()
	c := newClock()
	auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, paseto.WithDenylist(forgetful{}), paseto.WithClock(c.Now))
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
	token := access(t, auth, paseto.Grant{})
	send := ticket(buy(t, auth, token, paseto.TicketGrant{Path: "/ws"}))
	checkEcho(t, connect(t, srv, send), "hello")
	checkEcho(t, connect(t, srv, send), "hello again")
	checkClosed(t, connect(t, srv, send.and(at("/other"))), wsauth.ClosePolicyViolation, "Ticket is not valid here")
	c.Advance(30 * time.Second)
	checkClosed(t, connect(t, srv, send), wsauth.ClosePolicyViolation, expired)
}
