package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
)

const (
	allowed = "https://app.example.com"
	trusted = "https://trusted.example.com"
)

// startShared serves a chat to the pages of other origins.
func startShared(t *testing.T) *httptest.Server {
	t.Helper()
	return startChat(t, func(cfg *config.Config) {
		cfg.WebSocket.AllowedOrigins = []string{allowed, "https://*.example.net", "HTTP://local.example:80", "https://local.example:443"}
		cfg.HTTP.Cookie.TrustedOrigins = []string{trusted}
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

// allows returns what the header of an answer lets browsers do.
func allows(header http.Header) map[string]string {
	got := make(map[string]string)
	for name := range header {
		if short, ok := strings.CutPrefix(name, "Access-Control-Allow-"); ok {
			got[short] = header.Get(name)
		}
	}
	return got
}

// TestOtherOrigins: which pages may read an answer, with cookies or without.
func TestOtherOrigins(t *testing.T) {
	server := startShared(t)
	token := map[string]string{"Authorization": "Bearer " + login(t, server, "alice").AccessToken.Reveal()}
	without := func(origin string) map[string]string { return map[string]string{"Origin": origin} }
	for _, tc := range []struct {
		name, origin string
		want         map[string]string
	}{
		{"allowed", allowed, without(allowed)},
		{"below an allowed domain", "https://a.example.net", without("https://a.example.net")},
		{"configured with its default port", "http://local.example", without("http://local.example")},
		{"configured with its default port, TLS", "https://local.example", without("https://local.example")},
		{"trusted", trusted, map[string]string{"Origin": trusted, "Credentials": "true"}},
		{"another", "https://evil.example", nil},
		{"allowed, by another scheme", "http://app.example.com", nil},
		{"allowed, on another port", allowed + ":8443", nil},
		{"the domain itself", "https://example.net", nil},
		{"trusted as a prefix", trusted + ".evil.example", nil},
		{"none", "null", nil},
		{"no browser", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, header := ask(t, server, http.MethodGet, "/me", tc.origin, token, "")
			if got := allows(header); status != http.StatusOK || !maps.Equal(got, tc.want) {
				t.Errorf("status %d, allowed %v, want %v", status, got, tc.want)
			}
			if tc.want != nil && !strings.Contains(header.Get("Vary"), "Origin") {
				t.Error("a cache would give the answer to other origins")
			}
		})
	}
}

// TestPreflight: what browsers are told before they send a request of another
// origin's page.
func TestPreflight(t *testing.T) {
	server := startShared(t)
	for path, method := range map[string]string{
		"/login": "POST", "/refresh": "POST", "/logout": "POST", "/logout/everywhere": "POST",
		"/logout/others": "POST", "/ticket": "POST", "/me": "GET",
	} {
		yes := map[string]string{"Origin": allowed, "Methods": method, "Headers": "authorization,content-type"}
		with := maps.Clone(yes)
		with["Origin"], with["Credentials"] = trusted, "true"
		for _, tc := range []struct {
			name, origin, method, headers string
			want                          map[string]string
		}{
			{"allowed", allowed, method, "authorization,content-type", yes},
			{"trusted", trusted, method, "authorization,content-type", with},
			{"another origin", "https://evil.example", method, "authorization,content-type", nil},
			{"another method", allowed, "DELETE", "authorization,content-type", nil},
			{"another header", allowed, method, "x-other", nil},
		} {
			t.Run(path+"/"+tc.name, func(t *testing.T) {
				status, header := ask(t, server, http.MethodOptions, path, tc.origin, map[string]string{
					"Access-Control-Request-Method": tc.method, "Access-Control-Request-Headers": tc.headers,
				}, "")
				if got := allows(header); !maps.Equal(got, tc.want) {
					t.Errorf("status %d, allowed %v, want %v", status, got, tc.want)
				}
			})
		}
	}
	for _, path := range []string{"/", "/page.js", "/ws", "/ws/ticket"} {
		if _, header := ask(t, server, http.MethodGet, path, allowed, nil, ""); len(allows(header)) > 0 {
			t.Errorf("%s: allowed %v, and no page of another origin needs it", path, allows(header))
		}
	}
}

// Without configured origins, nobody may: an empty list must not mean all.
func TestNoOtherOrigins(t *testing.T) {
	server := startChat(t)
	if _, header := ask(t, server, http.MethodGet, "/me", allowed, nil, ""); len(allows(header)) > 0 {
		t.Errorf("allowed %v", allows(header))
	}
	preflight := map[string]string{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
	if _, header := ask(t, server, http.MethodOptions, "/login", allowed, preflight, ""); len(allows(header)) > 0 {
		t.Errorf("a preflight is allowed %v", allows(header))
	}
}

// A login that sets cookies is refused to all but trusted pages, whatever they
// may read.
func TestCrossOriginLogin(t *testing.T) {
	server := startShared(t)
	body := fmt.Sprintf(`{"username":"alice","password":%q}`, demoPassword)
	header := map[string]string{"Content-Type": "application/json"}
	for origin, want := range map[string]int{
		trusted: http.StatusOK, allowed: http.StatusForbidden, "https://evil.example": http.StatusForbidden,
	} {
		if got, _ := ask(t, server, http.MethodPost, "/login", origin, header, body); got != want {
			t.Errorf("from %s: status %d, want %d", origin, got, want)
		}
	}
}
