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

func TestConfigIsValid(t *testing.T) {
	t.Parallel()
	web := newWeb(t, newAuthorizer(t, paseto.Config{}), httpauth.Config{})
	for name, cfg := range map[string]wsauth.Config{
		"zero": {},
		"everything set": {
			Locations: everywhere, QueryKey: "t", QueryPrefix: "Bearer", TicketKey: "once", PathPrefix: "/api/v1",
			Reject: wsauth.RejectHTTP, AllowedOrigins: []string{"https://*.example.com"}, Subprotocols: []string{"chat.v1", "graphql-transport-ws"},
			CloseCodeFor: map[paseto.Code]wsauth.CloseCode{
				paseto.ErrExpired: 1000, paseto.ErrRevoked: 1003, live.ErrShutdown: 1014, live.ErrSlow: 3000, "banned": 4999,
			},
			ReadLimit: 1000, WriteTimeout: time.Millisecond, CloseTimeout: time.Millisecond,
			Messages: wsauth.MessageLimits{PerSecond: 1, Burst: 1, BytesPerSecond: 1, BytesBurst: 1014},
		},
		"one name where there are no tokens in the query": {QueryKey: "ticket"},
		"message limits that wait":                        {Messages: wsauth.MessageLimits{BytesPerSecond: 1, BytesBurst: 1, OnExcess: wsauth.MessageExcessWaits}},
	} {
		if _, err := wsauth.New(web, cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestConfigValidation names all mistakes at once, a line for each.
func TestConfigValidation(t *testing.T) {
	t.Parallel()
	web := newWeb(t, newAuthorizer(t, paseto.Config{}), httpauth.Config{})
	both := []httpauth.Location{httpauth.LocationQuery, httpauth.LocationTicket}
	for _, test := range []struct {
		web  *httpauth.Web
		cfg  wsauth.Config
		want []string
	}{
		{nil, wsauth.Config{}, []string{"the Web is nil; make one with httpauth.New"}},
		{web, wsauth.Config{Locations: both, QueryKey: "t", TicketKey: "t"}, []string{"must differ from QueryKey"}},
		{web, wsauth.Config{Locations: both, TicketKey: "token"}, []string{"must differ from QueryKey"}},
		{web, wsauth.Config{Locations: both, QueryKey: "ticket"}, []string{"must differ from QueryKey"}},
		{web, wsauth.Config{Locations: []httpauth.Location{httpauth.LocationTicket, httpauth.LocationTicket}}, []string{"Locations: must not list anything twice"}},
		{web, wsauth.Config{PathPrefix: "/api/"}, []string{`PathPrefix = "/api/": expected a prefix that does not end with a slash`}},
		{web, wsauth.Config{ReadLimit: 1000, Messages: wsauth.MessageLimits{BytesPerSecond: 1, BytesBurst: 1013}},
			[]string{"Messages.BytesBurst = 1013: expected at least 1014, for a message of ReadLimit and the head of its frame; or Messages.OnExcess wait"}},
		{nil, wsauth.Config{
			Locations: []httpauth.Location{"json", "body"}, Reject: "maybe", AllowedOrigins: []string{"*", "null"}, PathPrefix: "api",
			Subprotocols: []string{"chat", wsauth.Marker, "", "a, b", "a\r\nX: y", "für-alle"},
			CloseCodes:   "graphql", CloseCodeFor: map[paseto.Code]wsauth.CloseCode{
				paseto.ErrExpired: wsauth.CloseNoCode, paseto.ErrRevoked: 0, live.ErrShutdown: 1015, live.ErrSlow: 2999, "banned": 5000, paseto.ErrScope: 4403,
			},
			ReadLimit: -1, WriteTimeout: -1, CloseTimeout: -1, Messages: wsauth.MessageLimits{Burst: 1, BytesPerSecond: paseto.NoLimit, BytesBurst: 1 << 20},
		}, []string{
			"the Web is nil", `Reject = "maybe": expected one of close, http`, `AllowedOrigins[0] = "*"`, `AllowedOrigins[1] = "null"`,
			`Locations[0] = "json": json token location is not supported for WebSocket connections`,
			`Locations[1] = "body": unknown token location "body"; expected one of header, query, cookie, subprotocol, ticket, message`,
			`PathPrefix = "api": expected a path that begins with a slash`,
			`Subprotocols[1] = "paseto.bearer": paseto.bearer is reserved`, `Subprotocols[2] = ""`, `Subprotocols[3] = "a, b"`,
			`Subprotocols[4] = "a\r\nX: y"`, `Subprotocols[5] = "für-alle"`,
			`CloseCodes = "graphql": expected one of standard, private, graphql-ws`,
			"CloseCodeFor[banned] = 5000: no close frame can carry this code; expected 1000 to 1003, 1007 to 1014, or 3000 to 4999",
			"CloseCodeFor[peer_slow] = 2999", "CloseCodeFor[shutting_down] = 1015", "CloseCodeFor[token_expired] = 1005", "CloseCodeFor[token_revoked] = 0",
			"ReadLimit = -1: expected 1 to", "WriteTimeout = -1ns: expected 1ms to", "CloseTimeout = -1ns: expected 1ms to",
			"Messages.Burst = 1: needs Messages.PerSecond", "Messages.BytesBurst = 1048576: needs Messages.BytesPerSecond",
		}},
	} {
		guard, err := wsauth.New(test.web, test.cfg)
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
	}
}

// TestConfigIsCopied lets a program reuse its slices and its map.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	cfg := wsauth.Config{
		Locations:      []httpauth.Location{httpauth.LocationHeader},
		AllowedOrigins: []string{"https://app.example.com"},
		Subprotocols:   []string{"chat"},
		CloseCodeFor:   map[paseto.Code]wsauth.CloseCode{live.ErrClosed: 4000},
	}
	guard := newGuard(t, auth, setup{Config: cfg})
	cfg.Locations[0], cfg.AllowedOrigins[0], cfg.Subprotocols[0] = httpauth.LocationQuery, "https://evil.org", "mail"
	cfg.CloseCodeFor[live.ErrClosed] = 4001
	srv := listen(t, guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
		_ = conn.WriteMessage(wsauth.TextMessage, []byte(conn.Subprotocol()))
	}))
	send := bearer(access(t, auth, paseto.Grant{})).and(header("Sec-Websocket-Protocol", "mail, chat"))
	ws := connect(t, srv, send.and(header("Origin", "https://app.example.com")))
	checkMessage(t, ws, "chat")
	checkClosed(t, ws, 4000, "")
	checkRefused(t, srv, send.and(header("Origin", "https://evil.org")), wsauth.ErrOrigin)
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
