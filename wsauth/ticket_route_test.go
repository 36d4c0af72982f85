package wsauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

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
