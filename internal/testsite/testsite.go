// Package testsite serves a site as a user of this module would write it, and speaks with it as its clients do. Tests of
// whole journeys share it.
package testsite

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	_ "github.com/pasetokit/pasetokit/config/bolt" // denylist.store: bolt
	"github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Key encrypts the tokens of the tests that use it.
const Key = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"

// Everywhere is a configuration that accepts tokens wherever they can be.
const Everywhere = `
token: {keys: [` + Key + `], refresh_grace: 5m}
http: {locations: [header, cookie], cookie: {insecure: true}}
websocket: {locations: [header, query, cookie, subprotocol], subprotocols: [chat.v1]}
`

// Site is a server, most often one as a user of this module would write it.
type Site struct {
	URL    string
	Client *http.Client
	Kit    *config.Kit     // nil for a site in another process
	Stop   func()          // done at the end of the test, if not before; nil for a site in another process
	Signal func(os.Signal) // ends a chat, once; nil for others
	t      *testing.T
}

// Open starts a site with a configuration file of this content.
func Open(t *testing.T, yaml string) *Site {
	t.Helper()
	file := filepath.Join(t.TempDir(), "auth.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return Start(t, cfg)
}

// Start starts a site with a configuration. It changes cfg, so that no test fails because the machine is slow.
func Start(t *testing.T, cfg *config.Config) *Site {
	t.Helper()
	cfg.WebSocket.CloseTimeout = time.Minute // the longest there is
	if store, ok := cfg.Denylist.Redis.(*redis.Settings); ok {
		store.Timeout = time.Minute
	}
	kit, err := config.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	web, guard := kit.HTTP, kit.Guard
	mux := http.NewServeMux()
	mux.Handle("POST /login", web.Login(CheckPassword))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("POST /logout", web.Logout())
	mux.Handle("POST /logout/everywhere", web.LogoutEverywhere())
	mux.Handle("POST /ticket", web.Ticket())
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, paseto.FromContext(r.Context()).Subject)
	})))
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, Greet))
	mux.Handle("/ws/fresh", guard.Require(paseto.Requirement{Fresh: true}, Greet))
	mux.Handle("/ws/admin", guard.Require(paseto.Requirement{Scopes: []string{"admin"}}, Greet))
	mux.Handle("/ws/refresh", guard.Require(paseto.Requirement{Type: paseto.TypeRefresh}, Greet))
	mux.Handle("/ws/optional", guard.Require(paseto.Requirement{Optional: true}, Greet))

	server := httptest.NewUnstartedServer(web.CORS(mux))
	server.Config.MaxHeaderBytes = 4 << 20 // so that a huge token gets as far as the guard
	server.Start()
	s := &Site{URL: server.URL, Client: server.Client(), Kit: kit, t: t}
	s.Stop = sync.OnceFunc(func() {
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
	t.Cleanup(s.Stop)
	return s
}

// Remote is a site that another process serves.
func Remote(t *testing.T, url string) *Site {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &Site{URL: url, Client: &http.Client{Transport: transport, Timeout: testtool.Patience}, t: t}
}

// CheckPassword logs in everybody who has the password "demo". The user admin gets the scope admin.
func CheckPassword(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	if c.Password.Reveal() != "demo" {
		return paseto.Grant{}, httpauth.ErrCredentials
	}
	grant := paseto.Grant{Subject: c.Username}
	if c.Username == "admin" {
		grant.Scopes = []string{"admin"}
	}
	return grant, nil
}

// Greet tells the client who it is and then echoes.
func Greet(ctx context.Context, conn *wsauth.Conn) {
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

// Post sends a JSON body, unless it is nil, and stores the answer's where that
// is asked for.
func (s *Site) Post(client *http.Client, path, bearer string, body, answer any) *http.Response {
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
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer != nil && json.Unmarshal(data, answer) != nil {
		s.t.Fatalf("%s answers %s: %s", path, res.Status, data)
	}
	return res
}

// Credentials is the body of a login.
func Credentials(username string) map[string]string {
	return map[string]string{"username": username, "password": "demo"}
}

// Login logs a user in.
func (s *Site) Login(username string) httpauth.Tokens {
	s.t.Helper()
	var tokens httpauth.Tokens
	res := s.Post(s.Client, "/login", "", Credentials(username), &tokens)
	if res.StatusCode != http.StatusOK || tokens.AccessToken.Reveal() == "" || tokens.RefreshToken.Reveal() == "" {
		s.t.Fatalf("login answers %s", res.Status)
	}
	return tokens
}

// Refresh asks for the next tokens.
func (s *Site) Refresh(token string) (httpauth.Tokens, *http.Response) {
	s.t.Helper()
	var tokens httpauth.Tokens
	res := s.Post(s.Client, "/refresh", "", map[string]string{"refresh_token": token}, &tokens)
	return tokens, res
}

// ID returns the jti of a token, which must be valid.
func (s *Site) ID(token, tokenType string) string {
	s.t.Helper()
	claims, err := s.Kit.Authorizer.Verify(s.t.Context(), token, paseto.Requirement{Type: tokenType})
	if err != nil {
		s.t.Error(err)
		return ""
	}
	return claims.ID
}

// Ticket buys a ticket for an access token, and returns the query that carries it.
func (s *Site) Ticket(access string, body any) string {
	s.t.Helper()
	var answer httpauth.Ticket
	if res := s.Post(s.Client, "/ticket", access, body, &answer); res.StatusCode != http.StatusOK {
		s.t.Fatalf("ticket answers %s", res.Status)
	}
	return "?ticket=" + url.QueryEscape(answer.Ticket.Reveal())
}
