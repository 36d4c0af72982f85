// Package pasetokit_test walks the roads that users walk, through the public
// API and over real sockets.
package pasetokit_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connectEverywhere logs in and opens a socket with the token in each location.
func connectEverywhere(t *testing.T, s *testsite.Site) {
	t.Helper()
	token := s.Login("alice").AccessToken.Reveal()

	conn, _ := s.Dial("/ws", testsite.Bearer(token))
	testsite.WantGreeting(t, conn, "alice")
	conn, _ = s.Dial("/ws?token="+token, nil)
	testsite.WantGreeting(t, conn, "alice")

	conn, res := s.Dial("/ws", nil, wsauth.Marker, token)
	testsite.WantGreeting(t, conn, "alice")
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != wsauth.Marker {
		t.Errorf("the server speaks %q, want the marker", got)
	}
	conn, res = s.Dial("/ws", nil, wsauth.Marker, token, "chat.v1")
	testsite.WantGreeting(t, conn, "alice")
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != "chat.v1" {
		t.Errorf("the server speaks %q, want the application's protocol", got)
	}

	cookie := http.Header{"Cookie": {"access_token=" + token}, "Origin": {s.URL}}
	conn, _ = s.Dial("/ws", cookie)
	testsite.WantGreeting(t, conn, "alice")
}

func TestConnectConfiguredFromFile(t *testing.T) {
	t.Parallel()
	connectEverywhere(t, testsite.Open(t, testsite.Everywhere))
}

func TestConnectConfiguredFromEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"PASETOKIT_TOKEN__KEYS":              testsite.Key,
		"PASETOKIT_HTTP__LOCATIONS":          "header,cookie",
		"PASETOKIT_HTTP__COOKIE__INSECURE":   "true",
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
	connectEverywhere(t, testsite.Start(t, cfg))
}

// TestBrowserSession lives on cookies alone, as a page would.
func TestBrowserSession(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	page := *s.Client
	page.Jar = jar

	if res := s.Post(&page, "/login", "", testsite.Credentials("bob"), nil); res.StatusCode != http.StatusOK {
		t.Fatalf("login answers %s", res.Status)
	}
	var tokens httpauth.Tokens
	if res := s.Post(&page, "/refresh", "", nil, &tokens); res.StatusCode != http.StatusOK || tokens.AccessToken.Reveal() != "" {
		t.Errorf("refresh answers %s, with the token in the body: %t", res.Status, tokens.AccessToken.Reveal() != "")
	}
	dialer := websocket.Dialer{Jar: jar}
	conn, _, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/ws", http.Header{"Origin": {s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	testsite.WantGreeting(t, conn, "bob")

	if _, _, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+"/ws",
		http.Header{"Origin": {"https://evil.example"}}); err == nil {
		t.Error("a page of another origin connects with the cookies")
	}
	if res := s.Post(&page, "/logout", "", nil, nil); res.StatusCode != http.StatusNoContent {
		t.Errorf("logout answers %s", res.Status)
	}
	if res := s.Post(&page, "/refresh", "", nil, nil); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh after logout answers %s", res.Status)
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	tokens := s.Login("alice")

	conn, _ := s.Dial("/ws/optional", nil)
	testsite.WantGreeting(t, conn, "nobody")
	conn, _ = s.Dial("/ws/optional", testsite.Bearer(tokens.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")
	conn, _ = s.Dial("/ws/optional", testsite.Bearer("v4.local.junk"))
	testsite.WantGreeting(t, conn, "nobody")
	conn, _ = s.Dial("/ws/optional", testsite.Bearer(tokens.RefreshToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Access token required but refresh provided")
}

func TestFresh(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	tokens := s.Login("alice")
	conn, _ := s.Dial("/ws/fresh", testsite.Bearer(tokens.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")

	renewed, res := s.Refresh(tokens.RefreshToken.Reveal())
	if res.StatusCode != http.StatusOK {
		t.Fatalf("refresh answers %s", res.Status)
	}
	conn, _ = s.Dial("/ws/fresh", testsite.Bearer(renewed.AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "PASETO access token is not fresh")
	conn, _ = s.Dial("/ws", testsite.Bearer(renewed.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")
}

func TestScopes(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	conn, _ := s.Dial("/ws/admin", testsite.Bearer(s.Login("alice").AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token scope is not sufficient")

	// The scope outlives a refresh.
	renewed, _ := s.Refresh(s.Login("admin").RefreshToken.Reveal())
	conn, _ = s.Dial("/ws/admin", testsite.Bearer(renewed.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "admin")
}

func TestTokenTypes(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	tokens := s.Login("alice")

	conn, _ := s.Dial("/ws", testsite.Bearer(tokens.RefreshToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Access token required but refresh provided")
	conn, _ = s.Dial("/ws/refresh", testsite.Bearer(tokens.AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Refresh token required but access provided")
	conn, _ = s.Dial("/ws/refresh", testsite.Bearer(tokens.RefreshToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")

	if _, res := s.Refresh(tokens.AccessToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh with an access token answers %s", res.Status)
	}
	if _, res := s.Refresh(tokens.RefreshToken.Reveal()); res.StatusCode != http.StatusOK {
		t.Errorf("refresh answers %s", res.Status)
	}
}

// TestExpiryDuringConnection: a socket does not outlive its token, whether the
// client is silent or talking.
func TestExpiryDuringConnection(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	silent, first := dialBriefly(t, s, "alice")
	talking, second := dialBriefly(t, s, "alice")

	for err := error(nil); err == nil; {
		if err = talking.WriteMessage(websocket.TextMessage, []byte("x")); err == nil {
			_, _, err = testsite.Read(talking)
		}
		var closed *websocket.CloseError
		if err != nil && (!errors.As(err, &closed) || closed.Code != websocket.ClosePolicyViolation || closed.Text != "Token expired.") {
			t.Errorf("the talking socket ends with %v", err)
		}
	}
	if early := time.Until(second.Claims.ExpiresAt); early > 0 {
		t.Errorf("closed %s before the expiry", early)
	}
	testsite.WantClose(t, silent, websocket.ClosePolicyViolation, "Token expired.")
	if early := time.Until(first.Claims.ExpiresAt); early > 0 {
		t.Errorf("closed %s before the expiry", early)
	}
	conn, _ := s.Dial("/ws", testsite.Bearer(first.Token.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token expired.")
}

// dialBriefly opens a socket whose token lives for two seconds; or longer, where
// the machine is too slow for that.
func dialBriefly(t *testing.T, s *testsite.Site, name string) (*websocket.Conn, paseto.Issued) {
	t.Helper()
	for ttl := 2 * time.Second; ; ttl *= 2 {
		token, err := s.Kit.Authorizer.IssueAccess(paseto.Grant{Subject: name, TTL: ttl})
		if err != nil {
			t.Fatal(err)
		}
		conn, _ := s.Dial("/ws", testsite.Bearer(token.Token.Reveal()))
		if conn == nil {
			t.Fatal("the handshake was refused")
		}
		_, data, err := testsite.Read(conn)
		switch {
		case string(data) == "hello "+name:
			return conn, token
		case time.Now().Before(token.Claims.ExpiresAt):
			t.Fatalf("the server says %q, %v", data, err)
		}
	}
}

func TestLogoutThenReconnect(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	tokens, other := s.Login("alice"), s.Login("alice")

	if res := s.Post(s.Client, "/logout", tokens.AccessToken.Reveal(), nil, nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("logout answers %s", res.Status)
	}
	conn, _ := s.Dial("/ws", testsite.Bearer(tokens.AccessToken.Reveal()))
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
	if _, res := s.Refresh(tokens.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh after logout answers %s", res.Status)
	}
	// Another login of the same user goes on.
	conn, _ = s.Dial("/ws", testsite.Bearer(other.AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")
}

// TestLogoutEverywhere: it closes the sockets of all logins of a user, and none of others, and nothing of these logins
// is of use after it.
func TestLogoutEverywhere(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	phone, laptop, bob := s.Login("alice"), s.Login("alice"), s.Login("bob")
	connect := func(name string, tokens httpauth.Tokens) *websocket.Conn {
		conn, _ := s.Dial("/ws", testsite.Bearer(tokens.AccessToken.Reveal()))
		testsite.WantGreeting(t, conn, name)
		return conn
	}
	open := []*websocket.Conn{connect("alice", phone), connect("alice", laptop)}
	spared := connect("bob", bob)

	if res := s.Post(s.Client, "/logout/everywhere", phone.AccessToken.Reveal(), nil, nil); res.StatusCode != http.StatusNoContent {
		t.Fatalf("logout answers %s", res.Status)
	}
	for i, tokens := range []httpauth.Tokens{phone, laptop} {
		testsite.WantClose(t, open[i], websocket.ClosePolicyViolation, "Token has been revoked")
		conn, _ := s.Dial("/ws", testsite.Bearer(tokens.AccessToken.Reveal()))
		testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "Token has been revoked")
		if _, res := s.Refresh(tokens.RefreshToken.Reveal()); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("refresh answers %s", res.Status)
		}
	}
	if err := spared.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
		t.Error(err)
	}
	if _, data, err := testsite.Read(spared); string(data) != "still here" {
		t.Errorf("the socket of another user says %q, %v", data, err)
	}
	connect("bob", bob)
}

func TestIssuerAndAudience(t *testing.T) {
	t.Parallel()
	const common = "token: {keys: [" + testsite.Key + "], "
	s := testsite.Open(t, common+`issuer: us, audience: [chat], require_issuer: us, require_audience: [chat, mail]}`)
	conn, _ := s.Dial("/ws", testsite.Bearer(s.Login("alice").AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")

	for _, test := range []struct{ name, theirs, reason string }{
		{"no issuer", "audience: [chat]}", "Token is missing the 'iss' claim"},
		{"wrong issuer", "issuer: them, audience: [chat]}", "Token issuer is not valid"},
		{"no audience", "issuer: us}", "aud verification failed."},
		{"wrong audience", "issuer: us, audience: [video]}", "aud verification failed."},
	} {
		t.Run(test.name, func(t *testing.T) {
			theirs := testsite.Open(t, common+test.theirs)
			conn, _ := s.Dial("/ws", testsite.Bearer(theirs.Login("alice").AccessToken.Reveal()))
			testsite.WantClose(t, conn, websocket.ClosePolicyViolation, test.reason)
		})
	}
}

func TestRejectModes(t *testing.T) {
	t.Parallel()
	byClose := testsite.Open(t, testsite.Everywhere)
	conn, _ := byClose.Dial("/ws", nil)
	testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "PASETO Authorization Token required")

	byHTTP := testsite.Open(t, "token: {keys: ["+testsite.Key+"]}\nwebsocket: {reject: http}")
	conn, res := byHTTP.Dial("/ws", nil)
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
	issuer := testsite.Open(t, `token: {purpose: public, keys: [k4.secret.tMv7Q99M4hByfZU-SnEzB_oZu32fhQQUONnhG5QqN3Qeudu7vAR8A_1wYE4AcfCYfhayi3VyJcEfAEFdDiCxog]}`)
	verifier := testsite.Open(t, `token: {purpose: public, verify_only: true, keys: [k4.public.Hrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI]}`)
	token := issuer.Login("alice").AccessToken.Reveal()
	if !strings.HasPrefix(token, "v4.public.") {
		t.Fatal("the token is not signed")
	}
	conn, _ := verifier.Dial("/ws", testsite.Bearer(token))
	testsite.WantGreeting(t, conn, "alice")
	for path, token := range map[string]string{"/login": "", "/ticket": token, "/logout": token} {
		if res := verifier.Post(verifier.Client, path, token, testsite.Credentials("a"), nil); res.StatusCode != http.StatusNotImplemented {
			t.Errorf("%s at a service that only verifies answers %s", path, res.Status)
		}
	}
}

// TestBadInput: whatever comes, the client is told what is wrong and the server
// lives.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := testsite.Open(t, testsite.Everywhere)
	huge := strings.Repeat("A", 1<<20)
	for _, test := range []struct {
		name, path string
		header     http.Header
		reason     string
	}{
		{"junk", "/ws", testsite.Bearer("junk"), "Invalid PASETO format"},
		{"huge", "/ws", testsite.Bearer("v4.local." + huge), "Invalid PASETO format"},
		{"a megabyte of dots", "/ws", testsite.Bearer(strings.Repeat(".", 1<<20)), "Invalid PASETO format"},
		{"huge in the URL", "/ws?token=" + huge, nil, "Invalid PASETO format"},
		{"no scheme", "/ws", http.Header{"Authorization": {"v4.local.x"}}, "Bad Authorization header. Expected value 'Bearer <PASETO>'"},
		{"two tokens", "/ws?token=a", testsite.Bearer("b"), "More than one token was sent. Expected exactly one"},
		{"version", "/ws", testsite.Bearer("v9.local.AAAA"), "Invalid PASETO version v9"},
		{"purpose", "/ws", testsite.Bearer("v4.other.AAAA"), "Invalid PASETO purpose other"},
		{"forged", "/ws", testsite.Bearer("v4.local." + strings.Repeat("A", 100)), "Failed to decrypt."},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, _ := s.Dial(test.path, test.header)
			testsite.WantClose(t, conn, websocket.ClosePolicyViolation, test.reason)
		})
	}
	conn, _ := s.Dial("/ws", testsite.Bearer(s.Login("alice").AccessToken.Reveal()))
	testsite.WantGreeting(t, conn, "alice")
}
