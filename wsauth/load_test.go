package wsauth_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestRefusalsForLoad end the HTTP connection, whatever is configured: a client that is
// refused is to cost less than one that is admitted.
func TestRefusalsForLoad(t *testing.T) {
	t.Parallel()
	mine := func(h handshake) func(*testing.T, stage) string {
		return func(*testing.T, stage) string { return upgrade(lines(h)...) }
	}
	foreign := mine(header("Origin", "https://evil.example"))
	alice := func(before func(*testing.T, stage, handshake)) func(*testing.T, stage) string {
		return func(t *testing.T, s stage) string {
			t.Helper()
			h := bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))
			before(t, s, h)
			return upgrade(lines(h)...)
		}
	}
	another := alice(func(t *testing.T, s stage, h handshake) {
		t.Helper()
		checkMessage(t, connect(t, s.srv, h), "hello")
	})
	pending := func(t *testing.T, s stage) string {
		t.Helper()
		connect(t, s.srv, none())
		return upgrade()
	}
	for _, test := range []struct {
		name   string
		reject wsauth.Reject // default: both
		limits setup
		source paseto.KeySource
		send   func(*testing.T, stage) string
		status int
		code   string
	}{
		{"shutting down", "", setup{}, nil, alice(func(t *testing.T, s stage, _ handshake) {
			t.Helper()
			if err := s.guard.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
		}), 503, "shutting_down"},
		{"too many connections", "", setup{live: live.Config{MaxRights: 1}}, nil, another, 503, "overloaded"},
		{"too many without a token yet", "", setup{Config: wsauth.Config{Limits: wsauth.Limits{Pending: 1}}}, nil, pending, 503, "overloaded"},
		{"too many of them of the address", "", setup{Config: wsauth.Config{Limits: wsauth.Limits{Pending: 2}}}, nil, pending, 429, "handshakes_limited"},
		{"too many handshakes", "", setup{Config: wsauth.Config{Limits: wsauth.Limits{HandshakesPerMinute: 1}}}, nil, another, 429, "handshakes_limited"},
		{"too many of another origin", "", setup{Config: wsauth.Config{Limits: wsauth.Limits{HandshakesPerMinute: 1}}}, nil, func(t *testing.T, s stage) string {
			t.Helper()
			raw(t, s.srv, foreign(t, s))
			return foreign(t, s)
		}, 429, "handshakes_limited"},
		{"too many failures", "", setup{Config: wsauth.Config{Limits: wsauth.Limits{FailuresPerMinute: 1}}}, nil, func(t *testing.T, s stage) string {
			t.Helper()
			raw(t, s.srv, upgrade("Authorization: Bearer"))
			return upgrade()
		}, 429, "handshakes_limited"},
		{"too many of the subject", wsauth.RejectHTTP, setup{live: live.Config{PerSubject: 1}}, nil, another, 429, "connections_limited"},
		{"denylist away", "", setup{}, nil, alice(func(_ *testing.T, s stage, _ handshake) { s.store.OnLook(down) }), 503, "denylist_unavailable"},
		{"keys away", "", setup{}, unknowingKeys{}, func(t *testing.T, _ stage) string {
			t.Helper()
			return upgrade("Authorization: Bearer " + foreignToken(t))
		}, 503, "keys_unavailable"},
	} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			if test.reject != "" && reject != test.reject {
				continue
			}
			t.Run(test.name+", "+string(reject), func(t *testing.T) {
				t.Parallel()
				s := stage{store: testdenylist.New(t)}
				opts := []paseto.Option{paseto.WithDenylist(s.store)}
				if test.source != nil {
					opts = append(opts, paseto.WithKeySource(test.source))
				}
				s.auth = newAuthorizer(t, paseto.Config{}, opts...)
				cfg := test.limits
				cfg.Reject, cfg.Locations = reject, []httpauth.Location{httpauth.LocationHeader, httpauth.LocationMessage}
				s.guard = newGuard(t, s.auth, cfg)
				s.srv = listen(t, s.guard.Require(paseto.Requirement{}, greet))
				checkEnds(t, s.srv, test.send(t, s), test.status, test.code)
			})
		}
	}
}

// lines returns the headers of a handshake.
func lines(h handshake) []string {
	var all []string
	for name, values := range h.header {
		for _, value := range values {
			all = append(all, name+": "+value)
		}
	}
	return all
}

// checkEnds checks that a request over a connection that is to be kept is answered with a
// problem, and that the server then ends the connection.
func checkEnds(t *testing.T, srv *httptest.Server, request string, status int, code string) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if err := send(conn, request); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !strings.Contains(string(body), code) {
		t.Fatalf("the answer is %s %s (%v), want %d %s", resp.Status, body, err, status, code)
	}
	if resp.Header.Get("Retry-After") == "" && code != "connections_limited" {
		t.Error("there is no Retry-After")
	}
	if !resp.Close {
		t.Fatalf("the connection is kept: %v", resp.Header)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("after the answer come %q and %v, want the end", rest, err)
	}
}
