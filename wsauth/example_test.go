package wsauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func ExampleGuard_Require() {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}})
	if err != nil {
		panic(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		panic(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{})
	if err != nil {
		panic(err)
	}
	chat := func(_ context.Context, conn *wsauth.Conn) {
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			answer := fmt.Appendf(nil, "%s says: %s", conn.Claims().Subject, data)
			if conn.WriteMessage(kind, answer) != nil {
				return
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, chat))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer func() { _ = guard.Shutdown(context.Background()) }()

	// A client with a token.
	access, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"
	ws, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {"Bearer " + access.Token.Reveal()}})
	if err != nil {
		panic(err)
	}
	defer func() { _ = ws.Close() }()
	_ = ws.WriteMessage(websocket.TextMessage, []byte("hello"))
	_, data, _ := ws.ReadMessage()
	fmt.Println(string(data))

	// A client without one.
	stranger, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = stranger.Close() }()
	_, _, err = stranger.ReadMessage()
	fmt.Println(err)

	// Output:
	// alice says: hello
	// websocket: close 1008 (policy violation): PASETO Authorization Token required
}

// Another WebSocket library can serve the connections that a Guard admits. It
// has to close them when their tokens expire.
func ExampleGuard_Authenticate() {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}})
	if err != nil {
		panic(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		panic(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{})
	if err != nil {
		panic(err)
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the guard has
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := guard.Authenticate(r, paseto.Requirement{})
		if err != nil {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		_ = ws.SetReadDeadline(auth.Deadline(claims))
		_ = ws.WriteMessage(websocket.TextMessage, []byte("hello, "+claims.Subject))
	}))
	defer srv.Close()

	access, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	ws, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {"Bearer " + access.Token.Reveal()}})
	if err != nil {
		panic(err)
	}
	defer func() { _ = ws.Close() }()
	_, data, _ := ws.ReadMessage()
	fmt.Println(string(data))

	_, resp, err := websocket.DefaultDialer.Dial(url, nil)
	fmt.Println(err, resp.StatusCode)

	// Output:
	// hello, alice
	// websocket: bad handshake 401
}
