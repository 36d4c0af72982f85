package wsauth_test

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// buy returns a ticket for an access token.
func buy(t testing.TB, auth *paseto.Authorizer, token string, bound paseto.TicketGrant) string {
	t.Helper()
	claims, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := auth.IssueTicket(claims, bound)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

// ticketFor is buy for a new access token and a ticket that is not bound.
func ticketFor(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) string {
	t.Helper()
	return buy(t, auth, access(t, auth, g), paseto.TicketGrant{})
}

func ticket(token string) handshake { return query("ticket=" + token) }

// TestTicketOpensTheSocket with the claims of its access token, for as long as that is
// valid. That all claims are carried over is shown in package paseto.
func TestTicketOpensTheSocket(t *testing.T) {
	t.Parallel()
	c := newClock()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now))
	got := make(chan *paseto.Claims, 1)
	srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		if paseto.FromContext(ctx) != conn.Claims() {
			t.Error("the context has other claims than the connection")
		}
		got <- conn.Claims()
		echo(ctx, conn)
	}))
	token := access(t, auth, paseto.Grant{Subject: "alice", Session: "s1", TTL: time.Hour, Claims: map[string]any{"path": "/claim", "access": "claim"}})
	ws := connect(t, srv, ticket(buy(t, auth, token, paseto.TicketGrant{})))
	checkEcho(t, ws, "hello")
	checkClaims(t, auth, wait(t, got, "the claims"), token)
	c.Advance(30*time.Second + time.Second)
	checkEcho(t, ws, "the ticket is over")
	c.Advance(time.Hour - 30*time.Second - 2*time.Second)
	checkEcho(t, ws, "the access token is not")
	c.Advance(time.Second)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("now it is")); err != nil {
		t.Fatal(err)
	}
	checkClosed(t, ws, wsauth.ClosePolicyViolation, expired)
}

// checkClaims checks that claims are those of a token.
func checkClaims(t testing.TB, auth *paseto.Authorizer, got *paseto.Claims, token string) {
	t.Helper()
	want, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	var gotAll, wantAll map[string]any
	if err := errors.Join(got.Decode(&gotAll), want.Decode(&wantAll)); err != nil {
		t.Fatal(err)
	}
	if got.Type != want.Type || !got.ExpiresAt.Equal(want.ExpiresAt) || len(wantAll) < 3 || !reflect.DeepEqual(gotAll, wantAll) {
		t.Errorf("the claims are\n%v, want\n%v", gotAll, wantAll)
	}
}

// TestTicketWorksOnce whether its first connection is still open or not, and however it
// is written. Many handshakes at once are shown in package paseto.
func TestTicketWorksOnce(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}}).Require(paseto.Requirement{}, echo))
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	once := ticket(buy(t, auth, token, paseto.TicketGrant{}))
	ws := connect(t, srv, once)
	checkEcho(t, ws, "hello")
	checkRefused(t, srv, once, paseto.ErrTicketUsed)
	checkRefused(t, srv, query("room=1&"+strings.Replace(once.query, "ticket=v", "%74icket=%76", 1)), paseto.ErrTicketUsed)
	checkEcho(t, ws, "still here")
	_ = ws.Close()
	checkRefused(t, srv, once, paseto.ErrTicketUsed)
	checkEcho(t, connect(t, srv, ticket(buy(t, auth, token, paseto.TicketGrant{}))), "another one of the same access token")
}

// TestTicketBinding admits a ticket where it is bound to, and refuses it elsewhere, which
// does not use it up. What matches is shown in package paseto, and paths are in
// TestTicketOpensOneRoute.
func TestTicketBinding(t *testing.T) {
	t.Parallel()
	const page, own = "https://app.example.com", "http://api.example.com"
	from := func(origin string) handshake { return header("Origin", origin).and(header("Host", "api.example.com")) }
	right := from(page)
	banned := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New("banned") }}
	for _, test := range []struct {
		name    string
		bound   paseto.TicketGrant
		req     paseto.Requirement
		opts    []httpauth.RouteOption
		send    handshake
		refused error
	}{
		{name: "nothing bound", send: at("/anywhere").and(right)},
		{name: "both right", bound: paseto.TicketGrant{Path: "/ws", Origin: page}, send: right},
		{name: "origin in other words", bound: paseto.TicketGrant{Origin: page}, send: from(strings.ToUpper(page) + ":443")},
		{name: "own origin", bound: paseto.TicketGrant{Origin: own}, send: from(own)},
		{name: "implicit assertion, where tokens are wrapped", bound: paseto.TicketGrant{Implicit: []byte("room 1")},
			req: paseto.Requirement{Base64: true, Implicit: []byte("room 1")}, send: right},
		{name: "path", bound: paseto.TicketGrant{Path: "/ws", Origin: page}, send: at("/other").and(right), refused: paseto.ErrTicket},
		{name: "another allowed origin", bound: paseto.TicketGrant{Origin: page}, send: from("https://b.example.com"), refused: paseto.ErrTicket},
		{name: "no origin", bound: paseto.TicketGrant{Origin: page}, send: none(), refused: paseto.ErrTicket},
		{name: "own origin, another allowed", bound: paseto.TicketGrant{Origin: own}, send: right, refused: paseto.ErrTicket},
		{name: "origin that is not allowed", send: from("https://evil.org"), refused: wsauth.ErrOrigin},
		{name: "check", req: banned, send: right, refused: paseto.ErrForbidden},
		{name: "second credential", send: right.and(bearer("x")), refused: paseto.ErrAmbiguousCredential},
		{name: "route without tickets", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationHeader)}, send: right, refused: paseto.ErrNoToken},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, AllowedOrigins: []string{"https://*.example.com"}}})
			token := ticket(buy(t, auth, access(t, auth, paseto.Grant{}), test.bound))
			checkEntry(t, listen(t, guard.Require(test.req, echo, test.opts...)), token.and(test.send), test.refused)
			if test.refused != nil {
				checkEntry(t, listen(t, guard.Require(paseto.Requirement{}, echo)), token.and(from(cmp.Or(test.bound.Origin, page))), nil)
			}
		})
	}
}

// TestServerWithoutRoomUsesNoTicketUp so that it works when there is room.
func TestServerWithoutRoomUsesNoTicketUp(t *testing.T) {
	t.Parallel()
	s := newStage(t, setup{live: live.Config{MaxRights: 1}}, greet)
	bought := ticket(ticketFor(t, s.auth, paseto.Grant{}))
	ws := connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{})))
	checkRefused(t, s.srv, bought, live.ErrOverload)
	leave(t, ws)
	until(t, "the place is free", func() bool { return s.guard.Stats().Connections == 0 })
	checkMessage(t, connect(t, s.srv, bought), "hello")
}

// TestTicketParameter is named by the configuration, and not by the route's key
// of tokens.
func TestTicketParameter(t *testing.T) {
	t.Parallel()
	both := httpauth.WithLocations(httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationTicket)
	once := wsauth.Config{TicketKey: "once"}
	for _, test := range []struct {
		name      string
		cfg       wsauth.Config
		opts      []httpauth.RouteOption
		parameter string
		refused   error
	}{
		{"default", wsauth.Config{}, nil, "ticket", nil},
		{"location of the route", wsauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader}},
			[]httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationTicket)}, "ticket", nil},
		{"other key", once, nil, "once", nil},
		{"other key, default name", once, nil, "ticket", paseto.ErrNoToken},
		{"key and prefix of the route", wsauth.Config{}, []httpauth.RouteOption{both, httpauth.WithKey("auth"), httpauth.WithPrefix("Token")}, "ticket", nil},
		{"query prefix", wsauth.Config{QueryPrefix: "Token"}, []httpauth.RouteOption{both}, "ticket", nil},
		{"same name where there is no query", wsauth.Config{},
			[]httpauth.RouteOption{httpauth.WithKey("ticket"), httpauth.WithLocations(httpauth.LocationHeader, httpauth.LocationTicket)}, "ticket", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			test.cfg.Reject = wsauth.RejectHTTP
			srv := listen(t, newGuard(t, auth, setup{Config: test.cfg}).Require(paseto.Requirement{}, echo, test.opts...))
			checkEntry(t, srv, query(test.parameter+"="+ticketFor(t, auth, paseto.Grant{})), test.refused)
		})
	}
}

// TestTicketsNeedADenylist: without one, a ticket would work more than once.
func TestTicketsNeedADenylist(t *testing.T) {
	t.Parallel()
	const cause = "ticket needs an Authorizer with a denylist"
	without := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(nil))
	token := bearer(access(t, without, paseto.Grant{}))
	bought := ticket(ticketFor(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{})) // by one that has a denylist, and the same keys
	locations := []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket}

	guard, err := wsauth.New(newWeb(t, without, httpauth.Config{}), wsauth.Config{Locations: locations})
	if guard != nil || !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), "Locations: "+cause) {
		t.Errorf("New returns %v; want an error that wraps ErrConfig and names the denylist", err)
	}

	logger, log := newLogger()
	guard = newGuard(t, without, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}}, logger) // by default there are none
	srv := listen(t, guard.Require(paseto.Requirement{}, echo))
	checkRefused(t, srv, bought, paseto.ErrNoToken)
	checkEntry(t, srv, token.and(query("ticket=12345")), nil) // a parameter of the application

	for _, optional := range []bool{false, true} {
		before, req := len(log.String()), paseto.Requirement{Optional: optional}
		srv := listen(t, guard.Require(req, unreachable(t), httpauth.WithLocations(locations...)))
		if got := log.String()[before:]; !strings.Contains(got, `level=ERROR msg="route refuses every handshake"`) || !strings.Contains(got, cause) {
			t.Errorf("log is %q", got)
		}
		for _, send := range []handshake{bought, token, none()} {
			checkRefused(t, srv, send, httpauth.ErrServer)
		}
		claims, err := guard.Authenticate(bought.request(t.Context()), req, httpauth.WithLocations(httpauth.LocationTicket))
		if claims != nil || err == nil || !strings.Contains(err.Error(), cause) {
			t.Errorf("Authenticate returns %v, %v; want an error that names the denylist", claims, err)
		}
	}
}

// TestAuthenticateUsesTheTicketUp for programs that open the connection themselves. A
// handshake that is broken does not.
func TestAuthenticateUsesTheTicketUp(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{})
	token := access(t, auth, paseto.Grant{Subject: "alice", TTL: time.Hour})
	send := ticket(buy(t, auth, token, paseto.TicketGrant{})).and(upgrading)
	broken := send.request(t.Context())
	broken.Header.Add("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	if claims, err := guard.Authenticate(broken, paseto.Requirement{}); claims != nil || err == nil {
		t.Errorf("a broken handshake gives %v, %v", claims, err)
	}
	claims, err := guard.Authenticate(send.request(t.Context()), paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	checkClaims(t, auth, claims, token)
	for _, optional := range []bool{false, true} {
		again, err := guard.Authenticate(send.request(t.Context()), paseto.Requirement{Optional: optional})
		if !errors.Is(err, paseto.ErrTicketUsed) || again != nil {
			t.Errorf("the second time it gives %v, %v; want ErrTicketUsed", again, err)
		}
	}
}
