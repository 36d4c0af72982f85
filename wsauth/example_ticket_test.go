package wsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// A page cannot set headers on a WebSocket, and should not put its access token
// into a URL. It asks for a ticket with the one and puts that into the other.
func ExampleGuard_Require_ticket() {
	store := denylist.NewMemory()
	defer func() { _ = store.Close() }()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}, paseto.WithDenylist(store))
	if err != nil {
		panic(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		panic(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{}) // takes tickets, since there is a denylist
	if err != nil {
		panic(err)
	}
	greet := func(_ context.Context, conn *wsauth.Conn) {
		_ = conn.WriteMessage(wsauth.TextMessage, []byte("hello, "+conn.Claims().Subject))
	}
	mux := http.NewServeMux()
	mux.Handle("POST /ticket", web.Ticket(httpauth.WithTicketPath("/ws")))
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, greet))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer func() { _ = guard.Shutdown(context.Background()) }()

	// The page asks for a ticket.
	access, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	r, err := http.NewRequest(http.MethodPost, srv.URL+"/ticket", http.NoBody)
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+access.Token.Reveal())
	resp, err := srv.Client().Do(r)
	if err != nil {
		panic(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var ticket httpauth.Ticket
	if err := json.NewDecoder(resp.Body).Decode(&ticket); err != nil {
		panic(err)
	}

	// It opens one socket.
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws?ticket=" + ticket.Ticket.Reveal()
	for range 2 {
		ws, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			panic(err)
		}
		if _, data, err := ws.ReadMessage(); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(string(data))
		}
		_ = ws.Close()
	}

	// Output:
	// hello, alice
	// websocket: close 1008 (policy violation): Ticket has been used
}
