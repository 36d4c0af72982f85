package wsauth_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestLocations lets a client in whose token is where the configuration or the
// route looks for it. That it is looked for nowhere else is a row of
// TestFailures.
func TestLocations(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	in := func(l ...httpauth.Location) setup { return setup{Config: wsauth.Config{Locations: l}} }
	sameOrigin := header("Host", "chat.example.com").and(header("Origin", "http://chat.example.com"))
	for _, test := range []struct {
		name string
		web  httpauth.Config
		cfg  setup
		opts []httpauth.RouteOption
		send handshake
	}{
		{"header", httpauth.Config{}, setup{Config: wsauth.Config{}}, nil, bearer(token)},
		{"header, configured", httpauth.Config{HeaderName: "x-token", HeaderScheme: "Token"}, setup{Config: wsauth.Config{}}, nil, header("X-Token", "Token "+token)},
		{"header, configured without scheme", httpauth.Config{HeaderScheme: httpauth.NoScheme}, setup{Config: wsauth.Config{}}, nil, header("Authorization", token)},
		{"header, route", httpauth.Config{HeaderName: "X-Other"}, setup{Config: wsauth.Config{}}, []httpauth.RouteOption{httpauth.WithKey("X-Token"), httpauth.WithPrefix("Token")},
			header("X-Token", "token "+token)},
		{"header, route without scheme", httpauth.Config{}, setup{Config: wsauth.Config{}}, []httpauth.RouteOption{httpauth.WithPrefix(httpauth.NoScheme)}, header("Authorization", token)},

		{"query", httpauth.Config{}, in(httpauth.LocationQuery), nil, query("token=" + token)},
		{"query, configured", httpauth.Config{}, setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationQuery}, QueryKey: "access", QueryPrefix: "Bearer"}}, nil,
			query("access=bearer+" + token)},
		{"query, route", httpauth.Config{}, setup{Config: wsauth.Config{}}, []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery), httpauth.WithKey("ticket"), httpauth.WithPrefix("Ticket")},
			query("room=1&ticket=Ticket%20" + token)},
		{"query, route without prefix", httpauth.Config{}, setup{Config: wsauth.Config{QueryPrefix: "Bearer"}},
			[]httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery), httpauth.WithPrefix(httpauth.NoScheme)}, query("token=" + token)},

		{"cookie", httpauth.Config{}, in(httpauth.LocationCookie), nil, sameOrigin.and(header("Cookie", "theme=dark; __Host-access_token="+token))},
		{"cookie in the second line", httpauth.Config{}, in(httpauth.LocationCookie), nil, sameOrigin.and(header("Cookie", "theme=dark", "__Host-access_token="+token))},
		{"cookie, configured", httpauth.Config{Cookie: httpauth.CookieConfig{AccessName: "auth", Insecure: true}}, in(httpauth.LocationCookie), nil,
			sameOrigin.and(header("Cookie", "auth="+token))},
		{"cookie, route", httpauth.Config{}, in(httpauth.LocationCookie), []httpauth.RouteOption{httpauth.WithKey("auth")}, sameOrigin.and(header("Cookie", "auth="+token))},

		{"subprotocol", httpauth.Config{}, in(httpauth.LocationSubprotocol), nil, header("Sec-Websocket-Protocol", "paseto.bearer, "+token)},

		{"first of several", httpauth.Config{}, in(httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationCookie), nil, bearer(token)},
		{"last of several", httpauth.Config{}, in(httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationQuery), nil, query("token=" + token)},
		{"route instead of configuration", httpauth.Config{}, in(httpauth.LocationCookie), []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader)},
			bearer(token).and(header("Cookie", "__Host-access_token="+token))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := guardOf(t, newWeb(t, auth, test.web), test.cfg.Config)
			srv := listen(t, guard.Require(paseto.Requirement{}, echo, test.opts...))
			checkEcho(t, connect(t, srv, test.send), "hello")
		})
	}
}

// TestRefreshCookie: a route that asks for a refresh token takes it from that one's cookie, as the Web names it.
func TestRefreshCookie(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	refresh := issue(t, auth, paseto.TypeRefresh, paseto.Grant{Subject: "alice"})
	named := httpauth.Config{Cookie: httpauth.CookieConfig{RefreshName: "renewal"}}
	for _, test := range []struct {
		name, cookie string
		web          httpauth.Config
		opts         []httpauth.RouteOption
		admitted     bool
	}{
		{"default", "__Host-refresh_token", httpauth.Config{}, nil, true},
		{"configured", "__Host-renewal", named, nil, true},
		{"route", "other", named, []httpauth.RouteOption{httpauth.WithKey("other")}, true},
		{"in the access token's cookie", "__Host-access_token", httpauth.Config{}, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := guardOf(t, newWeb(t, auth, test.web), wsauth.Config{
				Locations: []httpauth.Location{httpauth.LocationCookie}, Reject: wsauth.RejectHTTP,
			})
			srv := listen(t, guard.Require(paseto.Requirement{Type: paseto.TypeRefresh}, echo, test.opts...))
			send := header("Host", "chat.example.com").and(header("Origin", "http://chat.example.com")).and(header("Cookie", test.cookie+"="+refresh))
			if test.admitted {
				checkEcho(t, connect(t, srv, send), "hello")
				return
			}
			_, resp := dial(t, srv, send)
			checkProblem(t, resp, 401, "token_missing", "PASETO Authorization Token required")
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
				guard := newGuard(t, auth, setup{Config: wsauth.Config{
					Locations:      []httpauth.Location{httpauth.LocationCookie, httpauth.LocationHeader},
					AllowedOrigins: []string{"https://app.example.com"},
					Reject:         reject,
				}})
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
