package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

func newConfig() *config.Config {
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(paseto.NewLocalKey().Export())}}
	return cfg
}

// ask sends a request, and returns the status and body of the answer.
func ask(h http.Handler, method, path, body, token string) (int, string) {
	r, w := httptest.NewRequest(method, path, strings.NewReader(body)), httptest.NewRecorder()
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestShop uses a token with a footer and an implicit assertion, wrapped in base64.
func TestShop(t *testing.T) {
	kit, err := openShop(t.Context(), newConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	routes := http.NewServeMux()
	shopRoutes(routes, kit.HTTP)
	_, body := ask(routes, "POST", "/login", "username=alice&password=demo", "")
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &tokens); err != nil || strings.Contains(tokens.Access, ".") || tokens.Access == "" {
		t.Fatalf("the login is answered with %s, %v; want a wrapped token", body, err)
	}
	if status, body := ask(routes, "GET", "/basket", "", tokens.Access); status != 200 || body != "alice in shop-7\n" {
		t.Errorf("the route answers %d %q", status, body)
	}
	for name, grant := range map[string]paseto.Grant{
		"decryption_failed": {Subject: "alice", Base64: true, Implicit: []byte("shop-8")},
		"base64_invalid":    {Subject: "alice", Implicit: []byte("shop-7")},
	} {
		other, err := kit.Authorizer.IssueAccess(grant)
		if err != nil {
			t.Fatal(err)
		}
		if status, body := ask(routes, "GET", "/basket", "", other.Token.Reveal()); status != 401 || !strings.Contains(body, name) {
			t.Errorf("another token gets %d %q, want 401 %s", status, body, name)
		}
	}
}

// TestSocket opens a socket behind the middleware.
func TestSocket(t *testing.T) {
	kit, err := config.Open(t.Context(), newConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	server := httptest.NewServer(handler(kit, slog.New(slog.DiscardHandler)))
	defer server.Close()
	defer func() { _ = kit.Guard.Shutdown(context.Background()) }()
	access, err := kit.Authorizer.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	conn, answer, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/ws",
		http.Header{"Authorization": {"Bearer " + access.Token.Reveal()}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	if _, message, err := conn.ReadMessage(); err != nil || string(message) != "hello, alice" {
		t.Errorf("the socket says %q, %v", message, err)
	}
}
