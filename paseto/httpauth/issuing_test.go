package httpauth_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestEndpointsThatCannotIssue belong to a service that only verifies. They say so, to
// clients and once in the log, before they look at a password or a token.
func TestEndpointsThatCannotIssue(t *testing.T) {
	t.Parallel()
	noTokens := problem{status: http.StatusNotImplemented, code: "issuing_unsupported",
		detail: "This server only verifies tokens. Go to the one that issues them"}
	noTickets := problem{status: http.StatusNotImplemented, code: "tickets_unsupported", detail: "This server cannot issue tickets"}
	from := newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{theirs}, Purpose: paseto.Public}})
	access, refresh := from.pair(t)
	for _, test := range []struct {
		name    string
		handler func(*httpauth.Web, httpauth.LoginFunc) http.Handler
		send    part
		want    problem
	}{
		{"login", (*httpauth.Web).Login, body(asForm, passwordForm), noTokens},
		{"refresh", func(web *httpauth.Web, _ httpauth.LoginFunc) http.Handler { return web.Refresh() }, bearer(refresh), noTokens},
		{"ticket", func(web *httpauth.Web, _ httpauth.LoginFunc) http.Handler { return web.Ticket() }, bearer(access), noTickets},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{must(theirs.PublicKey())}, Purpose: paseto.Public}})
			var logins atomic.Int32
			login := func(context.Context, httpauth.Credentials) (paseto.Grant, error) {
				logins.Add(1)
				return paseto.Grant{Subject: "alice"}, nil
			}
			handler := test.handler(s.web, login)
			checkOK(t, get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(access)), "alice")
			if log := s.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "endpoint="+test.name) {
				t.Errorf("logged is %s", log)
			}
			for range 2 {
				checkProblem(t, post(t, handler, test.send), test.want)
			}
			if n := strings.Count(s.log.String(), "level=WARN"); n != 1 {
				t.Errorf("there are %d warnings, want 1", n)
			}
			if logins.Load() != 0 {
				t.Error("the login function ran")
			}
			if a := get(t, handler); a.status != http.StatusMethodNotAllowed {
				t.Errorf("GET is answered with %d", a.status)
			}
			// Keys may be replaced while the endpoint is at work.
			if err := s.auth.SetKeys(theirs); err != nil {
				t.Fatal(err)
			}
			if a := post(t, handler, test.send); a.status != http.StatusOK {
				t.Errorf("with a key that issues the answer is %d %s", a.status, a.body)
			}
		})
	}
}

// TestNoKeyForTheVersion has a key that issues, of another version than the configured
// one, which a grant may ask for.
func TestNoKeyForTheVersion(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{secretKey}, Purpose: paseto.Local}})
	checkProblem(t, post(t, s.web.Login(granting(paseto.Grant{Subject: "alice"})), body(asForm, passwordForm)), problem{
		status: http.StatusNotImplemented, code: "issuing_unsupported",
		detail: "This server only verifies tokens. Go to the one that issues them",
	})
	tokens(t, post(t, s.web.Login(granting(paseto.Grant{Subject: "alice", Purpose: paseto.Public})), body(asForm, passwordForm)))
}
