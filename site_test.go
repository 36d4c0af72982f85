package pasetokit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// site is a server, most often one as a user of this module would write it.
type site struct {
	URL    string
	client *http.Client
	kit    *config.Kit // nil for a site in another process
	stop   func()      // done at the end of the test, if not before
	t      *testing.T
}

// open starts a site with a configuration file of this content.
func open(t *testing.T, yaml string) *site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "auth.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, cfg)
}

func start(t *testing.T, cfg *config.Config) *site {
	t.Helper()
	cfg.WebSocket.CloseTimeout = time.Minute // the longest there is
	cfg.Denylist.Redis.Timeout = time.Minute
	kit, err := config.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	web, guard := kit.HTTP, kit.Guard
	mux := http.NewServeMux()
	mux.Handle("POST /login", web.Login(checkPassword))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("POST /logout", web.Logout())
	mux.Handle("POST /logout/everywhere", web.LogoutEverywhere())
	mux.Handle("POST /ticket", web.Ticket())
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, paseto.FromContext(r.Context()).Subject)
	}))
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, greet))
	mux.Handle("/ws/fresh", guard.Require(paseto.Requirement{Fresh: true}, greet))
	mux.Handle("/ws/admin", guard.Require(paseto.Requirement{Scopes: []string{"admin"}}, greet))
	mux.Handle("/ws/refresh", guard.Require(paseto.Requirement{Type: paseto.TypeRefresh}, greet))
	mux.Handle("/ws/optional", guard.Require(paseto.Requirement{Optional: true}, greet))

	server := httptest.NewUnstartedServer(web.CORS(mux))
	server.Config.MaxHeaderBytes = 4 << 20 // so that a huge token gets as far as the guard
	server.Start()
	s := &site{URL: server.URL, client: server.Client(), kit: kit, t: t}
	s.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
		defer cancel()
		if err := guard.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		server.Close()
		if err := kit.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func checkPassword(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	if c.Password.Reveal() != "demo" {
		return paseto.Grant{}, httpauth.ErrCredentials
	}
	grant := paseto.Grant{Subject: c.Username}
	if c.Username == "admin" {
		grant.Scopes = []string{"admin"}
	}
	return grant, nil
}

// greet tells the client who it is and then echoes.
func greet(ctx context.Context, conn *wsauth.Conn) {
	name := "nobody"
	if claims := paseto.FromContext(ctx); !claims.Anonymous() {
		name = claims.Subject
	}
	if conn.WriteMessage(wsauth.TextMessage, []byte("hello "+name)) != nil {
		return
	}
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// post sends a JSON body, unless it is nil, and stores the answer's where that
// is asked for.
func (s *site) post(client *http.Client, path, bearer string, body, answer any) *http.Response {
	s.t.Helper()
	var encoded bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&encoded).Encode(body); err != nil {
			s.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+path, &encoded)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer != nil && json.Unmarshal(data, answer) != nil {
		s.t.Fatalf("%s answers %s: %s", path, res.Status, data)
	}
	return res
}

// credentials is the body of a login.
func credentials(username string) map[string]string {
	return map[string]string{"username": username, "password": "demo"}
}

func (s *site) login(username string) httpauth.Tokens {
	s.t.Helper()
	var tokens httpauth.Tokens
	res := s.post(s.client, "/login", "", credentials(username), &tokens)
	if res.StatusCode != http.StatusOK || tokens.AccessToken.Reveal() == "" || tokens.RefreshToken.Reveal() == "" {
		s.t.Fatalf("login answers %s", res.Status)
	}
	return tokens
}

func (s *site) refresh(token string) (httpauth.Tokens, *http.Response) {
	s.t.Helper()
	var tokens httpauth.Tokens
	res := s.post(s.client, "/refresh", "", map[string]string{"refresh_token": token}, &tokens)
	return tokens, res
}

// dial opens a socket; a handshake that is refused over HTTP gives its answer.
func (s *site) dial(path string, header http.Header, protocols ...string) (*websocket.Conn, *http.Response) {
	s.t.Helper()
	dialer := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: testtool.Patience}
	conn, res, err := dialer.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+path, header)
	if err != nil && !errors.Is(err, websocket.ErrBadHandshake) {
		s.t.Fatal(err)
	}
	if conn != nil {
		s.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, res
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// read returns the next message, if it comes within [testtool.Patience].
func read(conn *websocket.Conn) (kind int, data []byte, err error) {
	_ = conn.SetReadDeadline(testtool.Deadline())
	return conn.ReadMessage()
}

// wantGreeting expects an open socket that knows its user.
func wantGreeting(t *testing.T, conn *websocket.Conn, name string) {
	t.Helper()
	if conn == nil {
		t.Fatal("the handshake was refused")
	}
	_, data, err := read(conn)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(data); got != "hello "+name {
		t.Fatalf("the server says %q, want hello %s", got, name)
	}
}

// wantClose expects the socket to end with this code and reason.
func wantClose(t *testing.T, conn *websocket.Conn, code int, reason string) {
	t.Helper()
	if conn == nil {
		t.Fatal("the handshake was refused over HTTP")
	}
	_, data, err := read(conn)
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		t.Fatalf("the server says %q, %v; want a close", data, err)
	}
	if closed.Code != code || closed.Text != reason {
		t.Errorf("closed with %d %q, want %d %q", closed.Code, closed.Text, code, reason)
	}
}
