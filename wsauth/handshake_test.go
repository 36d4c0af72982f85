package wsauth_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestNotAHandshake tells the client of a request that is no handshake, or of another
// version or method, what would be one.
func TestNotAHandshake(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	valid := upgrade("Authorization: Bearer " + access(t, auth, paseto.Grant{}))
	without := func(line string) string { return strings.Replace(valid, line+"\r\n", "", 1) }
	replaced := func(old, now string) string { return strings.Replace(valid, old, now, 1) }
	required := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
	version := http.Header{"Sec-Websocket-Version": {"13"}}
	for _, test := range []struct {
		name    string
		request string
		status  int
		header  http.Header
	}{
		{"plain GET", "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", 426, required},
		{"POST", "POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 426, required},
		{"no Upgrade", without("Upgrade: websocket"), 426, required},
		{"no Connection", without("Connection: keep-alive, Upgrade"), 426, required},
		{"other Upgrade", replaced("Upgrade: websocket", "Upgrade: h2c"), 426, required},
		{"HTTP/1.0, where RFC 9110 has Upgrade ignored", replaced("HTTP/1.1", "HTTP/1.0"), 426, required},
		{"POST with Upgrade", replaced("GET", "POST"), 405, http.Header{"Allow": {"GET"}}},
		{"no version", without("Sec-WebSocket-Version: 13"), 400, version},
		{"other version", replaced("Version: 13", "Version: 8"), 400, version},
		{"other version, and refused", strings.Replace(upgrade(), "Version: 13", "Version: 8", 1), 400, version},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, unreachable(t)))
			_, resp := raw(t, srv, test.request)
			if test.status == http.StatusUpgradeRequired {
				checkProblem(t, resp, test.status, "upgrade_required", "Expected a WebSocket handshake")
			} else {
				checkProblem(t, resp, test.status, "handshake_invalid", "Bad WebSocket handshake")
			}
			for name, want := range test.header {
				if got := resp.Header.Get(name); got != want[0] {
					t.Errorf("%s is %q, want %q", name, got, want[0])
				}
			}
		})
	}
}

// brokenHandshakes are what a handshake must not be, as changes to a valid one.
var brokenHandshakes = []struct{ name, line, becomes, body string }{
	{"no key", nonceLine, "", ""},
	{"two keys", nonceLine, nonceLine + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", ""},
	{"one key twice", nonceLine, nonceLine + nonceLine, ""},
	{"keys in one line", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==\r\n", ""},
	{"key with stray bits", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", ""},
	{"key with spaces in it", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\t==\r\n", ""},
	{"key of another alphabet", nonceLine, "Sec-WebSocket-Key: ____________________-w==\r\n", ""},
	{"key without padding", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", ""},
	{"short key", nonceLine, "Sec-WebSocket-Key: c2hvcnQ=\r\n", ""},
	{"key of 17 bytes", nonceLine, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQE=\r\n", ""},
	{"two versions", versionLine, versionLine + "Sec-WebSocket-Version: 8\r\n", ""},
	{"one version twice", versionLine, versionLine + versionLine, ""},
	{"versions in one line", versionLine, "Sec-WebSocket-Version: 13, 13\r\n", ""},

	{"body", versionLine, versionLine + "Content-Length: 5\r\n", "hello"},
	{"body that does not come", versionLine, versionLine + "Content-Length: 5\r\n", ""},
	{"empty body in chunks", versionLine, versionLine + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"},

	{"byte before the answer", "", "", "\x81"},
	{"much before the answer", "", "", strings.Repeat("\x81\x85\x00\x00\x00\x00hello", 10_000)},
	{"request before the answer", "", "", "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n"},
}

const (
	nonceLine   = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	versionLine = "Sec-WebSocket-Version: 13\r\n"
)

// TestBrokenHandshake is refused before its token is looked at, so that no ticket is
// used up for it; and it leaves nothing behind.
func TestBrokenHandshake(t *testing.T) {
	t.Parallel()
	for _, test := range brokenHandshakes {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			t.Run(test.name+", reject "+string(reject), func(t *testing.T) {
				t.Parallel()
				auth := newAuthorizer(t, paseto.Config{})
				locations := []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket, httpauth.LocationMessage}
				guard := newGuard(t, auth, setup{
					Config: wsauth.Config{Reject: reject, Locations: locations, Limits: wsauth.Limits{Pending: 1}},
					live:   live.Config{MaxRights: 1, PerSubject: 1},
				})
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

// wrapped is a ResponseWriter of middleware, which cannot be hijacked itself
// and only says what it wraps.
type wrapped struct{ inner http.ResponseWriter }

func (w wrapped) Header() http.Header         { return w.inner.Header() }
func (w wrapped) Write(p []byte) (int, error) { return w.inner.Write(p) }
func (w wrapped) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w wrapped) Unwrap() http.ResponseWriter { return w.inner }

// through returns middleware that changes the ResponseWriter.
func through(wrap func(http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrap(w), r) })
	}
}

func TestBehindMiddleware(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	h := newGuard(t, auth, setup{}).Require(paseto.Requirement{}, echo)
	srv := listen(t, through(func(w http.ResponseWriter) http.ResponseWriter { return wrapped{wrapped{w}} })(h))
	checkEcho(t, connect(t, srv, bearer(access(t, auth, paseto.Grant{}))), "hello")
	checkClosed(t, connect(t, srv, none()), wsauth.ClosePolicyViolation, paseto.ErrNoToken.Message())
}

// hiding is what many middlewares put around a ResponseWriter: nobody gets at the
// connection behind it.
type hiding struct{ http.ResponseWriter }

// TestBehindHidingMiddleware: the log names what hides the connection, and what to do;
// no ticket is used up.
func TestBehindHidingMiddleware(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name       string
		middleware func(http.Handler) http.Handler
		logged     []string
	}{
		{"no Unwrap", through(func(w http.ResponseWriter) http.ResponseWriter { return hiding{w} }),
			[]string{"wsauth_test.hiding of package github.com/pasetokit/pasetokit/wsauth_test", "a method Unwrap() http.ResponseWriter", "outside of that middleware"}},
		{"no Unwrap behind one", through(func(w http.ResponseWriter) http.ResponseWriter { return wrapped{&hiding{w}} }),
			[]string{"*wsauth_test.hiding of package", "a method Unwrap() http.ResponseWriter"}},
		{"TimeoutHandler", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, patience, "") },
			[]string{"*http.timeoutWriter of package net/http", "http.TimeoutHandler cannot carry WebSockets: put the guard outside of it"}},
		{"recorder", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				w.WriteHeader(rec.Code)
			})
		}, []string{"*httptest.ResponseRecorder of package net/http/httptest", "test with httptest.NewServer"}},
		{"failing Hijack", through(func(w http.ResponseWriter) http.ResponseWriter { return broken{w} }),
			[]string{"wsauth_test.broken of package", "its method Hijack failed"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			logger, log := newLogger()
			h := newGuard(t, auth, setup{}, logger).Require(paseto.Requirement{}, echo)
			bought := ticket(ticketFor(t, auth, paseto.Grant{}))
			for _, send := range []handshake{bought, none()} {
				before := len(log.String())
				ws, resp := dial(t, listen(t, test.middleware(h)), send)
				if ws != nil || resp.StatusCode != http.StatusInternalServerError {
					t.Fatalf("the handshake is answered with %s, want 500", resp.Status)
				}
				line := log.String()[before:]
				for _, want := range append(test.logged, "level=ERROR", "cannot be taken over") {
					if !strings.Contains(line, want) {
						t.Errorf("the log lacks %q:\n%s", want, line)
					}
				}
			}
			checkEcho(t, connect(t, listen(t, h), bought), "hello")
		})
	}
}

// deaf is a connection that is gone when the handshake is answered.
type deaf struct{ http.ResponseWriter }

func (deaf) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, peer := net.Pipe()
	_, _ = conn.Close(), peer.Close()
	return conn, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)), nil
}

// TestUpgradeFails runs no handler, and leaves nothing behind that a shutdown would wait for.
func TestUpgradeFails(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name string
		in   httpauth.Location
		send handshake
	}{
		{"admitted", httpauth.LocationHeader, bearer(access(t, auth, paseto.Grant{}))},
		{"refused by a close", httpauth.LocationHeader, none()},
		{"without a token yet", httpauth.LocationMessage, none()},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := closable(t, auth, setup{})
			h := guard.Require(paseto.Requirement{}, unreachable(t), httpauth.WithLocations(test.in))
			for _, w := range []http.ResponseWriter{httptest.NewRecorder(), deaf{httptest.NewRecorder()}} { // the first cannot be taken over
				h.ServeHTTP(w, test.send.and(upgrading).request(t.Context()))
				if got := guard.Stats(); got != (wsauth.Stats{}) {
					t.Errorf("there are %+v left", got)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // so that it waits for nothing
			if err := guard.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown returns %v: the handshake has left something behind", err)
			}
		})
	}
}
