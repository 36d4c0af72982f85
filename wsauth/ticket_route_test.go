package wsauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestBoundTickets open sockets where they are bound to, for whom they are
// bound to, and nowhere else.
func TestBoundTickets(t *testing.T) {
	t.Parallel()
	const page, sister = "https://app.example.com", "https://b.example.com"
	from := func(origin string) handshake { return header("Origin", origin) }
	for _, test := range []struct {
		name     string
		bound    paseto.TicketGrant
		send     handshake
		admitted bool
	}{
		{"nothing bound", paseto.TicketGrant{}, at("/anywhere").and(from(sister)), true},
		{"path", paseto.TicketGrant{Path: "/ws/room 1"}, at("/ws/room%201"), true},
		{"path, query beside", paseto.TicketGrant{Path: "/ws"}, query("room=1"), true},
		{"path, not ASCII", paseto.TicketGrant{Path: "/räume"}, at("/r%C3%A4ume"), true},
		{"path below", paseto.TicketGrant{Path: "/ws"}, at("/ws/admin"), false},
		{"path above", paseto.TicketGrant{Path: "/ws/admin"}, at("/ws"), false},
		{"path with a slash", paseto.TicketGrant{Path: "/ws"}, at("/ws/"), false},
		{"path with dots", paseto.TicketGrant{Path: "/ws"}, at("/x/../ws"), false},
		{"path in capitals", paseto.TicketGrant{Path: "/ws"}, at("/WS"), false},

		{"origin", paseto.TicketGrant{Origin: page}, from(page), true},
		{"origin, default port, upper case", paseto.TicketGrant{Origin: page}, from(strings.ToUpper(page) + ":443"), true},
		{"origin, another allowed", paseto.TicketGrant{Origin: page}, from(sister), false},
		{"origin, none", paseto.TicketGrant{Origin: page}, none(), false},
		{"origin, other port", paseto.TicketGrant{Origin: page}, from(page + ":8443"), false},
		{"own origin", paseto.TicketGrant{Origin: "http://api.example.com"}, from("http://api.example.com").and(header("Host", "api.example.com")), true},
		{"own origin, another allowed", paseto.TicketGrant{Origin: "http://api.example.com"}, from(page).and(header("Host", "api.example.com")), false},

		{"both", paseto.TicketGrant{Path: "/ws", Origin: page}, from(page), true},
		{"both, wrong path", paseto.TicketGrant{Path: "/ws", Origin: page}, from(page).and(at("/other")), false},
		{"both, wrong origin", paseto.TicketGrant{Path: "/ws", Origin: page}, from(sister), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, AllowedOrigins: []string{"https://*.example.com", "https://*.example.com:8443"}}})
			srv := listen(t, guard.Require(paseto.Requirement{}, echo))
			ws, resp := dial(t, srv, ticket(buy(t, auth, access(t, auth, paseto.Grant{}), test.bound)).and(test.send))
			switch {
			case test.admitted && ws == nil:
				t.Errorf("refused with %s", resp.Status)
			case test.admitted:
				checkEcho(t, ws, "hello")
			case ws != nil:
				t.Error("the handshake succeeded")
			default:
				checkProblem(t, resp, http.StatusUnauthorized, "ticket_invalid", "Ticket is not valid here")
			}
		})
	}
}

// TestTicketMeetsTheRequirement with what its access token has.
func TestTicketMeetsTheRequirement(t *testing.T) {
	t.Parallel()
	room := []byte("room 1")
	for _, test := range []struct {
		name  string
		req   paseto.Requirement
		grant paseto.Grant
		bound paseto.TicketGrant
	}{
		{"fresh", paseto.Requirement{Fresh: true}, paseto.Grant{Fresh: true}, paseto.TicketGrant{}},
		{"scopes", paseto.Requirement{Scopes: []string{"chat", "admin"}}, paseto.Grant{Scopes: []string{"admin", "chat"}}, paseto.TicketGrant{}},
		{"implicit assertion", paseto.Requirement{Implicit: room}, paseto.Grant{}, paseto.TicketGrant{Implicit: room}},
		{"base64, which is for tokens", paseto.Requirement{Base64: true}, paseto.Grant{}, paseto.TicketGrant{}},
		{"check", paseto.Requirement{Check: func(_ context.Context, c *paseto.Claims) error {
			if c.Type != paseto.TypeAccess || c.Subject != "alice" {
				return errors.New("not what was expected")
			}
			return nil
		}}, paseto.Grant{Subject: "alice"}, paseto.TicketGrant{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(test.req, echo))
			checkEcho(t, connect(t, srv, ticket(buy(t, auth, access(t, auth, test.grant), test.bound))), "hello")
		})
	}
}

// TestOptionalTicket lets in without claims whose ticket is not valid there,
// and nobody whose ticket is used, or stands for too little.
func TestOptionalTicket(t *testing.T) {
	t.Parallel()
	const anonymous = "nobody"
	for _, test := range []struct {
		name    string
		req     paseto.Requirement
		send    func(*testing.T, *paseto.Authorizer) handshake
		who     string // of the caller who is let in
		refused string // message to the one who is not
	}{
		{name: "ticket", send: sendsTicket(paseto.Grant{Subject: "alice"}, paseto.TicketGrant{}), who: "alice"},
		{name: "no ticket", send: sends(none()), who: anonymous},
		{name: "none", send: sends(ticket("nonsense")), who: anonymous},
		{name: "expired", send: sendsOldTicket(30*time.Second, paseto.Grant{Subject: "alice"}), who: anonymous},
		{name: "access token expired", send: sendsOldTicket(10*time.Second, paseto.Grant{Subject: "alice", TTL: 5 * time.Second}), who: anonymous},
		{name: "for another path", send: sendsTicket(paseto.Grant{Subject: "alice"}, paseto.TicketGrant{Path: "/other"}), who: anonymous},
		{name: "used", refused: "Ticket has been used",
			send: sendsTicketAfter(func(a *paseto.Authorizer, ticket string, _ *paseto.Claims) error {
				_, err := a.RedeemTicket(context.Background(), ticket, paseto.Requirement{}, paseto.TicketUse{})
				return err
			})},
		{name: "revoked", refused: "Token has been revoked",
			send: sendsTicketAfter(func(a *paseto.Authorizer, _ string, c *paseto.Claims) error { return a.Revoke(context.Background(), c) })},
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, send: sendsTicket(paseto.Grant{}, paseto.TicketGrant{}),
			refused: "PASETO access token is not fresh"},
		{name: "malformed", send: sends(query("ticket=")), refused: "Bad ticket query param. Expected value '<PASETO>'"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.req.Optional = true
			auth := newAuthorizer(t, paseto.Config{})
			srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(test.req, func(_ context.Context, conn *wsauth.Conn) {
				who := anonymous
				if !conn.Claims().Anonymous() {
					who = conn.Claims().Subject
				}
				_ = conn.WriteMessage(wsauth.TextMessage, []byte(who))
			}))
			ws := connect(t, srv, test.send(t, auth))
			if test.refused != "" {
				checkClosed(t, ws, wsauth.ClosePolicyViolation, test.refused)
				return
			}
			checkMessage(t, ws, test.who)
		})
	}
}

// TestTicketParameter is named by the configuration, and not by the route's key
// of tokens.
func TestTicketParameter(t *testing.T) {
	t.Parallel()
	both := httpauth.WithLocations(httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationTicket)
	for _, test := range []struct {
		name      string
		cfg       setup
		opts      []httpauth.RouteOption
		parameter string
		admitted  bool
	}{
		{"default", setup{Config: wsauth.Config{}}, nil, "ticket", true},
		{"named by the location", setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationTicket}}}, nil, "ticket", true},
		{"named by the route", setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader}}}, []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationTicket)}, "ticket", true},
		{"other key", setup{Config: wsauth.Config{TicketKey: "once"}}, nil, "once", true},
		{"other key, default name", setup{Config: wsauth.Config{TicketKey: "once"}}, nil, "ticket", false},
		{"key of the route", setup{Config: wsauth.Config{}}, []httpauth.RouteOption{both, httpauth.WithKey("auth")}, "ticket", true},
		{"key of the route, its name", setup{Config: wsauth.Config{}}, []httpauth.RouteOption{both, httpauth.WithKey("auth")}, "auth", false},
		{"prefix of the route", setup{Config: wsauth.Config{}}, []httpauth.RouteOption{both, httpauth.WithPrefix("Token")}, "ticket", true},
		{"query prefix", setup{Config: wsauth.Config{QueryPrefix: "Token"}}, []httpauth.RouteOption{both}, "ticket", true},
		{"token's parameter", setup{Config: wsauth.Config{}}, []httpauth.RouteOption{both}, "token", false},
		{"same name where there is no query", setup{Config: wsauth.Config{}}, []httpauth.RouteOption{httpauth.WithKey("ticket"), httpauth.WithLocations(httpauth.LocationHeader, httpauth.LocationTicket)}, "ticket", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			test.cfg.Reject = wsauth.RejectHTTP
			srv := listen(t, newGuard(t, auth, test.cfg).Require(paseto.Requirement{}, echo, test.opts...))
			ws, resp := dial(t, srv, query(test.parameter+"="+ticketFor(t, auth, paseto.Grant{})))
			switch {
			case test.admitted && ws == nil:
				t.Errorf("refused with %s", resp.Status)
			case test.admitted:
				checkEcho(t, ws, "hello")
			case ws != nil:
				t.Error("the handshake succeeded")
			}
		})
	}
}

// TestTicketsNeedADenylist: without one, a ticket would work more than once.
func TestTicketsNeedADenylist(t *testing.T) {
	t.Parallel()
	const cause = "ticket needs an Authorizer with a denylist"
	without := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(nil))
	elsewhere := newAuthorizer(t, paseto.Config{}) // has one, and the same keys
	send := func(t *testing.T) handshake { t.Helper(); return ticket(ticketFor(t, elsewhere, paseto.Grant{})) }

	t.Run("configured", func(t *testing.T) {
		t.Parallel()
		guard, err := wsauth.New(newWeb(t, without, httpauth.Config{}), wsauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket}})
		if guard != nil || !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), "Locations: "+cause) {
			t.Errorf("New returns %v; want an error that wraps ErrConfig and names the denylist", err)
		}
	})

	t.Run("by default there are none", func(t *testing.T) {
		t.Parallel()
		srv := listen(t, newGuard(t, without, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}}).Require(paseto.Requirement{}, echo))
		ws, resp := dial(t, srv, send(t))
		if ws != nil {
			t.Fatal("the handshake succeeded")
		}
		checkProblem(t, resp, http.StatusUnauthorized, "token_missing", "PASETO Authorization Token required")
		checkEcho(t, connect(t, srv, bearer(access(t, without, paseto.Grant{})).and(query("ticket=12345"))), "a parameter of the application")
	})

	t.Run("on a route", func(t *testing.T) {
		t.Parallel()
		logger, log := newLogger()
		guard := newGuard(t, without, setup{Config: wsauth.Config{}}, logger)
		for _, optional := range []bool{false, true} {
			before := len(log.String())
			h := guard.Require(paseto.Requirement{Optional: optional}, unreachable(t), httpauth.WithLocations(httpauth.LocationHeader, httpauth.LocationTicket))
			if got := log.String()[before:]; !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "route refuses every handshake") || !strings.Contains(got, cause) {
				t.Errorf("log is %q", got)
			}
			srv := listen(t, h)
			for name, send := range map[string]handshake{
				"ticket": send(t), "token": bearer(access(t, without, paseto.Grant{})), "nothing": none(),
			} {
				ws, resp := dial(t, srv, send)
				if ws != nil {
					t.Fatalf("%s: the handshake succeeded", name)
				}
				checkProblem(t, resp, http.StatusInternalServerError, "server_error", "The server could not answer the request")
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws?"+send(t).query, nil)
			claims, err := guard.Authenticate(r, paseto.Requirement{Optional: optional}, httpauth.WithLocations(httpauth.LocationTicket))
			if claims != nil || err == nil || !strings.Contains(err.Error(), cause) {
				t.Errorf("Authenticate returns %v, %v; want an error that names the denylist", claims, err)
			}
		}
	})
}
