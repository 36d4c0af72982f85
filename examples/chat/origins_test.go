package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
)

// allowed is another origin whose pages may use the chat.
const allowed = "https://app.example.com"

// startShared serves a chat to the pages of another origin.
func startShared(t *testing.T) *httptest.Server {
	t.Helper()
	return startChat(t, func(cfg *config.Config) {
		cfg.HTTP.AllowedOrigins = []string{allowed}
		cfg.WebSocket.AllowedOrigins = []string{allowed, "https://*.example.net"}
	})
}

// ask sends a request as the page of an origin would, and returns status and
// header of the answer.
func ask(t *testing.T, server *httptest.Server, method, path, origin string, header map[string]string, body string) (int, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		request.Header.Set("Origin", origin)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, response.Header
}

// TestOtherOrigins: a configured origin's pages may use each endpoint, and log in,
// where a login sets cookies; no others may, and none without configuration.
func TestOtherOrigins(t *testing.T) {
	shared, alone := startShared(t), startChat(t)
	body := fmt.Sprintf(`{"username":"alice","password":%q}`, demoPassword)
	for _, page := range []struct {
		name   string
		server *httptest.Server
		origin string
		may    bool
	}{
		{"allowed", shared, allowed, true},
		{"another", shared, "https://evil.example", false},
		{"none allowed", alone, allowed, false},
	} {
		t.Run(page.name, func(t *testing.T) {
			want, login := "", http.StatusForbidden
			if page.may {
				want, login = page.origin, http.StatusOK
			}
			for path, method := range map[string]string{
				"/login": "POST", "/refresh": "POST", "/logout": "POST", "/logout/everywhere": "POST",
				"/logout/others": "POST", "/ticket": "POST", "/me": "GET",
			} {
				_, header := ask(t, page.server, http.MethodOptions, path, page.origin, map[string]string{
					"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type",
				}, "")
				if got := header.Get("Access-Control-Allow-Origin"); got != want {
					t.Errorf("a preflight of %s allows the origin %q, want %q", path, got, want)
				}
			}
			status, _ := ask(t, page.server, http.MethodPost, "/login", page.origin, map[string]string{"Content-Type": "application/json"}, body)
			if status != login {
				t.Errorf("a login is answered with %d, want %d", status, login)
			}
		})
	}
}
