package wsauth_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestSubprotocol looks at what comes back: a browser fails the connection
// unless the response names one of the protocols that it offered, and none may
// be the token.
func TestSubprotocol(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	authorization := "Authorization: Bearer " + token
	both := []httpauth.Location{httpauth.LocationHeader, httpauth.LocationSubprotocol}
	protocols := []string{"feed"}
	feed := wsauth.WithSubprotocols(protocols...)
	protocols[0] = "mail" // which changes nothing
	for _, test := range []struct {
		name   string
		in     []httpauth.Location
		opts   []httpauth.RouteOption
		lines  []string
		status int
		want   string
	}{
		{"token alone", both, nil, []string{"Sec-WebSocket-Protocol: paseto.bearer, TOKEN"}, 101, "paseto.bearer"},
		{"own protocol after", both, nil, []string{"Sec-WebSocket-Protocol: paseto.bearer, TOKEN, chat.v1"}, 101, "chat.v1"},
		{"own protocol before", both, nil, []string{"Sec-WebSocket-Protocol: chat.v1, paseto.bearer, TOKEN"}, 101, "chat.v1"},
		{"the server's preference", both, nil, []string{"Sec-WebSocket-Protocol: chat.v1, chat.v2, paseto.bearer, TOKEN"}, 101, "chat.v2"},
		{"the route's protocols", both, []httpauth.RouteOption{feed},
			[]string{"Sec-WebSocket-Protocol: chat.v2, feed, paseto.bearer, TOKEN"}, 101, "feed"},
		{"no protocols on the route", both, []httpauth.RouteOption{wsauth.WithSubprotocols()},
			[]string{"Sec-WebSocket-Protocol: chat.v2, paseto.bearer, TOKEN"}, 101, "paseto.bearer"},
		{"own protocol in other case", both, nil, []string{"Sec-WebSocket-Protocol: CHAT.V1, paseto.bearer, TOKEN"}, 101, "paseto.bearer"},
		{"several lines", both, nil, []string{"Sec-WebSocket-Protocol: chat.v1", "Sec-WebSocket-Protocol: paseto.bearer, TOKEN"}, 101, "chat.v1"},
		{"marker and token on two lines", both, nil,
			[]string{"Sec-WebSocket-Protocol: paseto.bearer", "Sec-WebSocket-Protocol: TOKEN"}, 101, "paseto.bearer"},
		{"no token in it", both, nil, []string{authorization, "Sec-WebSocket-Protocol: mail, chat.v1"}, 101, "chat.v1"},
		{"none at all", both, nil, []string{authorization}, 101, ""},

		{"location off", nil, nil, []string{authorization, "Sec-WebSocket-Protocol: paseto.bearer, TOKEN"}, 101, "paseto.bearer"},
		{"location off, own protocol", nil, nil, []string{authorization, "Sec-WebSocket-Protocol: paseto.bearer, TOKEN, chat.v1"}, 101, "chat.v1"},
		{"location off, own protocol for a token", nil, nil, []string{authorization, "Sec-WebSocket-Protocol: paseto.bearer, chat.v1"}, 101, "paseto.bearer"},

		{"refused: token without marker", both, nil, []string{"Sec-WebSocket-Protocol: TOKEN"}, 101, ""},
		{"refused: location off", nil, nil, []string{"Sec-WebSocket-Protocol: paseto.bearer, TOKEN"}, 101, "paseto.bearer"},
		{"refused: two tokens", both, nil, []string{"Sec-WebSocket-Protocol: paseto.bearer, TOKEN, paseto.bearer, TOKEN"}, 101, "paseto.bearer"},
		{"refused: origin", both, nil, []string{"Origin: https://evil.example.com", "Sec-WebSocket-Protocol: paseto.bearer, TOKEN"}, 403, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := newGuard(t, auth, setup{Config: wsauth.Config{
				Locations:    test.in,
				Subprotocols: []string{"chat.v2", "chat.v1"},
				CloseTimeout: soon, // this client never answers
			}})
			agreed := make(chan string, 1)
			srv := listen(t, guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
				agreed <- conn.Subprotocol()
			}, test.opts...))
			head, resp := raw(t, srv, strings.ReplaceAll(upgrade(test.lines...), "TOKEN", token))
			if resp.StatusCode != test.status {
				t.Errorf("status is %s, want %d", resp.Status, test.status)
			}
			got := resp.Header.Values("Sec-WebSocket-Protocol")
			want := []string{test.want}
			if test.want == "" {
				want = nil
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("protocols in the response are %q, want %q", got, want)
			}
			if strings.Contains(head, token) || strings.Contains(head, token[len("v4.local."):]) {
				t.Errorf("the token is in the response:\n%s", head)
			}
			if strings.HasPrefix(test.name, "refused") {
				return
			}
			if got := wait(t, agreed, "the handler"); got != test.want {
				t.Errorf("Subprotocol is %q, want %q", got, test.want)
			}
		})
	}
}
