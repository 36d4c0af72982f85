package wsauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

func TestConfigValidation(t *testing.T) {
	t.Parallel()
	web := newWeb(t, newAuthorizer(t, paseto.Config{}), httpauth.Config{})
	for _, test := range []struct {
		name string
		web  *httpauth.Web
		cfg  setup
		want []string // parts of the error; none for a configuration that is valid
	}{
		{"zero", web, setup{}, nil},
		{"everything set", web, setup{Config: wsauth.Config{
			Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationQuery, httpauth.LocationCookie, httpauth.LocationSubprotocol, httpauth.LocationTicket},
			QueryKey:  "t", QueryPrefix: "Bearer",
			TicketKey: "once", PathPrefix: "/api/v1",
			Reject: wsauth.RejectHTTP, AllowedOrigins: []string{"https://*.example.com"},
			Subprotocols: []string{"chat.v1", "graphql-transport-ws"}, ReadLimit: 1, WriteTimeout: time.Millisecond, CloseTimeout: time.Millisecond,
		}}, nil},
		{"no Web", nil, setup{}, []string{"the Web is nil; make one with httpauth.New"}},
		{"json", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{"json"}}},
			[]string{`Locations[0] = "json": json token location is not supported for WebSocket connections`}},
		{"unknown location", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, "body"}}},
			[]string{`Locations[1] = "body": unknown token location "body"; expected one of header, query, cookie, subprotocol, ticket, message`}},
		{"location in plural", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{"headers"}}}, []string{`"headers"`}},
		{"ticket and token by one name", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationQuery, httpauth.LocationTicket}, QueryKey: "t", TicketKey: "t"}},
			[]string{"must differ from QueryKey"}},
		{"token by the name of tickets", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationQuery, httpauth.LocationTicket}, QueryKey: "ticket"}},
			[]string{"must differ from QueryKey"}},
		{"one name where there are no tokens in the query", web, setup{Config: wsauth.Config{QueryKey: "ticket"}}, nil},
		{"ticket by the name of tokens", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationQuery, httpauth.LocationTicket}, TicketKey: "token"}},
			[]string{"must differ from QueryKey"}},
		{"names exchanged", web, setup{Config: wsauth.Config{QueryKey: "ticket", TicketKey: "token"}}, nil},
		{"ticket twice", web, setup{Config: wsauth.Config{Locations: []httpauth.Location{httpauth.LocationTicket, httpauth.LocationTicket}}}, []string{"Locations: must not list anything twice"}},
		{"prefix of paths without a slash", web, setup{Config: wsauth.Config{PathPrefix: "api"}}, []string{`PathPrefix = "api": expected a path that begins with a slash`}},
		{"prefix of paths with two", web, setup{Config: wsauth.Config{PathPrefix: "/api/"}}, []string{`PathPrefix = "/api/": expected a prefix that does not end with a slash`}},
		{"reject", web, setup{Config: wsauth.Config{Reject: "maybe"}}, []string{`Reject = "maybe": expected one of close, http`}},
		{"marker as subprotocol", web, setup{Config: wsauth.Config{Subprotocols: []string{"chat", wsauth.Marker}}}, []string{`Subprotocols[1] = "paseto.bearer": paseto.bearer is reserved`}},
		{"empty subprotocol", web, setup{Config: wsauth.Config{Subprotocols: []string{""}}}, []string{`Subprotocols[0] = ""`}},
		{"two subprotocols in one", web, setup{Config: wsauth.Config{Subprotocols: []string{"a, b"}}}, []string{`Subprotocols[0] = "a, b"`}},
		{"subprotocol with a line break", web, setup{Config: wsauth.Config{Subprotocols: []string{"a\r\nX: y"}}}, []string{`Subprotocols[0] = "a\r\nX: y"`}},
		{"subprotocol not ASCII", web, setup{Config: wsauth.Config{Subprotocols: []string{"plauderei-für-alle"}}}, []string{"Subprotocols"}},
		{"codes of its own", web, setup{Config: wsauth.Config{CloseCodeFor: map[paseto.Code]wsauth.CloseCode{
			paseto.ErrExpired: 1000, paseto.ErrRevoked: 1003, live.ErrShutdown: 1014, live.ErrSlow: 3000, "banned": 4999,
		}}}, nil},
		{"codes that no frame can carry", web, setup{Config: wsauth.Config{CloseCodeFor: map[paseto.Code]wsauth.CloseCode{
			paseto.ErrExpired: wsauth.CloseNoCode, paseto.ErrRevoked: 0, live.ErrShutdown: 1015, live.ErrSlow: 2999, "banned": 5000, paseto.ErrScope: 4403,
		}}}, []string{
			"CloseCodeFor[banned] = 5000: no close frame can carry this code; expected 1000 to 1003, 1007 to 1014, or 3000 to 4999",
			"CloseCodeFor[peer_slow] = 2999", "CloseCodeFor[shutting_down] = 1015", "CloseCodeFor[token_expired] = 1005", "CloseCodeFor[token_revoked] = 0",
		}},
		{"codes by an unknown name", web, setup{Config: wsauth.Config{CloseCodes: "graphql"}}, []string{`CloseCodes = "graphql": expected one of standard, private, graphql-ws`}},
		{"read limit", web, setup{Config: wsauth.Config{ReadLimit: -1}}, []string{"ReadLimit = -1: expected 1 to"}},
		{"write timeout", web, setup{Config: wsauth.Config{WriteTimeout: -1}}, []string{"WriteTimeout = -1ns: expected 1ms to"}},
		{"close timeout", web, setup{Config: wsauth.Config{CloseTimeout: -1}}, []string{"CloseTimeout = -1ns: expected 1ms to"}},
		{"message limits", web, setup{Config: wsauth.Config{ReadLimit: 1000, Messages: wsauth.MessageLimits{PerSecond: 1, Burst: 1, BytesPerSecond: 1, BytesBurst: 1014}}}, nil},
		{"message limits that wait", web, setup{Config: wsauth.Config{Messages: wsauth.MessageLimits{BytesPerSecond: 1, BytesBurst: 1, OnExcess: wsauth.MessageExcessWaits}}}, nil},
		{"message limits without a rate", web, setup{Config: wsauth.Config{Messages: wsauth.MessageLimits{Burst: 1, BytesPerSecond: paseto.NoLimit, BytesBurst: 1 << 20}}},
			[]string{"Messages.Burst = 1: needs Messages.PerSecond", "Messages.BytesBurst = 1048576: needs Messages.BytesPerSecond"}},
		{"message limits below one message", web, setup{Config: wsauth.Config{ReadLimit: 1000, Messages: wsauth.MessageLimits{BytesPerSecond: 1, BytesBurst: 1013}}},
			[]string{"Messages.BytesBurst = 1013: expected at least 1014, for a message of ReadLimit and the head of its frame; or Messages.OnExcess wait"}},
		{"everything at once", nil, setup{Config: wsauth.Config{
			Locations: []httpauth.Location{"json"}, Reject: "maybe", AllowedOrigins: []string{"*", "null"},
			Subprotocols: []string{"", "a b"}, ReadLimit: -1, WriteTimeout: -1, CloseTimeout: -1,
		}}, []string{
			"Web is nil", "Locations", "Reject", `AllowedOrigins[0] = "*"`, `AllowedOrigins[1] = "null"`,
			`Subprotocols[0] = ""`, `Subprotocols[1] = "a b"`, "ReadLimit", "WriteTimeout", "CloseTimeout",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard, err := wsauth.New(test.web, test.cfg.Config)
			if test.want == nil {
				if err != nil || guard == nil {
					t.Fatalf("a valid configuration is refused: %v", err)
				}
				return
			}
			if guard != nil || !errors.Is(err, paseto.ErrConfig) {
				t.Fatalf("error is %v, want one that wraps ErrConfig", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not name %s: %v", want, err)
				}
			}
			if lines := strings.Count(err.Error(), "\n") + 1; lines != len(test.want) {
				t.Errorf("error has %d lines, want one for each of the %d mistakes: %v", lines, len(test.want), err)
			}
		})
	}
}

// TestConfigIsCopied lets a program reuse its slices and its map.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	cfg := setup{Config: wsauth.Config{
		Locations:      []httpauth.Location{httpauth.LocationHeader},
		AllowedOrigins: []string{"https://app.example.com"},
		Subprotocols:   []string{"chat"},
		CloseCodeFor:   map[paseto.Code]wsauth.CloseCode{live.ErrClosed: 4000},
	}}
	guard := newGuard(t, auth, cfg)
	cfg.Locations[0], cfg.AllowedOrigins[0], cfg.Subprotocols[0] = httpauth.LocationQuery, "https://evil.org", "mail"
	cfg.CloseCodeFor[live.ErrClosed] = 4001
	srv := listen(t, guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
		_ = conn.WriteMessage(wsauth.TextMessage, []byte(conn.Subprotocol()))
	}))
	send := bearer(access(t, auth, paseto.Grant{})).and(header("Sec-Websocket-Protocol", "mail, chat"))
	ws := connect(t, srv, send.and(header("Origin", "https://app.example.com")))
	checkMessage(t, ws, "chat")
	checkClosed(t, ws, 4000, "")
	checkOrigin(t, srv, send.and(header("Origin", "https://evil.org")), false)
}

// TestRealm is the one of the Web.
func TestRealm(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}, web: httpauth.Config{Realm: "chat"}}
	guard := newGuard(t, newAuthorizer(t, paseto.Config{}), cfg)
	_, resp := dial(t, listen(t, guard.Require(paseto.Requirement{}, unreachable(t))), none())
	if got, want := resp.Header.Get("WWW-Authenticate"), `Bearer realm="chat"`; got != want {
		t.Errorf("challenge is %q, want %q", got, want)
	}
}
