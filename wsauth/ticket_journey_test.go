package wsauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// service is a program that serves HTTP and WebSockets.
type service struct {
	*httptest.Server
	clock *clock
}

func newService(t *testing.T) service {
	t.Helper()
	return newServiceFor(t, paseto.Grant{}, paseto.Requirement{})
}

// newServiceFor returns one whose logins are granted g, and whose routes ask for req.
func newServiceFor(t *testing.T, g paseto.Grant, req paseto.Requirement) service {
	t.Helper()
	c := newClock()
	store := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = store.Close() })
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithClock(c.Now), paseto.WithDenylist(store))
	web, err := httpauth.New(auth, httpauth.Config{}, httpauth.WithImplicit(func(*http.Request) []byte { return req.Implicit }))
	if err != nil {
		t.Fatal(err)
	}
	guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})
	mux := http.NewServeMux()
	mux.Handle("POST /login", web.Login(func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		grant := g
		grant.Subject = c.Username
		return grant, nil
	}))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("POST /logout", web.Logout())
	mux.Handle("POST /logout/everywhere", web.LogoutEverywhere())
	mux.Handle("POST /ticket", web.Ticket())
	mux.Handle("/ws", guard.Require(req, echo))
	req.Fresh = true
	mux.Handle("/ws/fresh", guard.Require(req, echo))
	return service{listen(t, mux), c}
}

// post sends body and returns the status, and the answer in out.
func (s service) post(t *testing.T, path, token string, body map[string]string, out any) int {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if out != nil {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

func (s service) login(t *testing.T) (tokens httpauth.Tokens) {
	t.Helper()
	if status := s.post(t, "/login", "", map[string]string{"username": "alice", "password": "x"}, &tokens); status != http.StatusOK {
		t.Fatalf("the login is answered with %d", status)
	}
	return tokens
}

func (s service) refresh(t *testing.T, token string) (tokens httpauth.Tokens) {
	t.Helper()
	if status := s.post(t, "/refresh", "", map[string]string{"refresh_token": token}, &tokens); status != http.StatusOK {
		t.Fatalf("the refresh is answered with %d", status)
	}
	return tokens
}

func (s service) buy(t *testing.T, token, path string) handshake {
	t.Helper()
	var bought httpauth.Ticket
	if status := s.post(t, "/ticket", token, map[string]string{"path": path}, &bought); status != http.StatusOK {
		t.Fatalf("the ticket is answered with %d", status)
	}
	return ticket(bought.Ticket.Reveal()).and(at(path))
}

func (s service) checkRefused(t *testing.T, h handshake, want paseto.Code) {
	t.Helper()
	ws, resp := dial(t, s.Server, h)
	if ws != nil {
		t.Fatal("the handshake succeeded")
	}
	checkProblem(t, resp, httpauth.Status(want), want, want.Message())
}

// TestTicketJourney buys tickets over HTTP. One that a login's token bought is
// fresh, and one that a refreshed token bought is not.
func TestTicketJourney(t *testing.T) {
	t.Parallel()
	s := newService(t)
	login := s.login(t)
	checkEcho(t, connect(t, s.Server, s.buy(t, login.AccessToken.Reveal(), "/ws")), "hello")
	checkEcho(t, connect(t, s.Server, s.buy(t, login.AccessToken.Reveal(), "/ws/fresh")), "hello")
	s.checkRefused(t, s.buy(t, login.AccessToken.Reveal(), "/ws").and(at("/fresh")), paseto.ErrTicket)

	refreshed := s.refresh(t, login.RefreshToken.Reveal())
	checkEcho(t, connect(t, s.Server, s.buy(t, refreshed.AccessToken.Reveal(), "/ws")), "hello")
	s.checkRefused(t, s.buy(t, refreshed.AccessToken.Reveal(), "/ws/fresh"), paseto.ErrNotFresh)

	late := s.buy(t, refreshed.AccessToken.Reveal(), "/ws")
	s.clock.Advance(30 * time.Second)
	s.checkRefused(t, late, paseto.ErrExpired)
}

// TestTicketAfterLogout is worth nothing: what it stands for is revoked.
func TestTicketAfterLogout(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/logout", "/logout/everywhere"} {
		t.Run(path[1:], func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			phone, laptop := s.login(t), s.login(t)
			onPhone, onLaptop := s.buy(t, phone.AccessToken.Reveal(), "/ws"), s.buy(t, laptop.AccessToken.Reveal(), "/ws")
			if status := s.post(t, path, phone.AccessToken.Reveal(), map[string]string{}, nil); status != http.StatusNoContent {
				t.Fatalf("the logout is answered with %d", status)
			}
			s.checkRefused(t, onPhone, paseto.ErrRevoked)
			s.checkRefused(t, bearer(phone.AccessToken.Reveal()), paseto.ErrRevoked)
			if path == "/logout" {
				checkEcho(t, connect(t, s.Server, onLaptop), "still here")
				return
			}
			s.checkRefused(t, onLaptop, paseto.ErrRevoked)
			s.checkRefused(t, bearer(laptop.AccessToken.Reveal()), paseto.ErrRevoked)
		})
	}
}

// TestReuseEndsHandshakes: a refresh token that comes back after the grace
// takes its whole session with it, and no other.
func TestReuseEndsHandshakes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	login, other := s.login(t), s.login(t)
	first := s.refresh(t, login.RefreshToken.Reveal())
	again := s.refresh(t, login.RefreshToken.Reveal()) // within the grace: the same pair
	pending := s.buy(t, first.AccessToken.Reveal(), "/ws")
	for name, token := range map[string]string{"login": login.AccessToken.Reveal(), "first": first.AccessToken.Reveal(), "again": again.AccessToken.Reveal()} {
		checkEcho(t, connect(t, s.Server, bearer(token)), name)
	}

	s.clock.Advance(10*time.Second + time.Second)
	var problem httpauth.Problem
	status := s.post(t, "/refresh", "", map[string]string{"refresh_token": login.RefreshToken.Reveal()}, &problem)
	if status != http.StatusUnauthorized || problem.Code != "refresh_reused" || problem.Detail != "Refresh token has been used before" {
		t.Errorf("the reuse is answered with %d %+v", status, problem)
	}
	for _, token := range []string{login.AccessToken.Reveal(), first.AccessToken.Reveal(), again.AccessToken.Reveal()} {
		s.checkRefused(t, bearer(token), paseto.ErrRevoked)
	}
	s.checkRefused(t, pending, paseto.ErrRevoked)
	checkEcho(t, connect(t, s.Server, bearer(other.AccessToken.Reveal())), "another session")
}

// TestTicketJourneyOfWrappedTokens does the same where tokens are wrapped in base64
// and bound to an implicit assertion: the socket opens by token and by ticket, and
// the logout closes it.
func TestTicketJourneyOfWrappedTokens(t *testing.T) {
	t.Parallel()
	for name, purpose := range map[string]paseto.Purpose{"local": paseto.Local, "public": paseto.Public} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := paseto.Requirement{Base64: true, Implicit: []byte("tenant 1")}
			s := newServiceFor(t, paseto.Grant{Base64: true, Purpose: purpose}, req)
			login := s.login(t)
			tokens := s.refresh(t, login.RefreshToken.Reveal())
			byToken := connect(t, s.Server, bearer(tokens.AccessToken.Reveal()))
			byTicket := connect(t, s.Server, s.buy(t, tokens.AccessToken.Reveal(), "/ws"))
			for _, ws := range []*websocket.Conn{byToken, byTicket} {
				checkEcho(t, ws, "hello")
			}
			if status := s.post(t, "/logout", tokens.RefreshToken.Reveal(), map[string]string{}, nil); status != http.StatusNoContent {
				t.Fatalf("the logout is answered with %d", status)
			}
			for _, ws := range []*websocket.Conn{byToken, byTicket} {
				checkClosed(t, ws, wsauth.ClosePolicyViolation, beenRevoked)
			}
		})
	}
}
