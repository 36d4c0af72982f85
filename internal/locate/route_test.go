package locate_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

func TestRouteValidate(t *testing.T) {
	t.Parallel()
	const noName = "a header, cookie, body member or query parameter has no valid name"
	for _, test := range []struct {
		name   string
		change func(*locate.Route)
		want   string // empty: valid
	}{
		{"valid", func(*locate.Route) {}, ""},
		{"ticket", func(r *locate.Route) { r.Locations = []string{"header", "ticket"} }, ""},
		{"ticket alone", func(r *locate.Route) { r.Locations = []string{"ticket"} }, ""},
		{"ticket twice", func(r *locate.Route) { r.Locations = []string{"ticket", "header", "ticket"} }, `token location "ticket" is given twice`},
		{"location of requests", func(r *locate.Route) { r.Locations = []string{"ticket", "json"} },
			"json token location is not supported for WebSocket connections"},
		{"location of handshakes", func(r *locate.Route) { r.IsWebSocket = false }, "query token location is only supported for WebSocket connections"},
		{"no location", func(r *locate.Route) { r.Locations = nil }, "no token location is given"},
		{"key", func(r *locate.Route) { r.SetKey("X-Token") }, ""},
		{"key that no header has", func(r *locate.Route) { r.SetKey("X Token") }, noName},
		{"no key", func(r *locate.Route) { r.SetKey("") }, noName},
		{"key of tickets", func(r *locate.Route) { r.Locations, r.Field = []string{"query", "ticket"}, "ticket" },
			`"ticket" would be the query parameter of both token and ticket`},
		{"no scheme", func(r *locate.Route) { r.SetPrefix(locate.NoScheme) }, ""},
		{"scheme of two words", func(r *locate.Route) { r.SetPrefix("My Token") }, "a scheme before the token has a space or other separator in it"},
		{"subprotocol", func(r *locate.Route) { r.Subprotocols = []string{"chat"} }, ""},
		{"subprotocol of two words", func(r *locate.Route) { r.Subprotocols = []string{"a b"} }, `"a b" is not a subprotocol of an application`},
		{"marker", func(r *locate.Route) { r.Subprotocols = []string{locate.Marker} }, `"paseto.bearer" is not a subprotocol of an application`},
		{"subprotocol of requests", func(r *locate.Route) {
			r.IsWebSocket, r.Locations, r.Subprotocols = false, []string{"header"}, []string{"chat"}
		}, "subprotocols are only supported for WebSocket connections"},
		{"messages of requests", func(r *locate.Route) {
			r.IsWebSocket, r.Locations, r.TokenMessages = false, []string{"header"}, true
		}, "tokens in messages are only supported for WebSocket connections"},
		{"login of requests", func(r *locate.Route) {
			r.IsWebSocket, r.Locations, r.Login = false, []string{"header"}, true
		}, "a later login is only supported for WebSocket connections"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := locate.Route{
				IsWebSocket: true, Locations: []string{"header", "query"},
				Header: "Authorization", Scheme: "Bearer", Cookie: "door", Field: "token", Ticket: "ticket",
			}
			test.change(&r)
			checkBroken(t, r.Validate(), test.want)
		})
	}
}

// checkBroken checks what is wrong with a route, nothing if want is empty.
func checkBroken(t *testing.T, err error, want string) {
	t.Helper()
	told, _ := errors.AsType[*paseto.Error](err)
	switch {
	case want == "" && err != nil:
		t.Errorf("it is refused: %v", err)
	case want != "" && (told == nil || told.Message != want || !errors.Is(err, paseto.ErrLocation)):
		t.Errorf("error is %v, want %q", err, want)
	}
}

// TestLook looks at every location, and finds a token in its own alone. A location that
// the route cannot have is an error, whatever the request carries.
func TestLook(t *testing.T) {
	t.Parallel()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?field=in-query&once=in-ticket", nil)
	request.Header = http.Header{
		"X-Token": {"Token in-header"}, "Cookie": {"door=in-cookie"}, "Sec-Websocket-Protocol": {"paseto.bearer, in-subprotocol"},
	}
	body := func() ([]byte, error) { return []byte(`{"field":"in-json"}`), nil }
	const sockets = " token location is only supported for WebSocket connections"
	for _, test := range []struct {
		location           string
		token              string
		request, handshake string // what is wrong with it
	}{
		{"header", "in-header", "", ""},
		{"cookie", "in-cookie", "", ""},
		{"json", "in-json", "", "json token location is not supported for WebSocket connections"},
		{"query", "in-query", "query" + sockets, ""},
		{"subprotocol", "in-subprotocol", "subprotocol" + sockets, ""},
		{"ticket", "in-ticket", "ticket" + sockets, ""},
		{"message", "", "message" + sockets, ""},
		{"Ticket", "", `unknown token location "Ticket"; expected one of header, cookie, json`,
			`unknown token location "Ticket"; expected one of header, query, cookie, subprotocol, ticket, message`},
	} {
		for _, transport := range []struct {
			name        string
			isWebSocket bool
			body        func() ([]byte, error)
			broken      string
		}{{"request", false, body, test.request}, {"handshake", true, nil, test.handshake}} {
			t.Run(test.location+"/"+transport.name, func(t *testing.T) {
				t.Parallel()
				r := locate.Route{
					IsWebSocket: transport.isWebSocket,
					Header:      "X-Token", Scheme: "Token", Cookie: "door", Field: "field", Ticket: "once",
				}
				token, err := r.Look(request, test.location, transport.body)
				checkBroken(t, err, transport.broken)
				want := test.token
				if transport.broken != "" {
					want = ""
				}
				if token != want {
					t.Errorf("the token is %q, want %q", token, want)
				}
			})
		}
	}
}

// TestSetKey names what carries the token, and SetPrefix what stands before it.
func TestSetKey(t *testing.T) {
	t.Parallel()
	r := locate.Route{Header: "Authorization", Scheme: "Bearer", Cookie: "door", Field: "token", Ticket: "ticket"}
	r.SetKey("mine")
	r.SetPrefix("Token")
	want := locate.Route{Header: "mine", Scheme: "Token", Cookie: "mine", Field: "mine", Prefix: "Token", Ticket: "ticket"}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("the route is %+v, want %+v", r, want)
	}
	r.SetPrefix(locate.NoScheme)
	if r.Scheme != "" || r.Prefix != "" {
		t.Errorf("without scheme it is %q and %q", r.Scheme, r.Prefix)
	}
}
