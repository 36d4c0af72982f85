package wsauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// who returns the subject of claims, and nobody for none.
func who(c *paseto.Claims) string {
	if c.Anonymous() {
		return "nobody"
	}
	return c.Subject
}

// entry is a handshake of alice's, or of nobody on an optional route, and how it ends.
type entry struct {
	name    string
	web     httpauth.Config
	cfg     wsauth.Config
	req     paseto.Requirement
	opts    []httpauth.RouteOption
	ticket  bool // is sent, besides
	send    handshake
	who     string
	refused error
}

// TestEntry lets in whose token is where the configuration or the route looks for it, and
// tells callers whom an optional route lets in without claims from those whose token is
// valid and yet not enough. Authenticate decides as Require does. What a token looks like
// in each location is shown in package locate.
func TestEntry(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token, refresh := access(t, auth, paseto.Grant{Subject: "alice"}), issue(t, auth, paseto.TypeRefresh, paseto.Grant{Subject: "alice"})
	gone := issued(t, auth, paseto.Grant{Subject: "alice"})
	if err := auth.Revoke(t.Context(), gone.Claims); err != nil {
		t.Fatal(err)
	}
	in := func(l ...httpauth.Location) wsauth.Config { return wsauth.Config{Locations: l} }
	bad := &paseto.Error{Code: paseto.ErrMalformedCredential, Message: "Bad Authorization header. Expected value 'Bearer <PASETO>'"}
	sameOrigin := header("Host", "chat.example.com").and(header("Origin", "http://chat.example.com"))
	evil := header("Origin", "https://evil.org")
	cookie := func(value string) handshake { return header("Cookie", value) }
	renewal := httpauth.Config{Cookie: httpauth.CookieConfig{RefreshName: "renewal"}}
	optional, ofRefresh := paseto.Requirement{Optional: true}, paseto.Requirement{Type: paseto.TypeRefresh}
	prefixed := []httpauth.RouteOption{httpauth.WithKey("X-Token"), httpauth.WithPrefix("Token")}
	inCookie, orQuery := in(httpauth.LocationCookie), in(httpauth.LocationHeader, httpauth.LocationQuery)
	listed := in(httpauth.LocationCookie, httpauth.LocationHeader)
	listed.AllowedOrigins = []string{"https://app.example.com"}
	rows := []entry{
		{name: "header", send: bearer(token), who: "alice"},
		{name: "header, configured", web: httpauth.Config{HeaderName: "x-token", HeaderScheme: "Token"}, send: header("X-Token", "Token "+token), who: "alice"},
		{name: "header, configured without scheme", web: httpauth.Config{HeaderScheme: httpauth.NoScheme}, send: header("Authorization", token), who: "alice"},
		{name: "header, route", web: httpauth.Config{HeaderName: "X-Other"}, opts: prefixed, send: header("X-Token", "token "+token), who: "alice"},
		{name: "query", cfg: in(httpauth.LocationQuery), send: query("a=1&a=2&token=" + token + "&b=%20"), who: "alice"},
		{name: "query, configured", cfg: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationQuery}, QueryKey: "access", QueryPrefix: "Bearer"},
			send: query("access=bearer+" + token), who: "alice"},
		{name: "query, route", send: query("room=1&ticket=Ticket%20" + token), who: "alice",
			opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery), httpauth.WithKey("ticket"), httpauth.WithPrefix("Ticket")}},
		{name: "query, route without prefix", cfg: wsauth.Config{QueryPrefix: "Bearer"}, send: query("token=" + token), who: "alice",
			opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery), httpauth.WithPrefix(httpauth.NoScheme)}},
		{name: "cookie", cfg: inCookie, send: sameOrigin.and(header("Cookie", "theme=dark", "__Host-access_token="+token)), who: "alice"},
		{name: "cookie, configured", web: httpauth.Config{Cookie: httpauth.CookieConfig{AccessName: "auth", Insecure: true}}, cfg: inCookie,
			send: sameOrigin.and(cookie("auth=" + token)), who: "alice"},
		{name: "cookie, route", cfg: inCookie, opts: []httpauth.RouteOption{httpauth.WithKey("auth")}, send: sameOrigin.and(cookie("auth=" + token)), who: "alice"},
		{name: "subprotocol", cfg: in(httpauth.LocationSubprotocol), send: header("Sec-Websocket-Protocol", "paseto.bearer, "+token), who: "alice"},
		{name: "route instead of configuration", cfg: inCookie, opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader)},
			send: bearer(token).and(cookie("__Host-access_token=" + token)), who: "alice"},
		{name: "wrapped, and bound to an implicit assertion", req: paseto.Requirement{Base64: true, Implicit: []byte("room 1")},
			send: bearer(access(t, auth, paseto.Grant{Subject: "alice", Base64: true, Implicit: []byte("room 1")})), who: "alice"},
		{name: "malformed query where none is read", cfg: in(httpauth.LocationHeader), send: bearer(token).and(query("token=%zz&ticket=%zz")), who: "alice"},

		{name: "refresh cookie", cfg: inCookie, req: ofRefresh, send: sameOrigin.and(cookie("__Host-refresh_token=" + refresh)), who: "alice"},
		{name: "refresh cookie, configured", web: renewal, cfg: inCookie, req: ofRefresh, send: sameOrigin.and(cookie("__Host-renewal=" + refresh)), who: "alice"},
		{name: "refresh cookie, route", web: renewal, cfg: inCookie, req: ofRefresh, opts: []httpauth.RouteOption{httpauth.WithKey("other")},
			send: sameOrigin.and(cookie("other=" + refresh)), who: "alice"},
		{name: "refresh token in the access token's cookie", cfg: inCookie, req: ofRefresh, send: sameOrigin.and(cookie("__Host-access_token=" + refresh)),
			refused: paseto.ErrNoToken},

		// A client that sends a cookie without an Origin is no browser, or hides which page it serves.
		{name: "cookie of a listed origin", cfg: listed, send: cookie("__Host-access_token=" + token).and(header("Origin", "https://app.example.com")), who: "alice"},
		{name: "cookie of another origin", cfg: listed, send: cookie("__Host-access_token=" + token).and(evil), refused: wsauth.ErrOrigin},
		{name: "cookie without origin", cfg: listed, send: cookie("__Host-access_token=" + token), refused: wsauth.ErrOrigin},
		{name: "cookie without origin, optional route", cfg: listed, req: optional, send: cookie("__Host-access_token=" + token), refused: wsauth.ErrOrigin},
		{name: "bad cookie without origin", cfg: listed, send: cookie("__Host-access_token=x"), refused: wsauth.ErrOrigin},
		{name: "no origin, anonymous", cfg: listed, req: optional, send: none(), who: "nobody"},

		{name: "optional", req: optional, send: bearer(token), who: "alice"},
		{name: "optional, nothing", req: optional, send: none(), who: "nobody"},
		{name: "optional, nonsense", req: optional, send: bearer("nonsense"), who: "nobody"},
		{name: "optional, of another key", req: optional, send: bearer(foreignToken(t)), who: "nobody"},
		{name: "optional, wrong type", req: optional, send: bearer(refresh),
			refused: &paseto.Error{Code: paseto.ErrType, Message: "Access token required but refresh provided"}},
		{name: "optional, not fresh", req: paseto.Requirement{Optional: true, Fresh: true}, send: bearer(token), refused: paseto.ErrNotFresh},
		{name: "optional, scope missing", req: paseto.Requirement{Optional: true, Scopes: []string{"admin"}}, send: bearer(token), refused: paseto.ErrScope},
		{name: "optional, revoked", req: optional, send: bearer(gone.Token.Reveal()), refused: paseto.ErrRevoked},
		{name: "optional, malformed", req: optional, send: header("Authorization", "Bearer"), refused: bad},
		{name: "optional, two tokens", req: optional, send: header("Authorization", "Bearer a", "Bearer b"), refused: paseto.ErrAmbiguousCredential},
		{name: "optional, ticket", req: optional, ticket: true, who: "alice"},
		{name: "optional, malformed ticket", req: optional, send: ticket("nonsense"), who: "nobody"},

		{name: "no token", send: none(), refused: paseto.ErrNoToken},
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, send: bearer(token), refused: paseto.ErrNotFresh},
		{name: "location", opts: []httpauth.RouteOption{httpauth.WithLocations("json")}, send: bearer(token),
			refused: &paseto.Error{Code: paseto.ErrLocation, Message: "json token location is not supported for WebSocket connections"}},
		{name: "requirement", req: paseto.Requirement{Fresh: true, Type: "refresh"}, send: bearer(token), refused: paseto.ErrRequirement},
	}
	// A header that is somebody else's, as browsers add it behind HTTP authentication,
	// hides no token, and leaves an optional route anonymous.
	for _, value := range []string{"Basic YTpi", "Basic", "Negotiate YII=", `Digest username="a", realm="b"`} {
		other := header("Authorization", value)
		rows = append(rows,
			entry{name: value + ", ticket", ticket: true, send: other, who: "alice"},
			entry{name: value + ", query", cfg: orQuery, send: other.and(query("token=" + token)), who: "alice"},
			entry{name: value + ", optional", cfg: orQuery, req: optional, send: other, who: "nobody"},
			entry{name: value + ", required", cfg: orQuery, send: other, refused: bad},
		)
	}
	for _, test := range rows {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !errors.Is(test.refused, wsauth.ErrOrigin) { // which is always answered over HTTP
				test.cfg.Reject = wsauth.RejectHTTP
			}
			guard := newGuard(t, auth, setup{Config: test.cfg, web: test.web})
			send := func() handshake {
				if test.ticket {
					return test.send.and(ticket(ticketFor(t, auth, paseto.Grant{Subject: "alice"})))
				}
				return test.send
			}
			claims, err := guard.Authenticate(send().request(t.Context()), test.req, test.opts...)
			if test.refused != nil && (claims != nil || !errors.Is(err, test.refused)) {
				t.Errorf("Authenticate returns %v, %v; want %v", claims, err, test.refused)
			} else if test.refused == nil && (err != nil || who(claims) != test.who) {
				t.Errorf("Authenticate returns %v, %v; want the claims of %s", claims, err, test.who)
			}
			srv := listen(t, guard.Require(test.req, func(ctx context.Context, conn *wsauth.Conn) {
				if paseto.FromContext(ctx) != conn.Claims() {
					t.Error("the context has other claims than the connection")
				}
				_ = conn.WriteMessage(wsauth.TextMessage, []byte(who(conn.Claims())))
			}, test.opts...))
			if test.refused != nil {
				checkRefused(t, srv, send(), test.refused)
				return
			}
			checkMessage(t, connect(t, srv, send()), test.who)
		})
	}
}

// TestOtherSchemeBeforeFirstMessage: a route whose token may come in the first message
// waits for it.
func TestOtherSchemeBeforeFirstMessage(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard, srv := takingMessages(t, auth, setup{}, paseto.Requirement{}, echo)
	basic := header("Authorization", "Basic YTpi")
	ws := connect(t, srv, basic)
	say(t, ws, authMessage(access(t, auth, paseto.Grant{Subject: "alice"})))
	if a := nextAnswer(t, ws); a.Code != "" {
		t.Errorf("the answer is %+v", a)
	}
	checkEcho(t, ws, "hello")
	if _, err := guard.Authenticate(basic.request(t.Context()), paseto.Requirement{}); !errors.Is(err, paseto.ErrNoToken) {
		t.Errorf("Authenticate returns %v, want %v", err, paseto.ErrNoToken)
	}
}

// waitingStore answers when it is no longer asked.
type waitingStore struct{ denylist.Store }

func (waitingStore) Revoked(ctx context.Context, _ denylist.Token) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestClientGivesUp while the denylist is asked. That is no failure of the
// denylist, and nobody is let in.
func TestClientGivesUp(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, paseto.WithDenylist(waitingStore{}))
	guard := newGuard(t, auth, setup{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	send := bearer(access(t, auth, paseto.Grant{}))
	if claims, err := guard.Authenticate(send.request(ctx), paseto.Requirement{}); !errors.Is(err, context.Canceled) || claims != nil {
		t.Errorf("claims are %v, error is %v; want the context's", claims, err)
	}
	w := httptest.NewRecorder()
	guard.Require(paseto.Requirement{}, unreachable(t)).ServeHTTP(w, send.and(upgrading).request(ctx))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status is %d, want 503", w.Code)
	}
}

// TestOrigin admits the pages of the server itself, which it knows by the Host that the client
// asked for, and those that are listed. Package origin tests what is the same origin.
func TestOrigin(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	h := newGuard(t, auth, setup{Config: wsauth.Config{AllowedOrigins: []string{"https://app.example.com", "https://*.example.org"}}}).
		Require(paseto.Requirement{}, echo)
	plain, secure := listen(t, h), httptest.NewTLSServer(h)
	t.Cleanup(secure.Close)
	for _, test := range []struct {
		name     string
		srv      *httptest.Server
		admitted bool
		origins  []string
	}{
		{"own", plain, true, []string{"http://chat.example.com"}},
		{"own, TLS ended by a proxy", plain, true, []string{"https://chat.example.com"}},
		{"own, TLS", secure, true, []string{"https://chat.example.com"}},
		{"own, TLS, plain page", secure, false, []string{"http://chat.example.com"}},
		{"listed", plain, true, []string{"https://app.example.com"}},
		{"listed, below", plain, true, []string{"https://a.example.org"}},
		{"other", plain, false, []string{"https://evil.example.net"}},
		{"null", plain, false, []string{"null"}},
		{"empty", plain, false, []string{""}},
		{"no origin", plain, false, []string{"http://chat.example.com/"}},
		// A proxy and the guard may not look at the same one.
		{"twice", plain, false, []string{"http://chat.example.com", "http://chat.example.com"}},
		{"twice, once empty", plain, false, []string{"http://chat.example.com", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			send := bearer(token).and(header("Host", "chat.example.com")).and(header("Origin", test.origins...))
			if test.admitted {
				checkEcho(t, connect(t, test.srv, send), "hello")
				return
			}
			checkRefused(t, test.srv, send, wsauth.ErrOrigin)
		})
	}
}

// TestOriginBeforeToken refuses the origin whatever the token, and before the denylist is
// asked. It is in the error for the log, and not in what the client sees.
func TestOriginBeforeToken(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(brokenStore(t)))
	guard := newGuard(t, auth, setup{})
	srv := listen(t, guard.Require(paseto.Requirement{}, echo))
	evil := header("Origin", "https://evil.org")
	for _, send := range []handshake{evil, evil.and(header("Authorization", "x")), evil.and(bearer(access(t, auth, paseto.Grant{})))} {
		checkRefused(t, srv, send, &paseto.Error{Code: "origin_forbidden", Message: "Origin not allowed"})
	}
	_, err := guard.Authenticate(evil.request(t.Context()), paseto.Requirement{})
	if !errors.Is(err, wsauth.ErrOrigin) || !strings.Contains(err.Error(), "evil.org") {
		t.Errorf("error is %v, want ErrOrigin with the origin as its cause", err)
	}
}

// TestAllowedOriginsValidation names the entry that is wrong, and no other.
func TestAllowedOriginsValidation(t *testing.T) {
	t.Parallel()
	web := newWeb(t, newAuthorizer(t, paseto.Config{}), httpauth.Config{})
	guard, err := wsauth.New(web, wsauth.Config{AllowedOrigins: []string{"https://good.example.com", "https://*.com"}})
	if guard != nil || !errors.Is(err, paseto.ErrConfig) {
		t.Fatalf("New returns %v, want an error that wraps ErrConfig", err)
	}
	if got := err.Error(); !strings.Contains(got, "AllowedOrigins") || !strings.Contains(got, "top-level domain") || strings.Contains(got, "good.example.com") {
		t.Errorf("error is %q", got)
	}
}
