package journeys_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestStolenRefreshToken: whoever comes second with a refresh token ends the
// session, for the thief and for the owner.
func TestStolenRefreshToken(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, "token: {keys: ["+testsite.Key+"], refresh_grace: none}")
	stolen := s.Login("alice").RefreshToken.Reveal()
	other := s.Login("alice")
	owner, res := s.Refresh(stolen)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("refresh answers %s", res.Status)
	}
	if _, res = s.Refresh(stolen); res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("the second refresh with one token answers %s", res.Status)
	}
	if _, res = s.Refresh(owner.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a refresh in a session that is over answers %s", res.Status)
	}
	conn, _ := s.Dial("/ws", testsite.Bearer(owner.AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
	conn, _ = s.Dial("/ws", testsite.Bearer(other.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")
}

// TestParallelTabs: tabs that refresh at once all go on, with the same tokens.
func TestParallelTabs(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	token := s.Login("alice").RefreshToken.Reveal()
	const tabs = 20
	ids := make([]string, tabs)
	var group sync.WaitGroup
	for i := range tabs {
		group.Go(func() {
			tokens, res := s.Refresh(token)
			if res.StatusCode != http.StatusOK {
				t.Errorf("refresh answers %s", res.Status)
				return
			}
			ids[i] = s.ID(tokens.RefreshToken.Reveal(), paseto.TypeRefresh)
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("the tabs got different tokens: %q", ids)
		}
	}
}

func TestTicket(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, "token: {keys: ["+testsite.Key+"]}\nwebsocket: {allowed_origins: ['https://app.example.com']}")
	tokens := s.Login("alice")
	page := http.Header{"Origin": {"https://app.example.com"}}

	bound := map[string]string{"path": "/ws/fresh", "origin": "https://app.example.com"}
	testtool.Eventually(t, "a ticket is used before it expires", func() bool {
		ticket := s.Ticket(tokens.AccessToken.Reveal(), bound)
		conn, _ := s.Dial("/ws"+ticket, page)
		testsite.WantUseless(t, conn, "Ticket is not valid here")
		conn, _ = s.Dial("/ws/fresh"+ticket, nil)
		testsite.WantUseless(t, conn, "Ticket is not valid here")
		conn, _ = s.Dial("/ws/fresh"+ticket, page)
		if _, _, err := testsite.Read(conn); testsite.IsClose(err, wsauth.ClosePolicyViolation, paseto.ErrExpired) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
		conn, _ = s.Dial("/ws/fresh"+ticket, page)
		testsite.WantUseless(t, conn, "Ticket has been used")
		return true
	})

	ticket := s.Ticket(tokens.AccessToken.Reveal(), nil)
	s.Post(s.Client, "/logout", tokens.AccessToken.Reveal(), nil, nil)
	conn, _ := s.Dial("/ws"+ticket, nil)
	testsite.WantUseless(t, conn, "Token has been revoked")
}

// TestRevocationSurvivesRestart: what was revoked before a restart is revoked
// after it.
func TestRevocationSurvivesRestart(t *testing.T) {
	t.Parallel()
	path, err := json.Marshal(filepath.Join(t.TempDir(), "revocations.db"))
	if err != nil {
		t.Fatal(err)
	}
	yaml := "token: {keys: [" + testsite.Key + "], refresh_grace: none}\ndenylist: {store: bolt, bolt: {path: " + string(path) + "}}"
	s := testsite.Open(t, yaml)
	ended, going := s.Login("alice"), s.Login("alice")
	s.Post(s.Client, "/logout", ended.AccessToken.Reveal(), nil, nil)
	if _, res := s.Refresh(going.RefreshToken.Reveal()); res.StatusCode != http.StatusOK {
		t.Fatalf("refresh answers %s", res.Status)
	}
	ticket := s.Ticket(going.AccessToken.Reveal(), nil)
	conn, _ := s.Dial("/ws"+ticket, nil)
	testsite.WantGreeting(t, conn, "alice")
	_ = conn.Close() // else the server waits for its answer to the close
	s.Stop()

	s = testsite.Open(t, yaml)
	conn, _ = s.Dial("/ws", testsite.Bearer(ended.AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
	conn, _ = s.Dial("/ws"+ticket, nil)
	testsite.WantUseless(t, conn, "Ticket has been used")
	if _, res := s.Refresh(going.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a refresh with a used token answers %s", res.Status)
	}
}

// TestTwoServers: what one server revokes or uses up, another one knows.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	yaml := "token: {keys: [" + testsite.Key + "], refresh_grace: 5m}\ndenylist: {store: redis, redis: {addresses: ['" + redis.Addr() + "']}}"
	a, b := testsite.Open(t, yaml), testsite.Open(t, yaml)
	tokens := a.Login("alice")

	conn, _ := b.Dial("/ws", testsite.Bearer(tokens.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")
	atA, _ := a.Refresh(tokens.RefreshToken.Reveal())
	atB, _ := b.Refresh(tokens.RefreshToken.Reveal())
	if one, two := a.ID(atA.AccessToken.Reveal(), ""), a.ID(atB.AccessToken.Reveal(), ""); one != two || one == "" {
		t.Errorf("two servers give %q and %q for one refresh token", one, two)
	}
	ticket := a.Ticket(tokens.AccessToken.Reveal(), nil)
	conn, _ = b.Dial("/ws"+ticket, nil)
	testsite.WantGreeting(t, conn, "alice")
	conn, _ = a.Dial("/ws"+ticket, nil)
	testsite.WantUseless(t, conn, "Ticket has been used")

	if res := a.Post(a.Client, "/logout", atA.AccessToken.Reveal(), nil, nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("logout answers %s", res.Status)
	}
	waitUntilRevoked(t, b, tokens.AccessToken.Reveal())
	conn, _ = b.Dial("/ws", testsite.Bearer(tokens.AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")

	redis.Stop()
	if conn, res := b.Dial("/ws", testsite.Bearer(b.Login("bob").AccessToken.Reveal())); conn != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a handshake without Redis is answered with %s", res.Status)
	}
}

// waitUntilRevoked returns when the site has heard that a token is revoked. It
// may hold the answer of a moment ago.
func waitUntilRevoked(t *testing.T, s *testsite.Site, token string) {
	t.Helper()
	testtool.Eventually(t, "the token is revoked", func() bool {
		_, err := s.Kit.Authorizer.Verify(t.Context(), token, paseto.Requirement{})
		return errors.Is(err, paseto.ErrRevoked)
	})
}
