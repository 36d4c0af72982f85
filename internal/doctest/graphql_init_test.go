package doctest_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/internal/nodeclient"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestGraphQLConnectionInit has the npm client graphql-ws show its token in connection_init,
// which the guard acknowledges, or the GraphQL server. It comes back with another one after
// a token that is refused.
func TestGraphQLConnectionInit(t *testing.T) {
	t.Parallel()
	nodeclient.Need(t, "ws", "graphql-ws")
	acknowledge := func(conn *wsauth.Conn) error { return conn.WriteJSON(map[string]string{"type": "connection_ack"}) }
	for name, passOn := range map[string]bool{"guard answers": false, "server answers": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}})
			if err != nil {
				t.Fatal(err)
			}
			web, err := httpauth.New(auth, httpauth.Config{})
			if err != nil {
				t.Fatal(err)
			}
			guard, err := wsauth.New(web, wsauth.Config{
				Locations: []httpauth.Location{httpauth.LocationMessage}, Subprotocols: []string{"graphql-transport-ws"},
				CloseCodes: wsauth.GraphQLWSCodes, MessageTimeout: testtool.Patience, CloseTimeout: testtool.Patience, PingInterval: wsauth.NoPing,
			})
			if err != nil {
				t.Fatal(err)
			}
			inits := wsauth.TokenMessages{
				Token: func(_ *wsauth.Conn, _ wsauth.MessageKind, data []byte) (token string, isOurs bool, err error) {
					var m struct {
						Type    string
						Payload struct{ Token string }
					}
					err = json.Unmarshal(data, &m)
					return m.Payload.Token, m.Type == "connection_init", err
				},
				PassOn: passOn,
			}
			if !passOn {
				inits.Accepted = func(conn *wsauth.Conn, _ wsauth.MessageKind, _ []byte) error { return acknowledge(conn) }
			}
			serve := func(_ context.Context, conn *wsauth.Conn) {
				for {
					var m struct{ ID, Type string }
					if conn.ReadJSON(&m) != nil {
						return
					}
					switch m.Type {
					case "connection_init":
						_ = acknowledge(conn)
					case "subscribe":
						_ = conn.WriteJSON(map[string]any{"id": m.ID, "type": "next", "payload": map[string]any{"data": conn.Claims().Subject}})
						_ = conn.WriteJSON(map[string]string{"id": m.ID, "type": "complete"})
					}
				}
			}
			srv := httptest.NewServer(guard.Require(paseto.Requirement{}, serve, wsauth.WithTokenMessages(inits)))
			t.Cleanup(func() {
				_ = guard.Shutdown(context.Background())
				srv.Close()
			})
			token, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
			if err != nil {
				t.Fatal(err)
			}
			output := runClient(t, "", `
				import { createClient } from "graphql-ws";
				const [url, ...tokens] = args;
				const client = createClient({
					url: url.replace("http", "ws"), retryWait: async () => {}, retryAttempts: Infinity,
					connectionParams: () => ({token: tokens.shift()}),
				});
				for await (const {data} of client.iterate({query: "subscription { me }"})) console.log(data, tokens.length);`,
				srv.URL, "v4.local.refused", token.Token.Reveal())
			if want := "alice 0\n"; output != want {
				t.Errorf("the client prints %q, want %q", output, want)
			}
		})
	}
}
