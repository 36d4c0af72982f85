package wsauth_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// connectionInit reads the token of a GraphQL client, and acknowledges it.
var connectionInit = wsauth.WithTokenMessages(wsauth.TokenMessages{
	Token: func(_ *wsauth.Conn, _ wsauth.MessageKind, data []byte) (token string, isOurs bool, err error) {
		var m struct {
			Type    string
			Payload struct{ Token string }
		}
		err = json.Unmarshal(data, &m)
		return m.Payload.Token, m.Type == "connection_init", err
	},
	Accepted: func(conn *wsauth.Conn, _ wsauth.MessageKind, _ []byte) error {
		return conn.WriteJSON(map[string]string{"type": "connection_ack"})
	},
})

// A GraphQL client shows its token in the first message of graphql-transport-ws.
func ExampleWithTokenMessages() {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{localKey}})
	if err != nil {
		panic(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		panic(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{
		Locations:    []httpauth.Location{httpauth.LocationMessage},
		Subprotocols: []string{"graphql-transport-ws"},
		CloseCodes:   wsauth.GraphQLWSCodes,
	})
	if err != nil {
		panic(err)
	}
	serve := func(_ context.Context, conn *wsauth.Conn) { // a GraphQL server
		_ = conn.WriteMessage(wsauth.TextMessage, []byte("subscriptions of "+conn.Claims().Subject))
	}
	srv := httptest.NewServer(guard.Require(paseto.Requirement{}, serve, connectionInit))
	defer srv.Close()
	defer func() { _ = guard.Shutdown(context.Background()) }()

	alice, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	show := func(token string, messages int) {
		ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(srv.URL, "http"),
			http.Header{"Sec-WebSocket-Protocol": {"graphql-transport-ws"}})
		if err != nil {
			panic(err)
		}
		defer func() { _ = ws.Close() }()
		_ = ws.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]string{"token": token}})
		for range messages {
			showNext(ws)
		}
	}
	show(alice.Token.Reveal(), 2)
	show("v4.local.nonsense", 1)
	// Output:
	// {"type":"connection_ack"}
	// subscriptions of alice
	// websocket: close 4403: Invalid PASETO format
}
