package wsauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// checkRoom is where the middleware and the WithConnContext of these tests put the room.
type checkRoom struct{}

// checkOther is where they, and a caller of Renew, put something else.
type checkOther struct{}

// inRooms serves a guarded route behind a middleware that puts the room of the path into
// the request's context, as it was sent, beside claims of its own.
func inRooms(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ws/{room}", func(w http.ResponseWriter, r *http.Request) {
		ctx := paseto.NewContext(r.Context(), &paseto.Claims{Subject: "of the middleware"})
		h.ServeHTTP(w, r.WithContext(context.WithValue(ctx, checkRoom{}, r.PathValue("room"))))
	})
	return mux
}

// TestCheckSeesOneContext: the values are the same at the handshake, wherever its token
// is, at the first message and at renewals, and the handler's.
func TestCheckSeesOneContext(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		connContext func(context.Context, *http.Request) context.Context
		room        string
	}{
		{"request", nil, "kitchen"},
		{"WithConnContext", func(ctx context.Context, r *http.Request) context.Context {
			return context.WithValue(ctx, checkRoom{}, "the "+r.PathValue("room"))
		}, "the kitchen"},
		{"WithConnContext that keeps nothing", func(ctx context.Context, _ *http.Request) context.Context { return ctx }, "<nil>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			var called atomic.Int32
			locations := []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket, httpauth.LocationMessage}
			cfg := setup{Config: wsauth.Config{RenewMessages: true, Locations: locations}}
			var counted func(context.Context, *http.Request) context.Context
			if test.connContext != nil {
				counted = func(ctx context.Context, r *http.Request) context.Context {
					called.Add(1)
					return test.connContext(ctx, r)
				}
			}
			guard := newGuard(t, auth, cfg, wsauth.WithConnContext(counted))
			seen := make(chan string, 10)
			required := paseto.Requirement{Check: func(ctx context.Context, claims *paseto.Claims) error {
				seen <- fmt.Sprint(ctx.Value(checkRoom{}), " ", who(paseto.FromContext(ctx)), " ", ctx.Err(), " ", ctx.Value(checkOther{}))
				return nil
			}}
			conns := make(chan *wsauth.Conn, 1)
			srv := listen(t, inRooms(guard.Require(required, func(ctx context.Context, conn *wsauth.Conn) {
				if room := fmt.Sprint(ctx.Value(checkRoom{})); room != test.room {
					t.Errorf("the handler sees the room %s, want %s", room, test.room)
				}
				conns <- conn
				_ = readUntilError(ctx, conn)
			})))
			check := func(where, inForce, other string) {
				t.Helper()
				want := test.room + " " + inForce + " <nil> " + other
				if got := wait(t, seen, "the check "+where); got != want {
					t.Errorf("%s the check sees %s, want %s", where, got, want)
				}
			}
			g := paseto.Grant{Subject: "alice", Session: "1"}
			for where, send := range map[string]handshake{
				"at a handshake with a header": bearer(access(t, auth, g)),
				"at a handshake with a ticket": ticket(ticketFor(t, auth, g)),
				"at a first message":           none(),
			} {
				called.Store(0)
				ws := connect(t, srv, at("/ws/kitchen").and(send))
				renew := fmt.Sprintf(`{"type":"auth","token":%q}`, access(t, auth, g))
				if where == "at a first message" {
					say(t, ws, renew)
				}
				check(where, "nobody", "<nil>")
				conn := wait(t, conns, "the handler")
				say(t, ws, renew)
				check("at a renewal by message", "alice", "<nil>")
				ctx := context.WithValue(context.WithValue(t.Context(), checkRoom{}, "cellar"), checkOther{}, "renewing")
				if test.room == "<nil>" {
					ctx = context.WithValue(t.Context(), checkOther{}, "renewing")
				}
				if err := conn.Renew(paseto.NewContext(ctx, &paseto.Claims{Subject: "mallory"}), access(t, auth, g)); err != nil {
					t.Fatal(err)
				}
				check("at a renewal by the program", "alice", "renewing")
				if n := called.Load(); test.connContext != nil && n != 1 {
					t.Errorf("%s: the function of WithConnContext was called %d times, want once", where, n)
				}
				_ = ws.Close()
			}
			mux := inRooms(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if _, err := guard.Authenticate(r, required); err != nil {
					t.Error(err)
				}
			}))
			for _, send := range []handshake{bearer(access(t, auth, g)), ticket(ticketFor(t, auth, g))} {
				mux.ServeHTTP(httptest.NewRecorder(), at("/ws/kitchen").and(send).request(t.Context()))
				check("in Authenticate", "nobody", "<nil>")
			}
		})
	}
}

// TestConnContextIsNotCalled for handshakes that are refused before the check.
func TestConnContextIsNotCalled(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{}, wsauth.WithConnContext(func(ctx context.Context, _ *http.Request) context.Context {
		t.Error("the function of WithConnContext was called")
		return ctx
	}))
	required := paseto.Requirement{Scopes: []string{"admin"}, Check: func(context.Context, *paseto.Claims) error { return nil }}
	srv := listen(t, guard.Require(required, unreachable(t)))
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	for _, send := range []handshake{
		none(), bearer("v4.local.x"), bearer(token), bearer(token).and(header("Origin", "https://evil.example")),
		ticket("v4.local.x"), ticket(ticketFor(t, auth, paseto.Grant{})),
	} {
		if ws, _ := dial(t, srv, send); ws != nil {
			if err := endOf(ws); !websocket.IsCloseError(err, int(wsauth.ClosePolicyViolation)) {
				t.Errorf("the connection ends with %v", err)
			}
		}
	}
}
