package wsauth_test

import (
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// credentialFailures are about where and how a handshake carries its token.
// They run as part of TestFailures.
func credentialFailures() []failure {
	const (
		badHeader   = "Bad Authorization header. Expected value 'Bearer <PASETO>'"
		badQuery    = "Bad token query param. Expected value '<PASETO>'"
		badPrefixed = "Bad token query param. Expected value 'Bearer <PASETO>'"
		badProtocol = "Bad Sec-WebSocket-Protocol header. Expected value 'paseto.bearer, <PASETO>'"
		ambiguous   = "More than one token was sent. Expected exactly one"
		missing     = "PASETO Authorization Token required"
		noJSON      = "json token location is not supported for WebSocket connections"
	)
	var (
		inQuery    = []httpauth.Location{httpauth.LocationQuery}
		inCookie   = []httpauth.Location{httpauth.LocationCookie}
		inProtocol = []httpauth.Location{httpauth.LocationSubprotocol}
		everywhere = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationCookie, httpauth.LocationSubprotocol}
		prefixed   = []httpauth.RouteOption{httpauth.WithPrefix("Bearer")}
	)
	type row struct {
		name    string
		in      []httpauth.Location
		opts    []httpauth.RouteOption
		send    handshake
		message string
	}
	rows := []row{
		{"nothing", nil, nil, none(), missing},
		{"token in a location that is off", nil, nil, query("token=v4.local.x"), missing},

		{"header, other scheme", nil, nil, header("Authorization", "NotBearer v4.local.x"), badHeader},
		{"header, two tokens", nil, nil, header("Authorization", "Bearer a b"), badHeader},
		{"header, custom", nil, []httpauth.RouteOption{httpauth.WithKey("X-Token"), httpauth.WithPrefix("Token")}, header("X-Token", "Bearer x"),
			"Bad X-Token header. Expected value 'Token <PASETO>'"},
		{"header, no scheme wanted", nil, []httpauth.RouteOption{httpauth.WithPrefix(httpauth.NoScheme)}, header("Authorization", "Bearer x"),
			"Bad Authorization header. Expected value '<PASETO>'"},

		{"query, empty", inQuery, nil, query("token="), badQuery},
		{"query, wrong prefix", inQuery, prefixed, query("token=Basic%20a"), badPrefixed},
		{"query, bad escape before it", inQuery, nil, query("a=%&token=v4.local.x"), badQuery},
		{"query, custom key", inQuery, []httpauth.RouteOption{httpauth.WithKey("ticket")}, query("ticket="),
			"Bad ticket query param. Expected value '<PASETO>'"},
		{"query, 1 MB of dots", inQuery, nil, query("token=" + strings.Repeat(".", 1<<20)), "Invalid PASETO format"},

		{"cookie, empty", inCookie, nil, header("Cookie", "__Host-access_token="),
			"Bad __Host-access_token cookie. Expected value '<PASETO>'"},
		{"subprotocol, marker alone", inProtocol, nil, header("Sec-Websocket-Protocol", "paseto.bearer"), badProtocol},
		{"subprotocol, not a token", inProtocol, nil, header("Sec-Websocket-Protocol", "paseto.bearer, chat"), "Invalid PASETO format"},

		{"header repeated", nil, nil, header("Authorization", "Bearer v4.local.x", "Bearer v4.local.x"), ambiguous},
		{"parameter repeated, escaped", inQuery, nil, query("token=v4.local.x&t%6Fken=v4.local.x"), ambiguous},
		{"cookie repeated in lines", inCookie, nil, header("Cookie", "__Host-access_token=a", "__Host-access_token=a"), ambiguous},
		{"subprotocol repeated", inProtocol, nil, header("Sec-Websocket-Protocol", "paseto.bearer, a, paseto.bearer, a"), ambiguous},
		{"header and query", everywhere, nil, bearer("a").and(query("token=a")), ambiguous},
		{"query and subprotocol", everywhere, nil, query("token=a").and(header("Sec-Websocket-Protocol", "paseto.bearer, a")), ambiguous},
		{"good header, bad query", everywhere, nil, bearer("a").and(query("token=")), badQuery},
		{"header of another scheme, bad query", everywhere, nil, header("Authorization", "Basic a").and(query("token=")), badQuery},
	}
	failures := make([]failure, 0, len(rows)+2)
	for _, r := range rows {
		f := failure{name: r.name, in: r.in, opts: r.opts, send: sends(r.send), message: r.message}
		switch r.message {
		case missing:
			f.code, f.status, f.challenge = "token_missing", 401, bare
		case ambiguous:
			f.code, f.status, f.challenge = "credential_ambiguous", 400, badRequest+r.message+`"`
		case "Invalid PASETO format":
			f.code, f.status, f.challenge = "token_malformed", 401, badToken+r.message+`"`
		default:
			f.code, f.status, f.challenge = "credential_malformed", 400, badRequest+r.message+`"`
		}
		if strings.HasPrefix(r.name, "header, custom") {
			f.challenge = strings.Replace(f.challenge, "Bearer", "Token", 1)
		}
		failures = append(failures, f)
	}
	// A location that handshakes have not got is the program's mistake.
	return append(failures,
		failure{name: "json location", opts: []httpauth.RouteOption{httpauth.WithLocations("json")}, send: sendsToken(paseto.Grant{}),
			message: noJSON, code: "location_unsupported", status: 500, challenge: noChallenge},
		failure{name: "json location beside another", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader, "json")}, send: sendsToken(paseto.Grant{}),
			message: noJSON, code: "location_unsupported", status: 500, challenge: noChallenge},
		failure{name: "unknown location", opts: []httpauth.RouteOption{httpauth.WithLocations("body")}, send: sendsToken(paseto.Grant{}),
			message: `unknown token location "body"; expected one of header, query, cookie, subprotocol, ticket, message`,
			code:    "location_unsupported", status: 500, challenge: noChallenge},
		failure{name: "no location", opts: []httpauth.RouteOption{httpauth.WithLocations()}, send: sendsToken(paseto.Grant{}),
			message: "no token location is given", code: "location_unsupported", status: 500, challenge: noChallenge},
	)
}

// TestFailuresAreOnlyTheirs checks that a client that is let in is not troubled
// by what looks like one of the failures.
func TestFailuresAreOnlyTheirs(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	for _, test := range []struct {
		name string
		in   []httpauth.Location
		send handshake
	}{
		{"scheme in lower case", nil, header("Authorization", "bearer "+token)},
		{"scheme in upper case", nil, header("Authorization", "BEARER "+token)},
		{"spaces after the scheme", nil, header("Authorization", "Bearer   "+token)},
		{"malformed query on a route that reads none", []httpauth.Location{httpauth.LocationHeader}, bearer(token).and(query("token=%zz"))},
		{"second token where none is looked for", nil, bearer(token).and(query("token=" + token))},
		{"cookie where none is looked for", nil, bearer(token).and(header("Cookie", "__Host-access_token="+token))},
		{"other parameters", []httpauth.Location{httpauth.LocationQuery}, query("a=1&a=2&token=" + token + "&b=%20")},
		{"escaped token", []httpauth.Location{httpauth.LocationQuery}, query("token=" + strings.ReplaceAll(token, ".", "%2E"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Locations: test.in}})
			checkEcho(t, connect(t, listen(t, guard.Require(paseto.Requirement{}, echo)), test.send), "hello")
		})
	}
}
