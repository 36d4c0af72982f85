package wsauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestOtherScheme sends a handshake with a header that is somebody else's, as browsers
// add it by themselves behind HTTP authentication. It hides no token; an optional route
// stays anonymous, and one whose token may come in the first message waits for it.
func TestOtherScheme(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	withTicket := func(t testing.TB) handshake {
		t.Helper()
		return query("ticket=" + ticketFor(t, auth, paseto.Grant{Subject: "alice"}))
	}
	sending := func(h handshake) func(testing.TB) handshake { return func(testing.TB) handshake { return h } }
	for _, test := range []struct {
		name     string
		in       []httpauth.Location
		optional bool
		send     func(testing.TB) handshake
		who      string
		refused  bool
	}{
		{name: "ticket", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket}, send: withTicket, who: "alice"},
		{name: "query", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationQuery}, send: sending(query("token=" + token)), who: "alice"},
		{name: "subprotocol", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationSubprotocol},
			send: sending(header("Sec-Websocket-Protocol", "paseto.bearer, "+token)), who: "alice"},
		{name: "cookie", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie}, send: func(testing.TB) handshake {
			return header("Cookie", "__Host-access_token="+token).and(header("Origin", "https://example.com"))
		}, who: "alice"},
		{name: "optional, query", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationQuery}, optional: true, send: sending(query("token=" + token)), who: "alice"},
		{name: "optional, nothing", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationQuery}, optional: true, send: sending(none())},
		{name: "required, nothing", in: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationQuery}, send: sending(none()), refused: true},
	} {
		for _, value := range []string{"Basic YTpi", "Basic", "Negotiate YII=", `Digest username="a", realm="b"`} {
			t.Run(test.name+"/"+value, func(t *testing.T) {
				t.Parallel()
				guard := newGuard(t, auth, setup{Config: wsauth.Config{Locations: test.in, AllowedOrigins: []string{"https://example.com"}}})
				req := paseto.Requirement{Optional: test.optional}
				srv := listen(t, guard.Require(req, func(_ context.Context, conn *wsauth.Conn) {
					_ = conn.WriteMessage(wsauth.TextMessage, []byte(who(conn.Claims())))
				}))
				other := header("Authorization", value)

				send := test.send(t).and(other)
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws?"+send.query, nil)
				r.Header = send.header
				claims, err := guard.Authenticate(r, req)
				if errors.Is(err, paseto.ErrMalformedCredential) != test.refused || err == nil && who(claims) != who(&paseto.Claims{Subject: test.who}) {
					t.Errorf("Authenticate returns %v, %v", claims, err)
				}

				ws := connect(t, srv, test.send(t).and(other))
				if test.refused {
					checkClosed(t, ws, wsauth.ClosePolicyViolation, "Bad Authorization header. Expected value 'Bearer <PASETO>'")
					return
				}
				checkMessage(t, ws, who(&paseto.Claims{Subject: test.who}))
			})
		}
	}

	t.Run("first message", func(t *testing.T) {
		t.Parallel()
		guard, srv := takingMessages(t, auth, setup{Config: wsauth.Config{}}, paseto.Requirement{}, echo)
		basic := header("Authorization", "Basic YTpi")
		ws := connect(t, srv, basic)
		sendAll(t, ws, frame(text, authMessage(token)))
		if a := nextAnswer(t, ws); a.Code != "" {
			t.Errorf("the answer is %+v", a)
		}
		checkEcho(t, ws, "hello")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws", nil)
		r.Header = basic.header
		if _, err := guard.Authenticate(r, paseto.Requirement{}); !errors.Is(err, paseto.ErrNoToken) {
			t.Errorf("Authenticate returns %v, want %v", err, paseto.ErrNoToken)
		}
	})
}

// who returns the subject of claims, and nobody for none.
func who(c *paseto.Claims) string {
	if c == nil || c.Subject == "" {
		return "nobody"
	}
	return c.Subject
}
