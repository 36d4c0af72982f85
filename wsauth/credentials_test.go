package wsauth_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// everywhere are the locations of handshakes, but for the first message.
var everywhere = []httpauth.Location{
	httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationCookie, httpauth.LocationSubprotocol, httpauth.LocationTicket,
}

// credentialFailures are about where and how a handshake carries its token.
// They run as part of TestFailures. What else is malformed is shown in package locate.
func credentialFailures() []failure {
	const (
		badHeader   = "Bad Authorization header. Expected value 'Bearer <PASETO>'"
		badQuery    = "Bad token query param. Expected value '<PASETO>'"
		badCookie   = "Bad __Host-access_token cookie. Expected value '<PASETO>'"
		badProtocol = "Bad Sec-WebSocket-Protocol header. Expected value 'paseto.bearer, <PASETO>'"
		ambiguous   = "More than one token was sent. Expected exactly one"
		missing     = "PASETO Authorization Token required"
		noToken     = "Invalid PASETO format"
		noJSON      = "json token location is not supported for WebSocket connections"
	)
	var (
		inQuery    = []httpauth.Location{httpauth.LocationQuery}
		inCookie   = []httpauth.Location{httpauth.LocationCookie}
		inProtocol = []httpauth.Location{httpauth.LocationSubprotocol}
	)
	type row struct {
		name    string
		in      []httpauth.Location
		opts    []httpauth.RouteOption
		send    handshake
		message string
	}
	rows := []row{
		{"nothing anywhere", everywhere, nil, none(), missing},
		{"token in a location that is off", nil, nil, query("token=v4.local.x"), missing},
		{"other parameter", inQuery, nil, query("Token=v4.local.x"), missing},
		{"other cookie", inCookie, nil, header("Cookie", "access_token=v4.local.x"), missing},
		{"other subprotocols", inProtocol, nil, header("Sec-Websocket-Protocol", "chat, paseto.Bearer, x"), missing},

		{"header, scheme alone", nil, nil, header("Authorization", "Bearer"), badHeader},
		{"header, not ASCII", nil, nil, header("Authorization", "Bearer tökén"), badHeader},
		{"header, empty", nil, nil, header("Authorization", ""), badHeader},
		{"header, custom", nil, []httpauth.RouteOption{httpauth.WithKey("X-Token"), httpauth.WithPrefix("Token")}, header("X-Token", "Bearer x"),
			"Bad X-Token header. Expected value 'Token <PASETO>'"},
		{"query, empty", inQuery, nil, query("token="), badQuery},
		{"query, prefix alone", inQuery, []httpauth.RouteOption{httpauth.WithPrefix("Bearer")}, query("token=Bearer"),
			"Bad token query param. Expected value 'Bearer <PASETO>'"},
		{"query, bad escape and no token", inQuery, nil, query("room=%"), badQuery},
		{"query, custom key", inQuery, []httpauth.RouteOption{httpauth.WithKey("ticket")}, query("ticket="), "Bad ticket query param. Expected value '<PASETO>'"},
		{"query, 1 MB of dots", inQuery, nil, query("token=" + strings.Repeat(".", 1<<20)), noToken},
		{"cookie, empty", inCookie, nil, header("Cookie", "__Host-access_token="), badCookie},
		{"subprotocol, marker alone", inProtocol, nil, header("Sec-Websocket-Protocol", "paseto.bearer"), badProtocol},
		{"subprotocol, not a token", inProtocol, nil, header("Sec-Websocket-Protocol", "paseto.bearer, chat"), noToken},

		{"header repeated", nil, nil, header("Authorization", "Bearer v4.local.x", "Bearer v4.local.x"), ambiguous},
		{"parameter repeated, escaped", inQuery, nil, query("token=v4.local.x&t%6Fken=v4.local.x"), ambiguous},
		{"cookie repeated in lines", inCookie, nil, header("Cookie", "__Host-access_token=a", "__Host-access_token=a"), ambiguous},
		{"subprotocol repeated", inProtocol, nil, header("Sec-Websocket-Protocol", "paseto.bearer, a, paseto.bearer, a"), ambiguous},
		{"header and query", everywhere, nil, bearer("a").and(query("token=a")), ambiguous},
		{"header and cookie", everywhere, nil, bearer("a").and(header("Cookie", "__Host-access_token=a")), ambiguous},
		{"query and subprotocol", everywhere, nil, query("token=a").and(header("Sec-Websocket-Protocol", "paseto.bearer, a")), ambiguous},
		{"good header, bad query", everywhere, nil, bearer("a").and(query("token=")), badQuery},
		{"bad header, good query", everywhere, nil, header("Authorization", "Bearer").and(query("token=a")), badHeader},
		{"header of another scheme, bad query", everywhere, nil, header("Authorization", "Basic a").and(query("token=")), badQuery},
	}
	codes := map[string]paseto.Code{missing: "token_missing", ambiguous: "credential_ambiguous", noToken: "token_malformed"}
	failures := make([]failure, 0, len(rows)+4)
	for _, r := range rows {
		f := failure{name: r.name, in: r.in, opts: r.opts, send: sends(r.send), message: r.message, code: "credential_malformed"}
		if code, ok := codes[r.message]; ok {
			f.code = code
		}
		f = f.answered()
		if r.name == "header, custom" {
			f.challenge = strings.Replace(f.challenge, "Bearer", "Token", 1)
		}
		failures = append(failures, f)
	}
	broken := func(name, message string, locations ...httpauth.Location) failure {
		return failure{name: name, opts: []httpauth.RouteOption{httpauth.WithLocations(locations...)}, send: sendsToken(paseto.Grant{}),
			message: message, code: "location_unsupported", status: 500, challenge: noChallenge}
	}
	return append(failures,
		broken("json location beside another", noJSON, httpauth.LocationHeader, "json"),
		broken("unknown location", `unknown token location "body"; expected one of header, query, cookie, subprotocol, ticket, message`, "body"),
		broken("no location", "no token location is given"),
	)
}

// answered returns f with the answer over HTTP that RFC 6750 has for its code.
func (f failure) answered() failure {
	switch f.code {
	case "token_missing":
		f.status, f.challenge = 401, bare
	case "credential_malformed", "credential_ambiguous":
		f.status, f.challenge = 400, badRequest+f.message+`"`
	default:
		f.status, f.challenge = 401, badToken+f.message+`"`
	}
	return f
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

// ticketFailures are about tickets. They run as part of TestFailures. What else makes one
// useless is shown in package paseto, and where it may stand in package locate.
func ticketFailures() []failure {
	const (
		invalid   = "Ticket is not valid here"
		missing   = "PASETO Authorization Token required"
		ambiguous = "More than one token was sent. Expected exactly one"
		malformed = "Bad ticket query param. Expected value '<PASETO>'"
	)
	ctx := context.Background()
	in := func(l ...httpauth.Location) []httpauth.Location { return l }
	carried := func(tokenType string, carry func(token string) handshake) func(*testing.T, *paseto.Authorizer) handshake {
		return func(t *testing.T, auth *paseto.Authorizer) handshake {
			t.Helper()
			if tokenType == paseto.TypeTicket {
				return carry(ticketFor(t, auth, paseto.Grant{}))
			}
			return carry(issue(t, auth, tokenType, paseto.Grant{}))
		}
	}
	beside := func(other handshake) func(*testing.T, *paseto.Authorizer) handshake {
		return carried(paseto.TypeTicket, func(token string) handshake { return ticket(token).and(other) })
	}
	bound := func(to paseto.TicketGrant) func(*testing.T, *paseto.Authorizer) handshake {
		return func(t *testing.T, auth *paseto.Authorizer) handshake {
			t.Helper()
			return ticket(buy(t, auth, access(t, auth, paseto.Grant{}), to))
		}
	}
	rows := []failure{
		{name: "ticket used", message: "Ticket has been used", code: "ticket_used",
			send: sendsTicketAfter(func(a *paseto.Authorizer, ticket string, _ *paseto.Claims) error {
				_, err := a.RedeemTicket(ctx, ticket, paseto.Requirement{}, paseto.TicketUse{})
				return err
			})},
		{name: "ticket, token revoked", message: "Token has been revoked", code: "token_revoked",
			send: sendsTicketAfter(func(a *paseto.Authorizer, _ string, c *paseto.Claims) error { return a.Revoke(ctx, c) })},
		{name: "ticket for another path", send: bound(paseto.TicketGrant{Path: "/wss"}), message: invalid, code: "ticket_invalid"},
		{name: "ticket for an origin, none sent", send: bound(paseto.TicketGrant{Origin: "https://app.example.com"}), message: invalid, code: "ticket_invalid"},
		{name: "ticket without implicit assertion", req: paseto.Requirement{Implicit: []byte("room 1")}, send: beside(none()),
			message: "Failed to decrypt.", code: "decryption_failed"},
		{name: "malformed ticket", send: sends(ticket("nonsense")), message: "Invalid PASETO format", code: "token_malformed"},

		{name: "ticket for refresh", req: paseto.Requirement{Type: "refresh"}, send: beside(none()),
			message: "Refresh token required but access provided", code: "type_mismatch"},
		{name: "access token for a ticket", send: carried("access", ticket), message: "ticket token required but access provided", code: "type_mismatch"},
		{name: "ticket in the header", send: carried("ticket", bearer), message: "Access token required but ticket provided", code: "type_mismatch"},
		{name: "ticket as the token of the query", in: in(httpauth.LocationQuery), message: "Access token required but ticket provided", code: "type_mismatch",
			send: carried("ticket", func(token string) handshake { return query("token=" + token) })},

		{name: "ticket parameter empty", send: sends(query("ticket=")), message: malformed, code: "credential_malformed"},
		{name: "ticket after a scheme", send: carried("ticket", func(token string) handshake { return query("ticket=Bearer%20" + token) }),
			opts: []httpauth.RouteOption{httpauth.WithPrefix("Bearer")}, message: malformed, code: "credential_malformed"},
		{name: "malformed query without a ticket", send: sends(query("room=%")), message: missing, code: "token_missing"},
		{name: "ticket repeated, escaped", send: beside(query("t%69cket=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and header", send: beside(bearer("x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and query", in: everywhere, send: beside(query("token=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and cookie", in: everywhere, send: beside(header("Cookie", "__Host-access_token=x")), message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket and subprotocol", in: everywhere, send: beside(header("Sec-Websocket-Protocol", "paseto.bearer, x")),
			message: ambiguous, code: "credential_ambiguous"},
		{name: "ticket where only the header counts", in: in(httpauth.LocationHeader), send: beside(none()), message: missing, code: "token_missing"},
	}
	for i := range rows {
		rows[i] = rows[i].answered()
	}
	return append(rows, []failure{
		{name: "ticket and token by one name", send: beside(none()),
			opts:    []httpauth.RouteOption{httpauth.WithLocations(everywhere...), httpauth.WithKey("ticket")},
			message: `"ticket" would be the query parameter of both token and ticket`,
			code:    "location_unsupported", status: 500, challenge: noChallenge},
		{name: "ticket, scope missing", req: paseto.Requirement{Scopes: []string{"admin"}}, send: beside(none()),
			message: "Token scope is not sufficient", code: "scope_insufficient", status: 403,
			challenge: `Bearer realm="api", error="insufficient_scope", error_description="Token scope is not sufficient", scope="admin"`},
	}...)
}
