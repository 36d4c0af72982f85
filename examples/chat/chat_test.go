package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestMain clears the environment of what would configure the chat. At the end it removes what tests compiled.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, config.EnvPrefix) {
			_ = os.Unsetenv(name) // never fails for a name that there is
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		testsite.RemoveChat()
		os.Exit(code)
	}))
}

// startChat serves a chat that is configured as without any configuration, but
// for what the test changes.
func startChat(t *testing.T, changes ...func(*config.Config)) *httptest.Server {
	t.Helper()
	cfg := configured(t)
	for _, change := range changes {
		change(cfg)
	}
	return serve(t, cfg)
}

// configured returns the configuration that the environment makes.
func configured(t *testing.T) *config.Config {
	t.Helper()
	cfg, err := configure("", log.New(io.Discard, "", 0))
	if err != nil {
		t.Fatal(err)
	}
	// For slow machines.
	cfg.Token.AccessTTL = 24 * time.Hour
	cfg.WebSocket.CloseTimeout = time.Minute
	cfg.WebSocket.MessageTimeout = 24 * time.Hour
	cfg.WebSocket.PingInterval = 24 * time.Hour
	return cfg
}

func serve(t *testing.T, cfg *config.Config) *httptest.Server {
	t.Helper()
	kit, err := config.Open(t.Context(), cfg, config.WithConnContext(withVisit))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(routes(kit, newUsers(), ""))
	t.Cleanup(func() {
		if err := shutDown(context.Background(), server.Config, kit); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return server
}

// post sends a request with a token, or without one if that is empty, and decodes
// the answer's body if there is one. It returns the status.
func post(t *testing.T, server *httptest.Server, path, token, body string, answer any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil && response.StatusCode != http.StatusNoContent {
		t.Fatalf("%s: status %d, error %v", path, response.StatusCode, err)
	}
	return response.StatusCode
}

func login(t *testing.T, server *httptest.Server, username string) httpauth.Tokens {
	t.Helper()
	var tokens httpauth.Tokens
	if status := post(t, server, "/login", "", fmt.Sprintf(`{"username":%q,"password":%q}`, username, demoPassword), &tokens); status != http.StatusOK {
		t.Fatalf("login of %s: status %d", username, status)
	}
	return tokens
}

func refresh(t *testing.T, server *httptest.Server, token string) httpauth.Tokens {
	t.Helper()
	var tokens httpauth.Tokens
	if status := post(t, server, "/refresh", "", fmt.Sprintf(`{"refresh_token":%q}`, token), &tokens); status != http.StatusOK {
		t.Fatalf("refresh: status %d", status)
	}
	return tokens
}

// dial opens a socket as a page does, or as a guest without a token.
func dial(t *testing.T, server *httptest.Server, path, token string) *websocket.Conn {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: testtool.Patience}
	if token != "" {
		dialer.Subprotocols = []string{"paseto.bearer", token}
	}
	ws, response, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	t.Cleanup(func() { ws.Close() })
	return ws
}

// next returns the next frame of a type, past all others.
func next(t *testing.T, ws *websocket.Conn, kind string) frame {
	t.Helper()
	for {
		var f frame
		if err := readJSON(ws, &f); err != nil {
			t.Fatalf("waiting for %s: %v", kind, err)
		}
		if f.Type == kind {
			return f
		}
	}
}

// read returns the next message, if it comes within [testtool.Patience].
func read(ws *websocket.Conn) ([]byte, error) {
	_ = ws.SetReadDeadline(testtool.Deadline())
	_, data, err := ws.ReadMessage()
	return data, err
}

func readJSON(ws *websocket.Conn, v any) error {
	data, err := read(ws)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func TestChat(t *testing.T) {
	server := startChat(t)
	alice := dial(t, server, "/ws", login(t, server, "alice").AccessToken.Reveal())
	next(t, alice, "people")
	bob := dial(t, server, "/ws/query?token="+login(t, server, "bob").AccessToken.Reveal(), "")
	if got := next(t, alice, "joined").From; got != "bob" {
		t.Errorf("alice sees %q join, want bob", got)
	}
	if got := next(t, alice, "people").People; !slices.Equal(got, []string{"alice", "bob"}) {
		t.Errorf("alice sees %q, want alice and bob", got)
	}

	if err := bob.WriteJSON(frame{Type: "message", From: "alice", Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	if got := next(t, alice, "message"); got.Text != "hello" || got.From != "bob" || got.At.IsZero() {
		t.Errorf("alice got %+v, want bob's hello", got)
	}

	guest := dial(t, server, "/ws/optional", "")
	if got := brief(next(t, guest, "room").Past); got != "message bob hello" {
		t.Errorf("the guest reads %q, want the past", got)
	}
	if err := guest.WriteJSON(frame{Type: "message", Text: "let me in"}); err != nil {
		t.Fatal(err)
	}
	if got := next(t, guest, "error").Text; !strings.Contains(got, "Log in") {
		t.Errorf("the guest is told %q", got)
	}

	bob.Close()
	if got := next(t, alice, "left").From; got != "bob" {
		t.Errorf("alice sees %q leave, want bob", got)
	}
}

func TestRoutesAskForTheirTokens(t *testing.T) {
	server := startChat(t, func(cfg *config.Config) { cfg.WebSocket.MessageTimeout = 100 * time.Millisecond })
	tokens := login(t, server, "alice")
	refreshed := refresh(t, server, tokens.RefreshToken.Reveal()).AccessToken.Reveal()
	for _, tc := range []struct{ name, path, token, reason string }{
		{name: "access token", path: "/ws", token: tokens.AccessToken.Reveal()},
		{name: "no token", path: "/ws", reason: "PASETO Authorization Token required"},
		{name: "refresh token", path: "/ws", token: tokens.RefreshToken.Reveal(), reason: "Access token required but refresh provided"},
		{name: "subprotocol where the query counts", path: "/ws/query", token: tokens.AccessToken.Reveal(), reason: "PASETO Authorization Token required"},
		{name: "fresh token", path: "/ws/fresh", token: tokens.AccessToken.Reveal()},
		{name: "refreshed token", path: "/ws/fresh", token: refreshed, reason: "PASETO access token is not fresh"},
		{name: "refreshed token elsewhere", path: "/ws", token: refreshed},
		{name: "subprotocol where the first message counts", path: "/ws/message", token: tokens.AccessToken.Reveal(), reason: "No token came in time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ws := dial(t, server, tc.path, tc.token)
			if tc.reason == "" {
				next(t, ws, "room")
				return
			}
			wantRefused(t, ws, tc.reason)
		})
	}
}

// A client that does not read is dropped, and the others go on.
func TestSlowClient(t *testing.T) {
	server := startChat(t)
	alice := dial(t, server, "/ws", login(t, server, "alice").AccessToken.Reveal())
	slow := dial(t, server, "/ws", login(t, server, "bob").AccessToken.Reveal())
	if tcp, ok := slow.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10) // so that it is slow soon
	}
	next(t, alice, "joined")

	text := strings.Repeat("😀", maxText)
	for f := (frame{}); f.Type != "left"; {
		if err := alice.WriteJSON(frame{Type: "message", Text: text}); err != nil {
			t.Fatal(err)
		}
		for f.Type = ""; f.Type != "message" && f.Type != "left"; {
			if err := readJSON(alice, &f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMe(t *testing.T) {
	server := startChat(t)
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/me", http.NoBody)
	request.Header.Set("Authorization", "Bearer "+login(t, server, "admin").AccessToken.Reveal())
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got profile
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Subject != "admin" || !slices.Equal(got.Scopes, []string{"admin"}) || !got.Fresh ||
		got.ExpiresAt.IsZero() || got.ExpiresIn == nil || *got.ExpiresIn <= 0 || *got.ExpiresIn > 24*60*60 {
		t.Errorf("got %+v, want a fresh token of admin that lives for a day", got)
	}
}

func TestPage(t *testing.T) {
	server := startChat(t)
	pages := map[string]string{"/": "text/html", "/page.css": "text/css", "/closures.js": "text/javascript"}
	modules, err := fs.Glob(assets, "page/*.js")
	if err != nil || len(modules) == 0 {
		t.Fatalf("the page has the modules %q, %v", modules, err)
	}
	for _, module := range modules {
		pages["/"+path.Base(module)] = "text/javascript"
	}
	for path, media := range pages {
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		policy := response.Header.Get("Content-Security-Policy")
		switch {
		case response.StatusCode != http.StatusOK, !strings.HasPrefix(response.Header.Get("Content-Type"), media):
			t.Errorf("%s: status %d, type %s", path, response.StatusCode, response.Header.Get("Content-Type"))
		case !strings.Contains(policy, "default-src 'none'"), !strings.Contains(policy, "connect-src 'self';"), strings.Contains(policy, "unsafe"):
			t.Errorf("%s: policy %q is not strict", path, policy)
		case response.Header.Get("X-Content-Type-Options") != "nosniff", response.Header.Get("Referrer-Policy") == "":
			t.Errorf("%s: headers %v", path, response.Header)
		case bytes.Contains(body, []byte("innerHTML")), bytes.Contains(body, []byte("localStorage")):
			t.Errorf("%s: what others write must not become HTML, and tokens must not be stored", path)
		}
	}
}

func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, "127.0.0.1:0", "", "", stdout, io.Discard) }()
	var url string
	if _, err := fmt.Fscanf(out, "listening on %s\n", &url); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	http.DefaultClient.CloseIdleConnections()

	if err := run(ctx, strings.TrimPrefix(url, "http://"), "", "", io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("on a port in use: got %v, want an error that names -addr", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestStopTellsSocketsFirst: a request that hangs when the chat is stopped keeps the
// close from no socket.
func TestStopTellsSocketsFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, "127.0.0.1:0", "", "", stdout, io.Discard) }()
	server := httptest.NewServer(nil) // for its client
	defer server.Close()
	if _, err := fmt.Fscanf(out, "listening on %s\n", &server.URL); err != nil {
		t.Fatal(err)
	}
	alice, _ := enter(t, server, "/ws", login(t, server, "alice").AccessToken.Reveal())
	server.Client().CloseIdleConnections()

	post, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer post.Close()
	const head = "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
	if _, err := io.WriteString(post, head); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(post)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the answer begins with %q, %v", line, err)
	}
	cancel()
	wantClosed(t, alice, wsauth.CloseGoingAway, "Server is shutting down")
	select {
	case err := <-done:
		t.Fatalf("the chat has ended with %v, and the request hangs", err)
	default:
	}
	if _, err := io.WriteString(post, "{}"); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(answer); err != nil || !bytes.Contains(rest, []byte("HTTP/1.1 4")) {
		t.Errorf("the request is answered with %q, %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestRunNamesWhatIsWrongWithAConfiguration(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, content, want string }{
		{"unknown key", "token:\n  acces_ttl: 5m\n", "token.acces_ttl"},
		{"broken", "token: [", "auth.yaml"},
		{"missing", "", "auth.yaml"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "auth.yaml")
			if tc.content != "" {
				if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := run(t.Context(), "127.0.0.1:0", file, "", io.Discard, io.Discard)
			if err == nil || !strings.Contains(oneLine(err), tc.want) || strings.Contains(oneLine(err), "\n") {
				t.Errorf("got %v, want one line that names %s", err, tc.want)
			}
		})
	}
}
