package pasetokit_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestStolenRefreshToken: whoever comes second with a refresh token ends the
// session, for the thief and for the owner.
func TestStolenRefreshToken(t *testing.T) {
	t.Parallel()
	s := open(t, "token: {keys: ["+key+"], refresh_grace: 0s}")
	stolen := s.login("alice").RefreshToken.Reveal()
	other := s.login("alice")
	owner, res := s.refresh(stolen)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("refresh answers %s", res.Status)
	}
	if _, res = s.refresh(stolen); res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("the second refresh with one token answers %s", res.Status)
	}
	if _, res = s.refresh(owner.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a refresh in a session that is over answers %s", res.Status)
	}
	conn, _ := s.dial("/ws", bearer(owner.AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
	conn, _ = s.dial("/ws", bearer(other.AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")
}

// TestParallelTabs: tabs that refresh at once all go on, with the same tokens.
func TestParallelTabs(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	token := s.login("alice").RefreshToken.Reveal()
	const tabs = 20
	ids := make([]string, tabs)
	var group sync.WaitGroup
	for i := range tabs {
		group.Go(func() {
			tokens, res := s.refresh(token)
			if res.StatusCode != http.StatusOK {
				t.Errorf("refresh answers %s", res.Status)
				return
			}
			ids[i] = s.id(tokens.RefreshToken.Reveal(), paseto.TypeRefresh)
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("the tabs got different tokens: %q", ids)
		}
	}
}

// id returns the jti of a token, which must be valid.
func (s *site) id(token, tokenType string) string {
	s.t.Helper()
	claims, err := s.kit.Authorizer.Verify(s.t.Context(), token, paseto.Requirement{Type: tokenType})
	if err != nil {
		s.t.Error(err)
		return ""
	}
	return claims.ID
}

func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	phone, laptop, bob := s.login("alice"), s.login("alice"), s.login("bob")
	if res := s.post(s.client, "/logout/everywhere", phone.AccessToken.Reveal(), nil, nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("logout answers %s", res.Status)
	}
	for _, tokens := range []httpauth.Tokens{phone, laptop} {
		conn, _ := s.dial("/ws", bearer(tokens.AccessToken.Reveal()))
		wantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
		if _, res := s.refresh(tokens.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("refresh answers %s", res.Status)
		}
	}
	conn, _ := s.dial("/ws", bearer(bob.AccessToken.Reveal()))
	wantGreeting(t, conn, "bob")
}

// ticket buys a ticket for an access token.
func (s *site) ticket(access string, body any) string {
	s.t.Helper()
	var answer httpauth.Ticket
	if res := s.post(s.client, "/ticket", access, body, &answer); res.StatusCode != http.StatusOK {
		s.t.Fatalf("ticket answers %s", res.Status)
	}
	return "?ticket=" + url.QueryEscape(answer.Ticket.Reveal())
}

func TestTicket(t *testing.T) {
	t.Parallel()
	s := open(t, "token: {keys: ["+key+"]}\nwebsocket: {allowed_origins: ['https://app.example.com']}")
	tokens := s.login("alice")
	page := http.Header{"Origin": {"https://app.example.com"}}

	bound := map[string]string{"path": "/ws/fresh", "origin": "https://app.example.com"}
	testtool.Eventually(t, "a ticket is used before it expires", func() bool {
		ticket := s.ticket(tokens.AccessToken.Reveal(), bound)
		conn, _ := s.dial("/ws"+ticket, page)
		wantUseless(t, conn, "Ticket is not valid here")
		conn, _ = s.dial("/ws/fresh"+ticket, nil)
		wantUseless(t, conn, "Ticket is not valid here")
		conn, _ = s.dial("/ws/fresh"+ticket, page)
		if _, _, err := read(conn); isClose(err, wsauth.ClosePolicyViolation, paseto.ErrExpired) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
		conn, _ = s.dial("/ws/fresh"+ticket, page)
		wantUseless(t, conn, "Ticket has been used")
		return true
	})

	ticket := s.ticket(tokens.AccessToken.Reveal(), nil)
	s.post(s.client, "/logout", tokens.AccessToken.Reveal(), nil, nil)
	conn, _ := s.dial("/ws"+ticket, nil)
	wantUseless(t, conn, "Token has been revoked")
}

// TestRevocationSurvivesRestart: what was revoked before a restart is revoked
// after it.
func TestRevocationSurvivesRestart(t *testing.T) {
	t.Parallel()
	path, err := json.Marshal(filepath.Join(t.TempDir(), "revocations.db"))
	if err != nil {
		t.Fatal(err)
	}
	yaml := "token: {keys: [" + key + "], refresh_grace: 0s}\ndenylist: {store: bolt, path: " + string(path) + "}"
	s := open(t, yaml)
	ended, going := s.login("alice"), s.login("alice")
	s.post(s.client, "/logout", ended.AccessToken.Reveal(), nil, nil)
	if _, res := s.refresh(going.RefreshToken.Reveal()); res.StatusCode != http.StatusOK {
		t.Fatalf("refresh answers %s", res.Status)
	}
	ticket := s.ticket(going.AccessToken.Reveal(), nil)
	conn, _ := s.dial("/ws"+ticket, nil)
	wantGreeting(t, conn, "alice")
	s.stop()

	s = open(t, yaml)
	conn, _ = s.dial("/ws", bearer(ended.AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
	conn, _ = s.dial("/ws"+ticket, nil)
	wantUseless(t, conn, "Ticket has been used")
	if _, res := s.refresh(going.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a refresh with a used token answers %s", res.Status)
	}
}

// TestTwoServers: what one server revokes or uses up, another one knows.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	yaml := "token: {keys: [" + key + "], refresh_grace: 5m}\ndenylist: {store: redis, redis: {addresses: ['" + redis.Addr() + "']}}"
	a, b := open(t, yaml), open(t, yaml)
	tokens := a.login("alice")

	conn, _ := b.dial("/ws", bearer(tokens.AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")
	atA, _ := a.refresh(tokens.RefreshToken.Reveal())
	atB, _ := b.refresh(tokens.RefreshToken.Reveal())
	if one, two := a.id(atA.AccessToken.Reveal(), ""), a.id(atB.AccessToken.Reveal(), ""); one != two || one == "" {
		t.Errorf("two servers give %q and %q for one refresh token", one, two)
	}
	ticket := a.ticket(tokens.AccessToken.Reveal(), nil)
	conn, _ = b.dial("/ws"+ticket, nil)
	wantGreeting(t, conn, "alice")
	conn, _ = a.dial("/ws"+ticket, nil)
	wantUseless(t, conn, "Ticket has been used")

	if res := a.post(a.client, "/logout", atA.AccessToken.Reveal(), nil, nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("logout answers %s", res.Status)
	}
	b.waitUntilRevoked(tokens.AccessToken.Reveal())
	conn, _ = b.dial("/ws", bearer(tokens.AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")

	redis.Stop()
	if conn, res := b.dial("/ws", bearer(b.login("bob").AccessToken.Reveal())); conn != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a handshake without Redis is answered with %s", res.Status)
	}
}

// waitUntilRevoked returns when the site has heard that a token is revoked. It
// may hold the answer of a moment ago.
func (s *site) waitUntilRevoked(token string) {
	s.t.Helper()
	testtool.Eventually(s.t, "the token is revoked", func() bool {
		_, err := s.kit.Authorizer.Verify(s.t.Context(), token, paseto.Requirement{})
		return errors.Is(err, paseto.ErrRevoked)
	})
}

// wantUseless expects a ticket to open nothing, for a reason. A ticket lives for half a
// minute: on a slow machine it may have expired as well.
func wantUseless(t *testing.T, conn *websocket.Conn, reason string) {
	t.Helper()
	if conn == nil {
		t.Fatal("the handshake was refused over HTTP")
	}
	_, data, err := read(conn)
	closed, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || closed.Code != websocket.ClosePolicyViolation || closed.Text != reason && closed.Text != paseto.ErrExpired.Message {
		t.Errorf("the server says %q, %v; want 1008 %s", data, err, reason)
	}
}
