package wsauth_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// rooms has a route for a room, one for a seat in it, and one for those who run it.
func rooms(guard *wsauth.Guard) http.Handler {
	mux := http.NewServeMux()
	for _, pattern := range []string{"/ws/{room}", "/ws/{room}/{seat}", "/ws/admin"} {
		mux.Handle(pattern, guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
			_ = conn.WriteMessage(wsauth.TextMessage, []byte(pattern))
		}))
	}
	return mux
}

// TestTicketOpensOneRoute: the one of the path that it is bound to, however that is
// written, and none whose path only looks the same when it is decoded. Which paths are the
// same, for every router, is shown in package urlpath.
func TestTicketOpensOneRoute(t *testing.T) {
	t.Parallel()
	const room, seat, admin, refused = "/ws/{room}", "/ws/{room}/{seat}", "/ws/admin", ""
	for _, test := range []struct{ name, bound, path, want string }{
		{"seat", "/ws/a/b", "/ws/a/b", seat},
		{"room for a seat", "/ws/a/b", "/ws/a%2Fb", refused},
		{"seat for a room", "/ws/a%2Fb", "/ws/a/b", refused},
		{"room with a slash", "/ws/a%2Fb", "/ws/a%2fb", room},
		{"needlessly escaped", "/ws/admin", "/ws/%61dmin", admin},
		{"not ASCII, named decoded", "/ws/jürgen", "/ws/j%C3%BCrgen", room},
		{"not ASCII, opened unescaped", "/ws/j%c3%bcrgen", "/ws/jürgen", room},
		{"not ASCII, opened unescaped, which ServeMux takes for a seat", "/ws/a%2Fjürgen", "/ws/a%2Fjürgen", refused},
		{"as browsers send it", "/ws/b|c^d", "/ws/b|c^d", room},
		{"as browsers send it, room for a seat", "/ws/a/b|c", "/ws/a%2Fb|c", refused},
		{"escaped dots", "/ws/admin", "/ws/x%2F..%2Fadmin", refused},
		{"whole URL", "/ws/a%2Fb", "http://chat.example.com/ws/a%2Fb", room},
		{"whole URL, room for a seat", "/ws/a/b|c", "http://chat.example.com/ws/a%2Fb|c", refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			srv := listen(t, rooms(newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})))
			ticket := buy(t, auth, access(t, auth, paseto.Grant{}), paseto.TicketGrant{Path: test.bound})
			_, resp, after := exchange(t, srv, strings.Replace(upgrade(), "/ws", test.path+"?ticket="+ticket, 1))
			if test.want == refused {
				checkProblem(t, resp, http.StatusUnauthorized, "ticket_invalid", "Ticket is not valid here")
				return
			}
			frame := append([]byte{0x81, byte(len(test.want))}, test.want...)
			got := make([]byte, len(frame))
			if _, err := io.ReadFull(after, got); err != nil || !bytes.Equal(got, frame) {
				t.Errorf("after %s comes %q, %v; want %q", resp.Status, got, err, frame)
			}
		})
	}
}

// proxy passes on to a backend what comes in below /api, without that.
func proxy(t *testing.T, backend http.Handler) http.Handler {
	t.Helper()
	target, err := url.Parse(listen(t, backend).URL)
	if err != nil {
		t.Fatal(err)
	}
	return http.StripPrefix("/api", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
}

// TestTicketWherePathsAreCut is bound to the path that its client opens, whatever the
// way to the guard takes away from that.
func TestTicketWherePathsAreCut(t *testing.T) {
	t.Parallel()
	stripped := func(_ *testing.T, h http.Handler) http.Handler { return http.StripPrefix("/api", h) }
	uncut := func(_ *testing.T, h http.Handler) http.Handler { return h }
	const hint = `; if a proxy takes \"/api\" away from paths, set PathPrefix of wsauth.Config (websocket.path_prefix) to it`
	for _, test := range []struct {
		name    string
		way     func(*testing.T, http.Handler) http.Handler
		prefix  string
		bound   string
		path    string
		refused string // what the log says, of a ticket that is refused
	}{
		{"StripPrefix", stripped, "", "/api/ws/jürgen", "/api/ws/j%C3%BCrgen", ""},
		{"StripPrefix, escaped slash", stripped, "", "/api/ws/a/b", "/api/ws/a%2Fb", `bound to the path \"/api/ws/a/b\" and was presented at \"/api/ws/a%2Fb\"`},
		{"StripPrefix, bound to what is left", stripped, "", "/ws/a", "/api/ws/a",
			`bound to the path \"/ws/a\" and was presented at \"/api/ws/a\"; a ticket is bound to the path of the URL that its client opens`},
		{"proxy that is named", proxy, "/api", "/api/ws/jürgen", "/api/ws/j%C3%BCrgen", ""},
		{"proxy that is not named", proxy, "", "/api/ws/a", "/api/ws/a", `bound to the path \"/api/ws/a\" and was presented at \"/ws/a\"` + hint},
		{"named, and none there", uncut, "/api", "/ws/a", "/ws/a", `bound to the path \"/ws/a\" and was presented at \"/api/ws/a\"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			logger, log := newLogger()
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, PathPrefix: test.prefix}}, logger)
			srv := listen(t, test.way(t, rooms(guard)))
			ws, resp := dial(t, srv, ticket(buy(t, auth, access(t, auth, paseto.Grant{}), paseto.TicketGrant{Path: test.bound})).and(at(test.path)))
			if test.refused == "" && ws != nil {
				checkMessage(t, ws, "/ws/{room}")
			} else if test.refused == "" || ws != nil || !strings.Contains(log.String(), test.refused) {
				t.Errorf("the answer is %s, and the log says\n%s, want\n%s", resp.Status, log, test.refused)
			}
		})
	}
}

// TestAuthenticateKnowsThePath also of a request that no server has read.
func TestAuthenticateKnowsThePath(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{PathPrefix: "/api"}})
	for _, test := range []struct{ bound, sent, want string }{
		{"/api/ws/a%2Fb", "/ws/a%2Fb", ""},
		{"/api/ws/b|c", "/ws/b|c", ""},
		{"/api/ws/a%2Fb|c", "/ws/a%2Fb|c", `presented at "/api/ws/a%2Fb|c", which routers read in two ways`},
	} {
		bound := paseto.TicketGrant{Path: test.bound}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.sent+"?ticket="+buy(t, auth, access(t, auth, paseto.Grant{}), bound), nil)
		r.RequestURI = ""
		_, err := guard.Authenticate(r, paseto.Requirement{})
		if ok := err == nil; ok != (test.want == "") || !strings.Contains(fmt.Sprint(err), test.want) {
			t.Errorf("%s, bound to %s: error is %v, want %q", test.sent, test.bound, err, test.want)
		}
	}
}
