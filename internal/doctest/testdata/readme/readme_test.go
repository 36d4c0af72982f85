package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestRoutes opens the socket with a token and without.
func TestRoutes(t *testing.T) {
	cfg := config.Default()
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(paseto.NewLocalKey().Export())}}
	kit, err := config.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer kit.Close()
	server := httptest.NewServer(routes(kit, nil))
	defer server.Close()

	pair, err := kit.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ token, want string }{
		{"Bearer " + pair.Access.Token.Reveal(), ""},
		{"", "websocket: close 1008 (policy violation): PASETO Authorization Token required"},
	} {
		header := make(http.Header)
		if test.token != "" {
			header.Set("Authorization", test.token)
		}
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/ws", header)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.WriteMessage(websocket.TextMessage, []byte("hello"))
		_, message, err := conn.ReadMessage()
		if test.want == "" && (err != nil || string(message) != "hello") {
			t.Errorf("with a token the answer is %q, %v", message, err)
		}
		if test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("without one the answer is %q, %v; want %s", message, err, test.want)
		}
	}
}
