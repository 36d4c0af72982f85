package httpauth_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// shareOfLog is how many lines of one kind a client address causes in a minute.
const shareOfLog = 20

// exchange sends a request over a connection of its own, and returns the answer and the
// connection. It does not wait for the server to end it.
func exchange(t *testing.T, srv *httptest.Server, request string) (*http.Response, net.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // reached only by a test that fails
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp, conn
}

// TestLogOfLongRequests is short, and shows no character that a terminal would obey.
func TestLogOfLongRequests(t *testing.T) {
	t.Parallel()
	const size = 900_000
	long := func(s string) string { return strings.Repeat(s, size/len(s)) }
	ask := func(line string, headers ...string) string {
		return line + " HTTP/1.1\r\n" + strings.Join(append([]string{"Host: h"}, headers...), "\r\n") + "\r\n\r\n"
	}
	for _, test := range []struct{ name, request string }{
		{"path", ask("GET /" + long("a"))},
		{"path of escapes", ask("GET /" + long("%1b%5b2J%ff%e2%80%ae"))},
		{"method", ask(long("A") + " /")},
		{"method of an endpoint", ask(long("A") + " /login")},
		{"query", ask("GET /?" + long("%00"))},
		{"token", ask("GET /", "Authorization: Bearer "+long("v"))},
		{"scheme", ask("GET /", "Authorization: "+long("v"))},
		{"origin", ask("POST /login", "Origin: "+long("o"), "Sec-Fetch-Site: "+long("s")[:1000], "Content-Length: 0")},
		{"media type", ask("POST /login", "Content-Type: "+long("o"), "Content-Length: 1") + "x"},
		{"forwarded for", ask("GET /", "X-Forwarded-For: "+long("f"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie}, TrustedProxies: []string{"127.0.0.1"}}
			s := newSite(t, setup{web: cfg})
			mux := http.NewServeMux()
			mux.Handle("/login", s.web.Login(accept))
			mux.Handle("/", s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
			srv := httptest.NewServer(mux)
			t.Cleanup(srv.Close)
			resp, _ := exchange(t, srv, test.request) //nolint:bodyclose // Closed there.
			if resp.StatusCode < http.StatusBadRequest {
				t.Fatalf("status is %s", resp.Status)
			}
			logged := s.log.String()
			if logged == "" || len(logged) > 3000 || strings.Count(logged, "\n") != 1 || strings.ContainsAny(logged, "\x1b\u202e\x00") {
				t.Errorf("%d bytes are logged: %.4000s", len(logged), logged)
			}
		})
	}
}

// TestLogOfFloods has a bounded number of lines of one address in a minute, and then one
// that says how many were left out; other addresses are still seen.
func TestLogOfFloods(t *testing.T) {
	t.Parallel()
	const times = 1000
	for _, test := range []struct {
		name  string
		store bool // the denylist is away
		send  func(*testing.T, *site, part)
		level string
	}{
		{"no token", false, func(t *testing.T, s *site, from part) {
			t.Helper()
			get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), from)
		}, "INFO"},
		{"wrong method", false, func(t *testing.T, s *site, from part) {
			t.Helper()
			get(t, s.web.Refresh(), from)
		}, "INFO"},
		{"wrong password", false, func(t *testing.T, s *site, from part) {
			t.Helper()
			post(t, s.web.Login(failing(httpauth.ErrCredentials)), from, body(asForm, "username=a&password=b"))
		}, "INFO"},
		{"denylist away", true, func(t *testing.T, s *site, from part) {
			t.Helper()
			get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), from, bearer(s.access(t, paseto.Grant{})))
		}, "ERROR"},
		{"failure of the server", false, func(t *testing.T, s *site, from part) {
			t.Helper()
			post(t, s.web.Login(failing(errors.New("database is away"))), from, body(asForm, "username=a&password=b"))
		}, "ERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			from := func(address string) part { return func(r *http.Request) { r.RemoteAddr = address } }
			var given setup
			if test.store {
				given.store = closedStore()
			}
			s := newSite(t, given)
			for n := range times {
				test.send(t, s, from(fmt.Sprintf("[2001:db8::%x]:1", n)))
			}
			if lines := strings.Count(s.log.String(), "\n"); lines != shareOfLog {
				t.Errorf("there are %d lines, want %d", lines, shareOfLog)
			}
			test.send(t, s, from("192.0.2.2:1"))
			s.clock.Advance(time.Minute)
			test.send(t, s, from("192.0.2.2:2"))
			text := s.log.String()
			want := fmt.Sprintf(`level=%s msg="lines left out" of="request refused" lines=%d client=2001:db8::/64`, test.level, times-shareOfLog)
			if strings.Count(text, "\n") != shareOfLog+3 || strings.Count(text, want) != 1 || strings.Count(text, "remote=192.0.2.2") != 2 {
				t.Errorf("the log ends with\n%s, want %s", text[max(0, len(text)-1000):], want)
			}
		})
	}
}

// TestErrorLog bounds what a server says of its clients, and tells where a handler
// panicked.
func TestErrorLog(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("oh dear\x1b[2J" + strings.Repeat("\xff", 100_000))
	}))
	srv.Config.ErrorLog = httpauth.ErrorLog(slog.New(slog.NewTextHandler(log, nil)))
	srv.StartTLS()
	for range shareOfLog + 5 {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n") // is no TLS
		_, _ = io.Copy(io.Discard, conn)                      // until the server has had enough of it
		_ = conn.Close()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, strings.NewReader("x")) // which no client sends again
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := srv.Client().Do(req); err == nil {
			_ = resp.Body.Close()
			t.Fatalf("the answer is %s", resp.Status)
		}
	}
	srv.Close() // and wait for what it has to say
	text := log.String()
	for _, msg := range []string{`level=WARN msg="HTTP server" err="http: TLS handshake error from 127.0.0.1:`, `level=WARN msg="HTTP handler panicked" err="http`} {
		if lines := strings.Count(text, msg); lines != shareOfLog {
			t.Errorf("there are %d lines with %s, want %d", lines, msg, shareOfLog)
		}
	}
	if most := shareOfLog * 12_000; len(text) > most || strings.ContainsRune(text, '\x1b') {
		t.Errorf("%d bytes are logged, want at most %d", len(text), most)
	}
	if !strings.Contains(text, "oh dear") || !strings.Contains(text, "TestErrorLog") {
		t.Errorf("the log does not say what panicked, and where: %.2000s", text)
	}
	httpauth.ErrorLog(nil).Print("nothing is logged")
}
