package wsauth_test

import (
	"context"
	"encoding/json"
	"net/http"

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
	s := newDemo(wsauth.Config{
		Locations:    []httpauth.Location{httpauth.LocationMessage},
		Subprotocols: []string{"graphql-transport-ws"},
		CloseCodes:   wsauth.GraphQLWSCodes,
	}, welcome)
	defer s.close()
	serve := func(_ context.Context, conn *wsauth.Conn) { // a GraphQL server
		_ = conn.WriteMessage(wsauth.TextMessage, []byte("subscriptions of "+conn.Claims().Subject))
	}
	s.mux.Handle("/graphql", s.guard.Require(paseto.Requirement{}, serve, connectionInit))

	show := func(token string, messages int) {
		ws := s.dial("/graphql", http.Header{"Sec-WebSocket-Protocol": {"graphql-transport-ws"}})
		_ = ws.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]string{"token": token}})
		for range messages {
			showNext(ws)
		}
	}
	show(s.token(paseto.Grant{Subject: "alice"}), 2)
	show("v4.local.nonsense", 1)
	// Output:
	// {"type":"connection_ack"}
	// subscriptions of alice
	// websocket: close 4403: Invalid PASETO format
}
