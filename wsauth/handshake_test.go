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
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestNotAHandshake answers requests that are no handshake, or a broken one,
// over HTTP and tells the client what would be one.
func TestNotAHandshake(t *testing.T) {
	t.Parallel()
	const (
		required = "upgrade_required"
		invalid  = "handshake_invalid"
		expected = "Expected a WebSocket handshake"
		bad      = "Bad WebSocket handshake"
	)
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	valid := upgrade("Authorization: Bearer " + token)
	without := func(line string) string { return strings.Replace(valid, line+"\r\n", "", 1) }
	replaced := func(old, now string) string { return strings.Replace(valid, old, now, 1) }
	for _, test := range []struct {
		name    string
		request string
		status  int
		code    paseto.Code
		detail  string
		header  http.Header
	}{
		{"plain GET", "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n", 426, required, expected,
			http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}},
		{"GET with a token", "GET /ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\n\r\n", 426, required, expected,
			http.Header{"Upgrade": {"websocket"}}},
		{"POST", "POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 426, required, expected, nil},
		{"no Upgrade", without("Upgrade: websocket"), 426, required, expected, nil},
		{"no Connection", without("Connection: keep-alive, Upgrade"), 426, required, expected, nil},
		{"other Upgrade", replaced("Upgrade: websocket", "Upgrade: h2c"), 426, required, expected, nil},
		// RFC 9110, section 7.8: an Upgrade in an HTTP/1.0 request is ignored.
		{"HTTP/1.0", replaced("HTTP/1.1", "HTTP/1.0"), 426, required, expected, nil},
		{"POST with Upgrade", replaced("GET", "POST"), 405, invalid, bad, http.Header{"Allow": {"GET"}}},
		{"no version", without("Sec-WebSocket-Version: 13"), 400, invalid, bad, http.Header{"Sec-Websocket-Version": {"13"}}},
		{"other version", replaced("Version: 13", "Version: 8"), 400, invalid, bad, http.Header{"Sec-Websocket-Version": {"13"}}},
		{"no key", without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400, invalid, bad, nil},
		{"short key", replaced("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400, invalid, bad, nil},
		{"key not base64", replaced("dGhlIHNhbXBsZSBub25jZQ==", "not!base64!not!base64!=="), 400, invalid, bad, nil},
		{"broken and refused", strings.Replace(upgrade(), "Version: 13", "Version: 8", 1), 400, invalid, bad,
			http.Header{"Sec-Websocket-Version": {"13"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, unreachable(t)))
			_, resp := raw(t, srv, test.request)
			checkProblem(t, resp, test.status, test.code, test.detail)
			for name, want := range test.header {
				if got := resp.Header.Get(name); got != want[0] {
					t.Errorf("%s is %q, want %q", name, got, want[0])
				}
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

func TestBehindMiddleware(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	h := newGuard(t, auth, setup{}).Require(paseto.Requirement{}, echo)
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(wrapped{wrapped{w}}, r)
	}))
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
		{"no Unwrap", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(hiding{w}, r) })
		}, []string{"wsauth_test.hiding of package github.com/pasetokit/pasetokit/wsauth_test", "a method Unwrap() http.ResponseWriter", "outside of that middleware"}},
		{"no Unwrap behind one", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(wrapped{&hiding{w}}, r) })
		}, []string{"*wsauth_test.hiding of package", "a method Unwrap() http.ResponseWriter"}},
		{"TimeoutHandler", func(h http.Handler) http.Handler { return http.TimeoutHandler(h, patience, "") },
			[]string{"*http.timeoutWriter of package net/http", "http.TimeoutHandler cannot carry WebSockets: put the guard outside of it"}},
		{"recorder", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				w.WriteHeader(rec.Code)
			})
		}, []string{"*httptest.ResponseRecorder of package net/http/httptest", "test with httptest.NewServer"}},
		{"failing Hijack", func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(broken{w}, r) })
		}, []string{"wsauth_test.broken of package", "its method Hijack failed"}},
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

func (d deaf) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(d.ResponseWriter).Hijack()
	if err == nil {
		_ = conn.Close()
	}
	return conn, rw, err
}

// TestUpgradeFails runs no handler, and leaves nothing behind that a shutdown
// would wait for.
func TestUpgradeFails(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	guarded := func(t *testing.T) (http.Handler, *wsauth.Guard) {
		t.Helper()
		guard := closable(t, auth, setup{})
		h := guard.Require(paseto.Requirement{}, unreachable(t))
		return h, guard
	}
	checkNothingLeft := func(t *testing.T, guard *wsauth.Guard) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so that it waits for nothing
		if err := guard.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown returns %v: the handshake has left something behind", err)
		}
	}
	for _, test := range []struct {
		name string
		send handshake
	}{{"admitted", bearer(token)}, {"refused", none()}} {
		t.Run(test.name+", no hijacking", func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws", nil)
			r.Header = header("Connection", "Upgrade").and(header("Upgrade", "websocket")).and(header("Sec-Websocket-Version", "13")).
				and(header("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")).and(test.send).header
			w := httptest.NewRecorder()
			h, guard := guarded(t)
			h.ServeHTTP(w, r)
			checkNothingLeft(t, guard)
			if w.Code != http.StatusInternalServerError {
				t.Errorf("status is %d, want 500", w.Code)
			}
		})
		t.Run(test.name+", connection gone", func(t *testing.T) {
			t.Parallel()
			answered := make(chan struct{})
			h, guard := guarded(t)
			srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(answered)
				h.ServeHTTP(deaf{w}, r)
			}))
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			lines := []string{}
			for name, values := range test.send.header {
				lines = append(lines, name+": "+values[0])
			}
			if _, err := conn.Write([]byte(upgrade(lines...))); err != nil {
				t.Fatal(err)
			}
			wait(t, answered, "the handler")
			checkNothingLeft(t, guard)
		})
	}
}
