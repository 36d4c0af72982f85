package locate_test

import (
	"errors"
	"testing"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestLocationRules tells which locations requests and handshakes have got, and
// why they have not got the others.
func TestLocationRules(t *testing.T) {
	t.Parallel()
	const sockets, noSocket = " token location is only supported for WebSocket connections", " token location is not supported for WebSocket connections"
	for _, test := range []struct{ location, request, handshake string }{
		{"header", "", ""},
		{"cookie", "", ""},
		{"json", "", "json" + noSocket},
		{"query", "query" + sockets, ""},
		{"subprotocol", "subprotocol" + sockets, ""},
		{"ticket", "ticket" + sockets, ""},
		{"Ticket", `unknown token location "Ticket"; expected one of header, cookie, json`,
			`unknown token location "Ticket"; expected one of header, query, cookie, subprotocol, ticket, message`},
		{"", `unknown token location ""; expected one of header, cookie, json`,
			`unknown token location ""; expected one of header, query, cookie, subprotocol, ticket, message`},
	} {
		t.Run(test.location, func(t *testing.T) {
			t.Parallel()
			if got := locate.RequestLocation(test.location); got != test.request {
				t.Errorf("of requests: %q, want %q", got, test.request)
			}
			if got := locate.HandshakeLocation(test.location); got != test.handshake {
				t.Errorf("of handshakes: %q, want %q", got, test.handshake)
			}
		})
	}
}

func TestRouteValidate(t *testing.T) {
	t.Parallel()
	type route = locate.Route[string]
	const noName = "a header, cookie, body member or query parameter has no valid name"
	for _, test := range []struct {
		name   string
		change func(*route)
		want   string // empty: valid
	}{
		{"valid", func(*route) {}, ""},
		{"ticket", func(r *route) { r.Locations = []string{"header", "ticket"} }, ""},
		{"ticket alone", func(r *route) { r.Locations = []string{"ticket"} }, ""},
		{"ticket twice", func(r *route) { r.Locations = []string{"ticket", "header", "ticket"} }, `token location "ticket" is given twice`},
		{"location of requests", func(r *route) { r.Locations = []string{"ticket", "json"} },
			"json token location is not supported for WebSocket connections"},
		{"no location", func(r *route) { r.Locations = nil }, "no token location is given"},
		{"key", func(r *route) { r.SetKey("X-Token") }, ""},
		{"key that no header has", func(r *route) { r.SetKey("X Token") }, noName},
		{"no key", func(r *route) { r.SetKey("") }, noName},
		{"no scheme", func(r *route) { r.SetPrefix(locate.NoScheme) }, ""},
		{"scheme of two words", func(r *route) { r.SetPrefix("My Token") }, "a scheme before the token has a space or other separator in it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := route{Locations: []string{"header", "query"}, Header: "Authorization", Scheme: "Bearer", Cookie: "door", Field: "token"}
			test.change(&r)
			err := r.Validate(locate.HandshakeLocation)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("it is refused: %v", err)
			case test.want != "" && (err == nil || err.Message != test.want || !errors.Is(err, paseto.ErrLocation)):
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
}

// TestSetKey names what carries the token, and SetPrefix what stands before it.
func TestSetKey(t *testing.T) {
	t.Parallel()
	r := locate.Route[string]{Header: "Authorization", Scheme: "Bearer", Cookie: "door", Field: "token"}
	r.SetKey("mine")
	r.SetPrefix("Token")
	want := locate.Route[string]{Header: "mine", Scheme: "Token", Cookie: "mine", Field: "mine", Prefix: "Token"}
	if r.Header != want.Header || r.Cookie != want.Cookie || r.Field != want.Field || r.Scheme != want.Scheme || r.Prefix != want.Prefix {
		t.Errorf("the route is %+v, want %+v", r, want)
	}
	r.SetPrefix(locate.NoScheme)
	if r.Scheme != "" || r.Prefix != "" {
		t.Errorf("without scheme it is %q and %q", r.Scheme, r.Prefix)
	}
}
