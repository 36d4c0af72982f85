package wsauth_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestLocations lets a client in whose token is where the configuration or the
// route looks for it. That it is looked for nowhere else is a row of
// TestFailures.
func TestLocations(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	in := func(l ...wsauth.Location) wsauth.Config { return wsauth.Config{Locations: l} }
	sameOrigin := header("Host", "chat.example.com").and(header("Origin", "http://chat.example.com"))
	for _, test := range []struct {
		name string
		cfg  wsauth.Config
		opts []wsauth.RouteOption
		send handshake
	}{
		{"header", wsauth.Config{}, nil, bearer(token)},
		{"header, configured", wsauth.Config{HeaderName: "x-token", HeaderScheme: "Token"}, nil, header("X-Token", "Token "+token)},
		{"header, configured without scheme", wsauth.Config{HeaderScheme: wsauth.NoScheme}, nil, header("Authorization", token)},
		{"header, route", wsauth.Config{HeaderName: "X-Other"}, []wsauth.RouteOption{wsauth.Key("X-Token"), wsauth.Prefix("Token")},
			header("X-Token", "token "+token)},
		{"header, route without scheme", wsauth.Config{}, []wsauth.RouteOption{wsauth.Prefix(wsauth.NoScheme)}, header("Authorization", token)},

		{"query", in(wsauth.Query), nil, query("token=" + token)},
		{"query, configured", wsauth.Config{Locations: []wsauth.Location{wsauth.Query}, QueryKey: "access", QueryPrefix: "Bearer"}, nil,
			query("access=bearer+" + token)},
		{"query, route", wsauth.Config{}, []wsauth.RouteOption{wsauth.In(wsauth.Query), wsauth.Key("ticket"), wsauth.Prefix("Ticket")},
			query("room=1&ticket=Ticket%20" + token)},
		{"query, route without prefix", wsauth.Config{QueryPrefix: "Bearer"},
			[]wsauth.RouteOption{wsauth.In(wsauth.Query), wsauth.Prefix(wsauth.NoScheme)}, query("token=" + token)},

		{"cookie", in(wsauth.Cookie), nil, sameOrigin.and(header("Cookie", "theme=dark; __Host-access_token="+token))},
		{"cookie in the second line", in(wsauth.Cookie), nil, sameOrigin.and(header("Cookie", "theme=dark", "__Host-access_token="+token))},
		{"cookie, configured", wsauth.Config{Locations: []wsauth.Location{wsauth.Cookie}, CookieName: "auth"}, nil,
			sameOrigin.and(header("Cookie", "auth="+token))},
		{"cookie, route", in(wsauth.Cookie), []wsauth.RouteOption{wsauth.Key("auth")}, sameOrigin.and(header("Cookie", "auth="+token))},

		{"subprotocol", in(wsauth.Subprotocol), nil, header("Sec-Websocket-Protocol", "paseto.bearer, "+token)},

		{"first of several", in(wsauth.Header, wsauth.Query, wsauth.Cookie), nil, bearer(token)},
		{"last of several", in(wsauth.Header, wsauth.Cookie, wsauth.Query), nil, query("token=" + token)},
		{"route instead of configuration", in(wsauth.Cookie), []wsauth.RouteOption{wsauth.In(wsauth.Header)},
			bearer(token).and(header("Cookie", "__Host-access_token="+token))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := newGuard(t, auth, test.cfg)
			srv := listen(t, guard.Require(paseto.Requirement{}, echo, test.opts...))
			checkEcho(t, connect(t, srv, test.send), "hello")
		})
	}
}

// TestCookieNeedsOrigin refuses a cookie that comes with no Origin: whoever
// sends it is no browser, or hides which page made it.
func TestCookieNeedsOrigin(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	cookie := header("Cookie", "__Host-access_token="+token)
	for _, test := range []struct {
		name     string
		req      paseto.Requirement
		send     handshake
		admitted bool
	}{
		{"no origin", paseto.Requirement{}, cookie, false},
		{"no origin, optional route", paseto.Requirement{Optional: true}, cookie, false},
		{"no origin, bad token", paseto.Requirement{}, header("Cookie", "__Host-access_token=x"), false},
		{"other origin", paseto.Requirement{}, cookie.and(header("Origin", "https://evil.example.com")), false},
		{"listed origin", paseto.Requirement{}, cookie.and(header("Origin", "https://app.example.com")), true},
		{"no origin, token in a header", paseto.Requirement{}, bearer(token), true},
		{"no origin, anonymous", paseto.Requirement{Optional: true}, none(), true},
	} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			t.Run(test.name+", reject "+string(reject), func(t *testing.T) {
				t.Parallel()
				guard := newGuard(t, auth, wsauth.Config{
					Locations:      []wsauth.Location{wsauth.Cookie, wsauth.Header},
					AllowedOrigins: []string{"https://app.example.com"},
					Reject:         reject,
				})
				ws, resp := dial(t, listen(t, guard.Require(test.req, echo)), test.send)
				switch {
				case test.admitted && ws == nil:
					t.Errorf("refused with %s", resp.Status)
				case test.admitted:
					checkEcho(t, ws, "hello")
				case ws != nil:
					t.Error("the handshake succeeded")
				default:
					checkProblem(t, resp, 403, "origin_forbidden", "Origin not allowed")
				}
			})
		}
	}
}
