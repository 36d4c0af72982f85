package wsauth_test

import (
	"cmp"
	"io"
	"strings"
	"testing"

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
	const nothing, foreign, malformed = "X: y", "Origin: https://evil.example", "Authorization: Bearer"
	limits := func(l wsauth.Limits) setup { return setup{Config: wsauth.Config{Limits: l}} }
	for _, test := range []struct {
		name   string
		cfg    setup
		source paseto.KeySource
		before func(*testing.T, stage)
		again  bool   // the same handshake was made before
		line   string // of its header; default: alice's token
		status int
		code   string
	}{
		{name: "shutting down", status: 503, code: "shutting_down", before: func(t *testing.T, s stage) {
			t.Helper()
			if err := s.guard.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "too many connections", cfg: setup{live: live.Config{MaxRights: 1}}, again: true, status: 503, code: "overloaded"},
		{name: "too many without a token yet", cfg: limits(wsauth.Limits{Pending: 1}), again: true, line: nothing, status: 503, code: "overloaded"},
		{name: "too many of them of the address", cfg: limits(wsauth.Limits{Pending: 2}), again: true, line: nothing, status: 429, code: "handshakes_limited"},
		{name: "too many handshakes", cfg: limits(wsauth.Limits{HandshakesPerMinute: 1}), again: true, status: 429, code: "handshakes_limited"},
		{name: "too many of another origin", cfg: limits(wsauth.Limits{HandshakesPerMinute: 1}), again: true, line: foreign, status: 429, code: "handshakes_limited"},
		{name: "too many failures", cfg: limits(wsauth.Limits{FailuresPerMinute: 1}), again: true, line: malformed, status: 429, code: "handshakes_limited"},
		{name: "too many of the subject", cfg: setup{live: live.Config{PerSubject: 1}}, again: true, status: 429, code: "connections_limited"},
		{name: "denylist away", before: func(_ *testing.T, s stage) { s.store.OnLook(down) }, status: 503, code: "denylist_unavailable"},
		{name: "keys away", source: unknowingKeys{}, line: "Authorization: Bearer " + foreignToken(t), status: 503, code: "keys_unavailable"},
	} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			if test.code == "connections_limited" && reject == wsauth.RejectClose {
				continue // which closes
			}
			t.Run(test.name+", "+string(reject), func(t *testing.T) {
				t.Parallel()
				s := stage{store: testdenylist.New(t)}
				s.auth = newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(s.store), paseto.WithKeySource(test.source))
				cfg := test.cfg
				cfg.Reject, cfg.Locations = reject, []httpauth.Location{httpauth.LocationHeader, httpauth.LocationMessage}
				s.guard = newGuard(t, s.auth, cfg)
				s.srv = listen(t, s.guard.Require(paseto.Requirement{}, greet))
				request := upgrade(cmp.Or(test.line, "Authorization: Bearer "+access(t, s.auth, paseto.Grant{Subject: "alice"})))
				if test.again {
					raw(t, s.srv, request)
				}
				if test.before != nil {
					test.before(t, s)
				}
				checkEnds(t, s, request, test.status, test.code)
			})
		}
	}
}

// checkEnds checks that a request over a connection that is to be kept is answered with a
// problem, and that the server then ends the connection.
func checkEnds(t *testing.T, s stage, request string, status int, code string) {
	t.Helper()
	_, resp, after := exchange(t, s.srv, request)
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
	if rest, err := io.ReadAll(after); err != nil || len(rest) > 0 {
		t.Errorf("after the answer come %q and %v, want the end", rest, err)
	}
}
