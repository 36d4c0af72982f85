package httpauth_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestRenew renews what a session has open, and nothing else: the streams of another
// session, and of a route for which the newer token does not suffice, end with their token.
func TestRenew(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie}}})
	stream := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = httpauth.Events(r) // which the end may overtake
		<-r.Context().Done()
	})
	mux := http.NewServeMux()
	mux.Handle("GET /", s.web.Stream(paseto.Requirement{}, stream))
	mux.Handle("GET /fresh", s.web.Stream(paseto.Requirement{Fresh: true}, stream))
	site := serveStream(t, s, "HTTP/2", mux)
	open := func(path, token string) *reader {
		res := site.open(cookie(s.web.Config().AccessCookieName(), token), func(r *http.Request) { r.URL.Path = path })
		return newReader(res.body)
	}
	login := func() paseto.Pair { return must(s.auth.IssuePair(paseto.Grant{Subject: "alice", Fresh: true})) }
	session, other := login(), login()
	token := session.Access.Token.Reveal()
	kept := []*reader{open("/", token), open("/", token)}
	ended := []*reader{open("/fresh", token), open("/", other.Access.Token.Reveal())}

	s.clock.Advance(time.Minute)
	next := must(s.auth.Refresh(t.Context(), session.Refresh.Token.Reveal(), paseto.Requirement{}))
	asCookie := cookie(s.web.Config().AccessCookieName(), next.Access.Token.Reveal())
	renew := s.web.Renew()
	foreign := post(t, renew, asCookie, header("Origin", "https://evil.example"))
	if foreign.status != http.StatusForbidden {
		t.Errorf("a page of another origin is answered with %d", foreign.status)
	}
	a := post(t, renew, asCookie)
	var got httpauth.Renewal
	if err := json.Unmarshal([]byte(a.body), &got); a.status != http.StatusOK || err != nil {
		t.Fatalf("the answer is %d %s", a.status, a.body)
	}
	expires := s.auth.Deadline(next.Access.Claims)
	if got.Renewed != 2 || got.ExpiresAt == nil || !got.ExpiresAt.Equal(expires) || got.ExpiresIn == nil || *got.ExpiresIn != int64(expires.Sub(s.clock.Now())/time.Second) {
		t.Errorf("the answer is %s, want 2 renewed until %s", a.body, expires)
	}

	s.clock.Set(s.auth.Deadline(session.Access.Claims))
	if err := s.web.Keeper().Recheck(t.Context()); err != nil {
		t.Error(err)
	}
	for _, events := range ended {
		if _, said := events.last(t); said.Code != paseto.ErrExpired {
			t.Errorf("a stream that was not renewed ends with %s", said.Code)
		}
	}
	if open := s.web.Keeper().Stats().Open; open != len(kept) {
		t.Errorf("%d streams are open, want %d", open, len(kept))
	}
	if err := s.auth.RevokeSession(t.Context(), next.Access.Claims.Session); err != nil {
		t.Error(err)
	}
	for _, events := range kept {
		if _, said := events.last(t); said.Code != paseto.ErrRevoked {
			t.Errorf("a stream that was renewed ends with %s", said.Code)
		}
	}
}

func TestRenewRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	renew := s.web.Renew()
	claims := must(s.auth.Verify(t.Context(), s.access(t, paseto.Grant{Subject: "bob"}), paseto.Requirement{}))
	right := must(s.web.Keeper().Open(t.Context(), claims, nil, nil))
	t.Cleanup(right.Release)

	checkProblem(t, get(t, renew, s.bearerOf("alice")), problem{status: 405, code: "method_not_allowed", detail: "Expected method POST"})
	checkProblem(t, post(t, renew), refusal(401, paseto.ErrNoToken, noCredential))
	checkOK(t, post(t, renew, s.bearerOf("alice")), `{"renewed":0}`+"\n")
	s.clock.Advance(-time.Minute)
	checkProblem(t, post(t, renew, s.bearerOf("bob")), refusal(409, live.ErrOlder, ""))
	for range 5 {
		post(t, renew, s.bearerOf("bob"))
	}
	checkProblem(t, post(t, renew, s.bearerOf("bob")), refusal(429, live.ErrRenewals, ""))
}

func (s *site) bearerOf(subject string) part {
	issued, err := s.auth.IssueAccess(paseto.Grant{Subject: subject})
	if err != nil {
		panic(err)
	}
	return bearer(issued.Token.Reveal())
}
