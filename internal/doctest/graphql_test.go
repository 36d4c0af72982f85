package doctest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/nodeclient"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// graphQLScene is what becomes of the first connection of a graphql-ws client, and what
// the client then does.
type graphQLScene struct {
	name   string
	cfg    wsauth.Config
	rights live.Config
	req    paseto.Requirement
	end    func(*graphQLServer, *wsauth.Conn) // nil: nothing, the client has no connection by then
	done   bool                               // the handler returns then

	// The client comes back, with a refreshed token or with the one that it has; or it
	// ends with this code and reason.
	reconnect httpauth.Reconnect
	final     string
}

// graphQLScenes are one for each cause, closed with the code and the reason that a guard
// has for it, and those in which the guard itself closes.
func graphQLScenes() []graphQLScene {
	var scenes []graphQLScene
	for _, c := range wsauth.Closures() {
		scenes = append(scenes, graphQLScene{
			name:      string(c.Cause),
			end:       func(_ *graphQLServer, conn *wsauth.Conn) { conn.Close(c.GraphQLWS, c.Cause.Message()) },
			reconnect: c.Reconnect, final: fmt.Sprintf("%d %s", c.GraphQLWS, c.Cause.Message()),
		})
	}
	return append(scenes,
		graphQLScene{name: "expired", reconnect: httpauth.ReconnectRefreshed,
			end: func(s *graphQLServer, _ *wsauth.Conn) {
				s.clock.Advance(2 * time.Hour)
				_ = s.keeper.Load().Recheck(s.t.Context())
			}},
		graphQLScene{name: "logged out everywhere", reconnect: httpauth.ReconnectNever, final: "4403 PASETO Authorization Token required",
			end: func(s *graphQLServer, conn *wsauth.Conn) {
				if err := s.auth.RevokeSubject(s.t.Context(), conn.Claims().Subject, s.clock.Now()); err != nil {
					s.t.Error(err)
				}
			}},
		graphQLScene{name: "forbidden", reconnect: httpauth.ReconnectNever, final: "1008 Access denied",
			req: paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return paseto.ErrForbidden }}},
		graphQLScene{name: "replaced", reconnect: httpauth.ReconnectNever, final: "4409 Replaced by a newer connection",
			rights: live.Config{PerSubject: 1, OnExcess: live.ReplaceOldest},
			end:    (*graphQLServer).openAnother},
		graphQLScene{name: "restarted", reconnect: httpauth.ReconnectNow, end: (*graphQLServer).restart},
		graphQLScene{name: "handler panics", reconnect: httpauth.ReconnectLater,
			end: func(*graphQLServer, *wsauth.Conn) { panic("oh dear") }},
		graphQLScene{name: "handler returns", reconnect: httpauth.ReconnectNever, final: "1008 ",
			end: func(*graphQLServer, *wsauth.Conn) {}, done: true},
		graphQLScene{name: "message too big", reconnect: httpauth.ReconnectNever, final: "1009 ", cfg: wsauth.Config{ReadLimit: 80}},
	)
}

// TestGraphQLClient has connections of the npm client graphql-ws closed for every cause.
// The client of docs/connections.md comes back where the cause's class says so, after
// expiry with a new token, and nowhere else.
func TestGraphQLClient(t *testing.T) {
	t.Parallel()
	nodeclient.Need(t, "ws", "graphql-ws")
	scenes := graphQLScenes()
	servers := make([]*graphQLServer, len(scenes))
	urls := make([]string, len(scenes))
	for i, scene := range scenes {
		servers[i] = newGraphQLServer(t, scene)
		urls[i] = servers[i].URL
	}
	list, err := json.Marshal(urls)
	if err != nil {
		t.Fatal(err)
	}
	output := runClient(t, "", doctest.Code(t, connectionsDocument, "javascript")+`
		const soon = () => new Promise((resolve) => setTimeout(resolve, 10));
		const heard = async (api) => {
			const login = new Login(api, await (await fetch(api + "/login", {
				method: "POST",
				headers: {"Content-Type": "application/json"},
				body: JSON.stringify({username: "alice", password: "demo"}),
			})).json());
			const all = [];
			try {
				const client = graphql(api, login, {retryWait: soon});
				for await (const {data} of client.iterate({query: "subscription { connection }"})) all.push(data.connection);
				all.push("complete");
			} catch (error) {
				all.push(error.code === undefined ? String(error) : error.code + " " + error.reason);
			}
			return all.join(", ");
		};
		console.log(JSON.stringify(await Promise.all(JSON.parse(args[0]).map(heard))));`, string(list))
	var got []string
	if err := json.Unmarshal([]byte(output), &got); err != nil || len(got) != len(scenes) {
		t.Fatalf("the script prints %s: %v", output, err)
	}
	for i, scene := range scenes {
		want, refreshes := "first, again, complete", int32(0)
		switch {
		case scene.reconnect == httpauth.ReconnectNever && scene.end == nil: // nothing is ever heard
			want = scene.final
		case scene.reconnect == httpauth.ReconnectNever:
			want = "first, " + scene.final
		case scene.reconnect == httpauth.ReconnectRefreshed:
			refreshes = 1
		}
		if got[i] != want {
			t.Errorf("%s: the client hears %q, want %q", scene.name, got[i], want)
		}
		if n := servers[i].refreshed.Load(); n != refreshes {
			t.Errorf("%s: the client gets %d newer tokens, want %d", scene.name, n, refreshes)
		}
	}
}

// graphQLServer answers every subscription with one message. It ends the first connection
// then, and completes those of later connections.
type graphQLServer struct {
	*httptest.Server

	t         *testing.T
	scene     graphQLScene
	clock     *testclock.Clock
	auth      *paseto.Authorizer
	web       *httpauth.Web
	keeper    atomic.Pointer[live.Keeper]
	guard     atomic.Pointer[wsauth.Guard]
	route     atomic.Pointer[http.Handler]
	sockets   atomic.Int32
	refreshed atomic.Int32
}

func newGraphQLServer(t *testing.T, scene graphQLScene) *graphQLServer {
	t.Helper()
	s := &graphQLServer{t: t, scene: scene, clock: testclock.New(time.Now())}
	store := denylist.NewMemory(denylist.WithClock(s.clock.Now))
	t.Cleanup(func() { _ = store.Close() })
	var err error
	s.auth, err = paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}, AccessTTL: time.Hour},
		paseto.WithDenylist(store), paseto.WithClock(s.clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	if s.web, err = httpauth.New(s.auth, httpauth.Config{}); err != nil {
		t.Fatal(err)
	}
	refresh := s.web.Refresh()
	mux := http.NewServeMux()
	mux.Handle("POST /login", s.web.Login(testsite.CheckPassword))
	mux.Handle("POST /ticket", s.web.Ticket())
	mux.HandleFunc("POST /refresh", func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		refresh.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			s.refreshed.Add(1)
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) { (*s.route.Load()).ServeHTTP(w, r) })
	s.open()
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = s.guard.Load().Shutdown(context.Background())
		s.Close()
	})
	return s
}

// open gives the server a guard, as a start of the program does.
func (s *graphQLServer) open() {
	cfg := s.scene.cfg
	cfg.CloseCodes, cfg.Subprotocols = wsauth.GraphQLWSCodes, []string{"graphql-transport-ws"}
	cfg.CloseTimeout, cfg.PingInterval = testtool.Patience, wsauth.NoPing
	keeper, err := live.New(s.auth, s.scene.rights)
	if err != nil {
		s.t.Error(err)
		return
	}
	web, err := httpauth.New(s.auth, httpauth.Config{}, httpauth.WithKeeper(keeper))
	if err != nil {
		s.t.Error(err)
		return
	}
	guard, err := wsauth.New(web, cfg)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.keeper.Store(keeper)
	route := guard.Require(s.scene.req, s.serve)
	s.guard.Store(guard)
	s.route.Store(&route)
}

// restart shuts the guard down, and gives the server another one.
func (s *graphQLServer) restart(*wsauth.Conn) {
	go func() {
		_ = s.guard.Load().Shutdown(context.Background())
		s.open()
	}()
}

// openAnother opens another connection of the same subject.
func (s *graphQLServer) openAnother(conn *wsauth.Conn) {
	token, err := s.auth.IssueAccess(paseto.Grant{Subject: conn.Claims().Subject})
	if err != nil {
		s.t.Error(err)
		return
	}
	ws, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.URL, "http")+"/graphql", testsite.Bearer(token.Token.Reveal()))
	if err != nil {
		s.t.Error(err)
		return
	}
	_ = res.Body.Close()
	s.t.Cleanup(func() { _ = ws.Close() })
}

// serve speaks as much of graphql-transport-ws as the test needs.
func (s *graphQLServer) serve(_ context.Context, conn *wsauth.Conn) {
	first := s.sockets.Add(1) == 1
	for {
		var m struct{ ID, Type string }
		if conn.ReadJSON(&m) != nil {
			return
		}
		switch m.Type {
		case "connection_init":
			_ = conn.WriteJSON(map[string]string{"type": "connection_ack"})
		case "ping":
			_ = conn.WriteJSON(map[string]string{"type": "pong"})
		case "subscribe":
			said := "again"
			if first {
				said = "first"
			}
			_ = conn.WriteJSON(map[string]any{"id": m.ID, "type": "next", "payload": map[string]any{"data": map[string]string{"connection": said}}})
			if first {
				s.scene.end(s, conn)
				if s.scene.done {
					return
				}
			} else {
				_ = conn.WriteJSON(map[string]string{"id": m.ID, "type": "complete"})
			}
		}
	}
}
