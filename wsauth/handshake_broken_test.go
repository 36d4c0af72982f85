package wsauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	nonceLine   = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	versionLine = "Sec-WebSocket-Version: 13\r\n"
)

// brokenHandshakes are what a handshake must not be, as changes to a valid one.
var brokenHandshakes = []struct{ name, line, becomes, body string }{
	{"two keys", nonceLine, nonceLine + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", ""},
	{"one key twice", nonceLine, nonceLine + nonceLine, ""},
	{"keys in one line", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==\r\n", ""},
	{"key with stray bits", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", ""},
	{"key with a space in it", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ==\r\n", ""},
	{"key with spaces after it", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\t==\r\n", ""},
	{"key of another alphabet", nonceLine, "Sec-WebSocket-Key: ____________________-w==\r\n", ""},
	{"key without padding", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", ""},
	{"key of 17 bytes", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQE=\r\n", ""},
	{"empty key", nonceLine, "Sec-WebSocket-Key:\r\n", ""},
	{"two versions", versionLine, versionLine + "Sec-WebSocket-Version: 8\r\n", ""},
	{"one version twice", versionLine, versionLine + versionLine, ""},
	{"versions in one line", versionLine, "Sec-WebSocket-Version: 13, 13\r\n", ""},

	{"body", versionLine, versionLine + "Content-Length: 5\r\n", "hello"},
	{"body that does not come", versionLine, versionLine + "Content-Length: 5\r\n", ""},
	{"body in chunks", versionLine, versionLine + "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"},
	{"empty body in chunks", versionLine, versionLine + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"},

	{"frame before the answer", "", "", "\x81\x85\x00\x00\x00\x00hello"},
	{"byte before the answer", "", "", "\x81"},
	{"much before the answer", "", "", strings.Repeat("\x81\x85\x00\x00\x00\x00hello", 10_000)},
	{"request before the answer", "", "", "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n"},
}

// TestBrokenHandshake is refused before its token is looked at, so that no ticket is
// used up for it; and it leaves nothing behind.
func TestBrokenHandshake(t *testing.T) {
	t.Parallel()
	for _, test := range brokenHandshakes {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			t.Run(test.name+", reject "+string(reject), func(t *testing.T) {
				t.Parallel()
				auth := newAuthorizer(t, paseto.Config{})
				guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: reject, Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket, httpauth.LocationMessage}, Limits: wsauth.Limits{Pending: 1}}, live: live.Config{MaxRights: 1, PerSubject: 1}})
				srv := listen(t, guard.Require(paseto.Requirement{}, echo))
				bought := ticket(ticketFor(t, auth, paseto.Grant{Subject: "alice"}))
				lines := map[string]string{
					"ticket": "", "token": "Authorization: Bearer " + access(t, auth, paseto.Grant{Subject: "alice"}), "message": "",
				}
				for carrier, line := range lines {
					request := strings.Replace(upgrade(line), test.line, test.becomes, 1)
					request = strings.Replace(request, "\r\n\r\n\r\n", "\r\n\r\n", 1) + test.body
					if carrier == "ticket" {
						request = strings.Replace(request, "/ws", "/ws?"+bought.query, 1)
					}
					head, resp := raw(t, srv, request)
					if resp.StatusCode != http.StatusBadRequest {
						t.Fatalf("%s is answered with\n%s", carrier, head)
					}
					checkProblem(t, resp, http.StatusBadRequest, "handshake_invalid", "Bad WebSocket handshake")
				}
				checkEcho(t, connect(t, srv, bought), "hello") // there is one place
			})
		}
	}
}

// TestEarlyDataIsRefusedFirst, where the token would be refused as well by a close, and
// it counts as a failure of its address.
func TestEarlyDataIsRefusedFirst(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{Limits: wsauth.Limits{FailuresPerMinute: 1}}})
	srv := listen(t, guard.Require(paseto.Requirement{}, unreachable(t)))
	_, resp := raw(t, srv, upgrade("Authorization: Bearer nonsense")+"\x81\x80\x00\x00\x00\x00")
	checkProblem(t, resp, http.StatusBadRequest, "handshake_invalid", "Bad WebSocket handshake")
	if resp.Header.Get("Date") == "" || !resp.Close {
		t.Errorf("the answer has the header %v; expected a Date and Connection: close", resp.Header)
	}
	_, resp = raw(t, srv, upgrade())
	checkProblem(t, resp, http.StatusTooManyRequests, "handshakes_limited", "Too many handshakes from this address")
}

// TestBrokenHandshakeReplacesNobody: it does not close the oldest connection of its
// subject.
func TestBrokenHandshakeReplacesNobody(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{live: live.Config{PerSubject: 1, OnExcess: live.ReplaceOldest}}).Require(paseto.Requirement{}, echo))
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	ws := connect(t, srv, bearer(token))
	checkEcho(t, ws, "hello")
	_, resp := raw(t, srv, upgrade("Authorization: Bearer "+token)+"\x81\x80\x00\x00\x00\x00")
	checkProblem(t, resp, http.StatusBadRequest, "handshake_invalid", "Bad WebSocket handshake")
	checkEcho(t, ws, "still here")
}

// TestUnusualHandshake is one all the same: RFC 9110 lets lists be written in several
// lines, and a body of no bytes is none.
func TestUnusualHandshake(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, echo))
	for _, test := range []struct{ name, old, now string }{
		{"no bytes of a body", "Host:", "Content-Length: 0\r\nHost:"},
		{"Connection in two lines", "Connection: keep-alive, Upgrade", "Connection: keep-alive\r\nConnection: upgrade"},
		{"Upgrade in two lines", "Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: WebSocket"},
		{"Upgrade with a choice", "Upgrade: websocket", "Upgrade: websocket, h2c"},
		{"spaces around the key", "dGhlIHNhbXBsZSBub25jZQ==", "  dGhlIHNhbXBsZSBub25jZQ==\t"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := strings.Replace(upgrade("Authorization: Bearer "+access(t, auth, paseto.Grant{})), test.old, test.now, 1)
			if head, resp := raw(t, srv, request); resp.StatusCode != http.StatusSwitchingProtocols {
				t.Errorf("it is answered with\n%s", head)
			}
		})
	}
}

// handshakeRequest is a valid handshake with a ticket.
func handshakeRequest(ctx context.Context, ticket handshake) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/ws?"+ticket.query, nil)
	r.Header = header("Connection", "Upgrade").and(header("Upgrade", "websocket")).and(header("Sec-Websocket-Version", "13")).
		and(header("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")).header
	return r
}

// TestServerWithoutRoomUsesNoTicketUp: nor one whose connections cannot be taken over.
func TestServerWithoutRoomUsesNoTicketUp(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{live: live.Config{MaxRights: 1}})
	h := guard.Require(paseto.Requirement{}, echo)
	srv := listen(t, h)
	bought := ticket(ticketFor(t, auth, paseto.Grant{}))

	w := httptest.NewRecorder() // which is no http.Hijacker
	h.ServeHTTP(w, handshakeRequest(t.Context(), bought))
	checkProblem(t, w.Result(), http.StatusInternalServerError, "server_error", "The server could not answer the request")

	ws := connect(t, srv, bearer(access(t, auth, paseto.Grant{})))
	refused, resp := dial(t, srv, bought)
	if refused != nil {
		t.Fatal("the handshake succeeded")
	}
	checkProblem(t, resp, http.StatusServiceUnavailable, "overloaded", "Server has too many connections")
	_ = ws.Close()
	until(t, "the place is free", func() bool { return guard.Stats().Connections == 0 })
	checkEcho(t, connect(t, srv, bought), "hello")
}

// TestAuthenticateOfABrokenHandshake uses no ticket up.
func TestAuthenticateOfABrokenHandshake(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{})
	bought := ticket(ticketFor(t, auth, paseto.Grant{}))
	broken := handshakeRequest(t.Context(), bought)
	broken.Header.Add("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	if claims, err := guard.Authenticate(broken, paseto.Requirement{}); claims != nil || err == nil {
		t.Errorf("a broken handshake gives %v, %v", claims, err)
	}
	if _, err := guard.Authenticate(handshakeRequest(t.Context(), bought), paseto.Requirement{}); err != nil {
		t.Error(err)
	}
}
