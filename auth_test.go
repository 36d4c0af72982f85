// Package pasetokit_test walks the roads that users walk, through the public
// API and over real sockets.
package pasetokit_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(suite{m}) }

// suite is the tests, and the end of what they share.
type suite struct{ *testing.M }

func (s suite) Run() int {
	defer func() {
		browser.Close()
		_ = os.RemoveAll(chatDir) // does nothing where the chat was not built
	}()
	return s.M.Run()
}

// key encrypts the tokens of these tests.
const key = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"

// everywhere accepts tokens wherever they can be.
const everywhere = `
token: {keys: [` + key + `], refresh_grace: 5m}
http: {locations: [header, cookie], cookie: {secure: false}}
websocket: {locations: [header, query, cookie, subprotocol], subprotocols: [chat.v1]}
`

// connectEverywhere logs in and opens a socket with the token in each location.
func connectEverywhere(t *testing.T, s *site) {
	t.Helper()
	token := s.login("alice").AccessToken.Reveal()

	conn, _ := s.dial("/ws", bearer(token))
	wantGreeting(t, conn, "alice")
	conn, _ = s.dial("/ws?token="+token, nil)
	wantGreeting(t, conn, "alice")

	conn, res := s.dial("/ws", nil, wsauth.Marker, token)
	wantGreeting(t, conn, "alice")
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != wsauth.Marker {
		t.Errorf("the server speaks %q, want the marker", got)
	}
	conn, res = s.dial("/ws", nil, wsauth.Marker, token, "chat.v1")
	wantGreeting(t, conn, "alice")
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != "chat.v1" {
		t.Errorf("the server speaks %q, want the application's protocol", got)
	}

	cookie := http.Header{"Cookie": {"access_token=" + token}, "Origin": {s.URL}}
	conn, _ = s.dial("/ws", cookie)
	wantGreeting(t, conn, "alice")
}

func TestConnectConfiguredFromFile(t *testing.T) {
	t.Parallel()
	connectEverywhere(t, open(t, everywhere))
}

func TestConnectConfiguredFromEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"PASETOKIT_TOKEN__KEYS":              key,
		"PASETOKIT_HTTP__LOCATIONS":          "header,cookie",
		"PASETOKIT_HTTP__COOKIE__SECURE":     "false",
		"PASETOKIT_WEBSOCKET__LOCATIONS":     "header,query,cookie,subprotocol",
		"PASETOKIT_WEBSOCKET__SUBPROTOCOLS":  "chat.v1",
		"PASETOKIT_WEBSOCKET__CLOSE_TIMEOUT": "1m",
	} {
		t.Setenv(name, value)
	}
	cfg, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	connectEverywhere(t, start(t, cfg))
}

// TestBrowserSession lives on cookies alone, as a page would.
func TestBrowserSession(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	page := *s.client
	page.Jar = jar

	if res := s.post(&page, "/login", "", credentials("bob"), nil); res.StatusCode != http.StatusOK {
		t.Fatalf("login answers %s", res.Status)
	}
	var tokens httpauth.Tokens
	if res := s.post(&page, "/refresh", "", nil, &tokens); res.StatusCode != http.StatusOK || tokens.AccessToken.Reveal() != "" {
		t.Errorf("refresh answers %s, with the token in the body: %t", res.Status, tokens.AccessToken.Reveal() != "")
	}
	dialer := websocket.Dialer{Jar: jar}
	conn, _, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/ws", http.Header{"Origin": {s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wantGreeting(t, conn, "bob")

	if _, _, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/ws",
		http.Header{"Origin": {"https://evil.example"}}); err == nil {
		t.Error("a page of another origin connects with the cookies")
	}
	if res := s.post(&page, "/logout", "", nil, nil); res.StatusCode != http.StatusNoContent {
		t.Errorf("logout answers %s", res.Status)
	}
	if res := s.post(&page, "/refresh", "", nil, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh after logout answers %s", res.Status)
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	tokens := s.login("alice")

	conn, _ := s.dial("/ws/optional", nil)
	wantGreeting(t, conn, "nobody")
	conn, _ = s.dial("/ws/optional", bearer(tokens.AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")
	conn, _ = s.dial("/ws/optional", bearer("v4.local.junk"))
	wantGreeting(t, conn, "nobody")
	conn, _ = s.dial("/ws/optional", bearer(tokens.RefreshToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Access token required but refresh provided")
}

func TestFresh(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	tokens := s.login("alice")
	conn, _ := s.dial("/ws/fresh", bearer(tokens.AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")

	renewed, res := s.refresh(tokens.RefreshToken.Reveal())
	if res.StatusCode != http.StatusOK {
		t.Fatalf("refresh answers %s", res.Status)
	}
	conn, _ = s.dial("/ws/fresh", bearer(renewed.AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "PASETO access token is not fresh")
	conn, _ = s.dial("/ws", bearer(renewed.AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	conn, _ := s.dial("/ws/admin", bearer(s.login("alice").AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Token scope is not sufficient")

	// The scope outlives a refresh.
	renewed, _ := s.refresh(s.login("admin").RefreshToken.Reveal())
	conn, _ = s.dial("/ws/admin", bearer(renewed.AccessToken.Reveal()))
	wantGreeting(t, conn, "admin")
}

func TestTokenTypes(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	tokens := s.login("alice")

	conn, _ := s.dial("/ws", bearer(tokens.RefreshToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Access token required but refresh provided")
	conn, _ = s.dial("/ws/refresh", bearer(tokens.AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Refresh token required but access provided")
	conn, _ = s.dial("/ws/refresh", bearer(tokens.RefreshToken.Reveal()))
	wantGreeting(t, conn, "alice")

	if _, res := s.refresh(tokens.AccessToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh with an access token answers %s", res.Status)
	}
	if _, res := s.refresh(tokens.RefreshToken.Reveal()); res.StatusCode != http.StatusOK {
		t.Errorf("refresh answers %s", res.Status)
	}
}

// TestExpiryDuringConnection: a socket does not outlive its token, whether the
// client is silent or talking.
func TestExpiryDuringConnection(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	silent, first := s.dialBriefly("alice")
	talking, second := s.dialBriefly("alice")

	for err := error(nil); err == nil; {
		if err = talking.WriteMessage(websocket.TextMessage, []byte("x")); err == nil {
			_, _, err = read(talking)
		}
		var closed *websocket.CloseError
		if err != nil && (!errors.As(err, &closed) || closed.Code != websocket.ClosePolicyViolation || closed.Text != "Token expired.") {
			t.Errorf("the talking socket ends with %v", err)
		}
	}
	if early := time.Until(second.Claims.ExpiresAt); early > 0 {
		t.Errorf("closed %s before the expiry", early)
	}
	wantClose(t, silent, websocket.ClosePolicyViolation, "Token expired.")
	if early := time.Until(first.Claims.ExpiresAt); early > 0 {
		t.Errorf("closed %s before the expiry", early)
	}
	conn, _ := s.dial("/ws", bearer(first.Token.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Token expired.")
}

// dialBriefly opens a socket whose token lives for two seconds; or longer, where
// the machine is too slow for that.
func (s *site) dialBriefly(name string) (*websocket.Conn, paseto.Issued) {
	s.t.Helper()
	for ttl := 2 * time.Second; ; ttl *= 2 {
		token, err := s.kit.Authorizer.IssueAccess(paseto.Grant{Subject: name, TTL: ttl})
		if err != nil {
			s.t.Fatal(err)
		}
		conn, _ := s.dial("/ws", bearer(token.Token.Reveal()))
		if conn == nil {
			s.t.Fatal("the handshake was refused")
		}
		_, data, err := read(conn)
		switch {
		case string(data) == "hello "+name:
			return conn, token
		case time.Now().Before(token.Claims.ExpiresAt):
			s.t.Fatalf("the server says %q, %v", data, err)
		}
	}
}

func TestLogoutThenReconnect(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	tokens, other := s.login("alice"), s.login("alice")

	if res := s.post(s.client, "/logout", tokens.AccessToken.Reveal(), nil, nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("logout answers %s", res.Status)
	}
	conn, _ := s.dial("/ws", bearer(tokens.AccessToken.Reveal()))
	wantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
	if _, res := s.refresh(tokens.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh after logout answers %s", res.Status)
	}
	// Another login of the same user goes on.
	conn, _ = s.dial("/ws", bearer(other.AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")
}

func TestIssuerAndAudience(t *testing.T) {
	t.Parallel()
	const common = "token: {keys: [" + key + "], "
	s := open(t, common+`issuer: us, audience: [chat], require_issuer: us, require_audience: [chat, mail]}`)
	conn, _ := s.dial("/ws", bearer(s.login("alice").AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")

	for _, test := range []struct{ name, theirs, reason string }{
		{"no issuer", "audience: [chat]}", "Token is missing the 'iss' claim"},
		{"wrong issuer", "issuer: them, audience: [chat]}", "Token issuer is not valid"},
		{"no audience", "issuer: us}", "aud verification failed."},
		{"wrong audience", "issuer: us, audience: [video]}", "aud verification failed."},
	} {
		t.Run(test.name, func(t *testing.T) {
			theirs := open(t, common+test.theirs)
			conn, _ := s.dial("/ws", bearer(theirs.login("alice").AccessToken.Reveal()))
			wantClose(t, conn, websocket.ClosePolicyViolation, test.reason)
		})
	}
}

func TestRejectModes(t *testing.T) {
	t.Parallel()
	byClose := open(t, everywhere)
	conn, _ := byClose.dial("/ws", nil)
	wantClose(t, conn, websocket.ClosePolicyViolation, "PASETO Authorization Token required")

	byHTTP := open(t, "token: {keys: ["+key+"]}\nwebsocket: {reject: http}")
	conn, res := byHTTP.dial("/ws", nil)
	if conn != nil {
		t.Fatal("the handshake was completed")
	}
	var problem httpauth.Problem
	if err := json.NewDecoder(res.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	want := httpauth.Problem{
		Type: "about:blank", Title: "Unauthorized", Status: http.StatusUnauthorized,
		Detail: "PASETO Authorization Token required", Code: "token_missing",
	}
	if problem != want || res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("answered with %s, %q, %+v", res.Status, res.Header.Get("WWW-Authenticate"), problem)
	}
}

// TestSignedTokens: one service issues, another verifies with the public key
// alone.
func TestSignedTokens(t *testing.T) {
	t.Parallel()
	issuer := open(t, `token: {purpose: public, keys: [k4.secret.tMv7Q99M4hByfZU-SnEzB_oZu32fhQQUONnhG5QqN3Qeudu7vAR8A_1wYE4AcfCYfhayi3VyJcEfAEFdDiCxog]}`)
	verifier := open(t, `token: {purpose: public, verify_only: true, keys: [k4.public.Hrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI]}`)
	token := issuer.login("alice").AccessToken.Reveal()
	if !strings.HasPrefix(token, "v4.public.") {
		t.Fatal("the token is not signed")
	}
	conn, _ := verifier.dial("/ws", bearer(token))
	wantGreeting(t, conn, "alice")
	for path, token := range map[string]string{"/login": "", "/ticket": token, "/logout": token} {
		if res := verifier.post(verifier.client, path, token, credentials("a"), nil); res.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s at a service that only verifies answers %s", path, res.Status)
		}
	}
}

// TestBadInput: whatever comes, the client is told what is wrong and the server
// lives.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := open(t, everywhere)
	huge := strings.Repeat("A", 1<<20)
	for _, test := range []struct {
		name, path string
		header     http.Header
		reason     string
	}{
		{"junk", "/ws", bearer("junk"), "Invalid PASETO format"},
		{"huge", "/ws", bearer("v4.local." + huge), "Invalid PASETO format"},
		{"a megabyte of dots", "/ws", bearer(strings.Repeat(".", 1<<20)), "Invalid PASETO format"},
		{"huge in the URL", "/ws?token=" + huge, nil, "Invalid PASETO format"},
		{"no scheme", "/ws", http.Header{"Authorization": {"v4.local.x"}}, "Bad Authorization header. Expected value 'Bearer <PASETO>'"},
		{"two tokens", "/ws?token=a", bearer("b"), "More than one token was sent. Expected exactly one"},
		{"version", "/ws", bearer("v9.local.AAAA"), "Invalid PASETO version v9"},
		{"purpose", "/ws", bearer("v4.other.AAAA"), "Invalid PASETO purpose other"},
		{"forged", "/ws", bearer("v4.local." + strings.Repeat("A", 100)), "Failed to decrypt."},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, _ := s.dial(test.path, test.header)
			wantClose(t, conn, websocket.ClosePolicyViolation, test.reason)
		})
	}
	conn, _ := s.dial("/ws", bearer(s.login("alice").AccessToken.Reveal()))
	wantGreeting(t, conn, "alice")
}
