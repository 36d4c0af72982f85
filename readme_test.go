package pasetokit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func routes(kit *config.Kit, hashes map[string]string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /login", kit.HTTP.Login(func(ctx context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		if err := httpauth.CheckPassword(hashes[c.Username], c.Password); err != nil { // "" for an unknown user
			return paseto.Grant{}, err
		}
		return paseto.Grant{Subject: c.Username}, nil
	}))
	mux.Handle("POST /refresh", kit.HTTP.Refresh())
	mux.Handle("POST /logout", kit.HTTP.Logout())
	mux.Handle("POST /ticket", kit.HTTP.Ticket())
	mux.Handle("/ws", kit.Guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		for {
			kind, message, err := conn.ReadMessage() // fails once the token has expired or is revoked
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	}))
	return mux
}

// Example is the example of the README, with a client.
func Example() {
	cfg := config.Default()
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(key)}}
	kit, err := config.Open(context.Background(), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kit.Close()
	server := httptest.NewServer(routes(kit, nil))
	defer server.Close()
	defer func() { _ = kit.Guard.Shutdown(context.Background()) }()

	pair, err := kit.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	url := "ws" + strings.TrimPrefix(server.URL, "http") + "/ws"
	conn, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {"Bearer " + pair.Access.Token.Reveal()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	_, message, err := conn.ReadMessage()
	fmt.Println(string(message), err)

	stranger, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stranger.Close()
	_, _, err = stranger.ReadMessage()
	fmt.Println(err)
	// Output:
	// hello <nil>
	// websocket: close 1008 (policy violation): PASETO Authorization Token required
}

// TestReadme checks that the README shows the code of the example above.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(readme), "```go\n")
	block, _, closed := strings.Cut(block, "```")
	if !found || !closed {
		t.Fatal("the README shows no Go code")
	}
	if !strings.Contains(string(source), block) {
		t.Errorf("the README's code is not that of the example:\n%s", block)
	}
}
