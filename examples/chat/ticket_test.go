package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// buy buys a ticket for a path and an origin, where they are given.
func buy(t *testing.T, server *httptest.Server, token, path, origin string) string {
	t.Helper()
	var ticket httpauth.Ticket
	if status := post(t, server, "/ticket", token, fmt.Sprintf(`{"path":%q,"origin":%q}`, path, origin), &ticket); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	return ticket.Ticket.Reveal()
}

// TestTicket: a ticket opens one socket, at its path and for its page.
func TestTicket(t *testing.T) {
	server := startShared(t)
	token := login(t, server, "alice").AccessToken.Reveal()
	cookie := "__Host-access_token=" + token
	for _, tc := range []struct {
		name, bought, path, origin, cookie, reason string
	}{
		{name: "ticket", bought: "/ws/ticket", path: "/ws/ticket", origin: allowed},
		{name: "where other tokens count too", bought: "/ws", path: "/ws", origin: allowed},
		{name: "fresh", bought: "/ws/fresh", path: "/ws/fresh", origin: allowed},
		{name: "beside a cookie", bought: "/ws/ticket", path: "/ws/ticket", origin: allowed, cookie: cookie},
		{
			name: "beside a cookie that counts", bought: "/ws", path: "/ws", origin: allowed, cookie: cookie,
			reason: "More than one token was sent. Expected exactly one",
		},
		{name: "other path", bought: "/ws/ticket", path: "/ws", origin: allowed, reason: "Ticket is not valid here"},
		{name: "other origin", bought: "/ws/ticket", path: "/ws/ticket", origin: "https://a.example.net", reason: "Ticket is not valid here"},
		{name: "no origin", bought: "/ws/ticket", path: "/ws/ticket", reason: "Ticket is not valid here"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ticket := buy(t, server, token, tc.bought, allowed)
			open := func() *websocket.Conn {
				header := make(http.Header)
				for name, value := range map[string]string{"Origin": tc.origin, "Cookie": tc.cookie} {
					if value != "" {
						header.Set(name, value)
					}
				}
				dialer := websocket.Dialer{HandshakeTimeout: testtool.Patience}
				url := "ws" + strings.TrimPrefix(server.URL, "http") + tc.path + "?ticket=" + ticket
				ws, response, err := dialer.DialContext(t.Context(), url, header)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				t.Cleanup(func() { ws.Close() })
				return ws
			}
			ws := open()
			if tc.reason != "" {
				wantRefused(t, ws, tc.reason)
				return
			}
			next(t, ws, "room")
			if tc.cookie == "" {
				wantRefused(t, open(), "Ticket has been used", "Token expired.") // which a slow machine makes it
			}
		})
	}
}

// Without a denylist there are no tickets, and the rest goes on.
func TestNoTicketsWithoutDenylist(t *testing.T) {
	t.Setenv("PASETOKIT_DENYLIST__DISABLED", "true")
	server := serve(t, configured(t))
	token := login(t, server, "alice").AccessToken.Reveal()
	status, _ := ask(t, server, http.MethodPost, "/ticket", "", map[string]string{"Authorization": "Bearer " + token}, "")
	if status != http.StatusNotImplemented {
		t.Errorf("status %d, want 501", status)
	}
	next(t, dial(t, server, "/ws", token), "room")
}

// TestOtherServer: the page talks to the server that it was made for, and the
// browser holds it to that.
func TestOtherServer(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	addPage(mux, "https://chat.example.com:8443")
	answer := httptest.NewRecorder()
	secured("https://chat.example.com:8443", mux).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if body := answer.Body.String(); answer.Code != http.StatusOK || !strings.Contains(body, `data-server="https://chat.example.com:8443"`) {
		t.Errorf("status %d, and the page is not told: %.80s", answer.Code, body)
	}
	const want = "; connect-src https://chat.example.com:8443 wss://chat.example.com:8443; "
	if got := answer.Header().Get("Content-Security-Policy"); !strings.Contains(got, want) {
		t.Errorf("policy is %q, want %q", got, want)
	}
}

func TestServerIsAnOrigin(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"http://127.0.0.1:8080", "https://chat.example.com", "http://[::1]:8080"} {
		if err := checkServer(server); err != nil {
			t.Error(err)
		}
	}
	for _, server := range []string{
		"127.0.0.1:8080", "http://", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/chat", "https://*.example.com", "ws://127.0.0.1:8080",
		"javascript://example.com", "http://user@example.com", "https://a.example; script-src *", "https://a.example https://b.example",
	} {
		if err := checkServer(server); err == nil || !strings.Contains(err.Error(), "-server") {
			t.Errorf("%s: got %v, want an error that names -server", server, err)
		}
	}
}
