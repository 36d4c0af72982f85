package wsauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// noon is the time of the examples below.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// demo is what the examples below share: a guarded route on a real socket.
type demo struct {
	auth    *paseto.Authorizer
	web     *httpauth.Web
	guard   *wsauth.Guard
	mux     *http.ServeMux
	srv     *httptest.Server
	store   *denylist.Memory
	clients []*websocket.Conn
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newDemo(cfg wsauth.Config, serve wsauth.Handler, opts ...wsauth.Option) *demo {
	return newDemoOf(live.Config{}, cfg, serve, opts...)
}

func newDemoOf(rights live.Config, cfg wsauth.Config, serve wsauth.Handler, opts ...wsauth.Option) *demo {
	s := &demo{store: denylist.NewMemory(), mux: http.NewServeMux()}
	s.auth = must(paseto.New(paseto.Config{Keys: []paseto.Key{localKey}},
		paseto.WithDenylist(s.store), paseto.WithClock(func() time.Time { return noon })))
	keeper := must(live.New(s.auth, rights))
	s.web = must(httpauth.New(s.auth, httpauth.Config{}, httpauth.WithKeeper(keeper)))
	s.guard = must(wsauth.New(s.web, cfg, opts...))
	s.mux.Handle("/rooms/{room}", s.guard.Require(paseto.Requirement{}, serve))
	s.srv = httptest.NewServer(s.mux)
	return s
}

func (s *demo) close() {
	for _, ws := range s.clients {
		_ = ws.Close()
	}
	_ = s.guard.Shutdown(context.Background())
	s.srv.Close()
	_ = s.store.Close()
}

// token returns an access token.
func (s *demo) token(g paseto.Grant) string { return must(s.auth.IssueAccess(g)).Token.Reveal() }

// connect opens a WebSocket with a token, without one where it is empty.
func (s *demo) connect(token string) *websocket.Conn {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return s.dial("/rooms/kitchen", header)
}

func (s *demo) dial(path string, header http.Header) *websocket.Conn {
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.srv.URL, "http")+path, header)
	if err != nil {
		panic(err)
	}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	s.clients = append(s.clients, ws)
	return ws
}

// join is connect for a client that waits until the application has greeted it.
func (s *demo) join(g paseto.Grant) *websocket.Conn {
	ws := s.connect(s.token(g))
	if _, _, err := ws.ReadMessage(); err != nil {
		panic(err)
	}
	return ws
}

// showNext prints the next message that comes over a WebSocket, or how it was closed.
func showNext(ws *websocket.Conn) {
	_, data, err := ws.ReadMessage()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(data))
}

// welcome greets a client and then listens until the connection ends.
func welcome(_ context.Context, conn *wsauth.Conn) {
	err := conn.WriteMessage(wsauth.TextMessage, []byte("hello"))
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
}

// chat is a handler whose clients renew their token in a message of its own
// protocol.
func chat(ctx context.Context, conn *wsauth.Conn) {
	for {
		var m struct{ Text, Token string }
		if conn.ReadJSON(&m) != nil {
			return
		}
		answer := conn.Claims().Subject + " says: " + m.Text
		if m.Token != "" {
			if err := conn.Renew(ctx, m.Token); err != nil {
				answer = httpauth.Refusal(err).Message // err itself is for the log
			} else {
				answer = "open until " + conn.Deadline().UTC().Format(time.TimeOnly)
			}
		}
		if conn.WriteMessage(wsauth.TextMessage, []byte(answer)) != nil {
			return
		}
	}
}

// A client sends its newer token in a message of the application's own protocol.
func ExampleConn_Renew() {
	s := newDemo(wsauth.Config{}, chat)
	defer s.close()
	ws := s.connect(s.token(paseto.Grant{Subject: "alice", TTL: 10 * time.Minute}))

	for _, message := range []map[string]string{
		{"text": "hello"},
		{"token": s.token(paseto.Grant{Subject: "alice", TTL: 30 * time.Minute})},
		{"token": s.token(paseto.Grant{Subject: "alice", TTL: 20 * time.Minute})},
		{"token": s.token(paseto.Grant{Subject: "bob", TTL: time.Hour})},
	} {
		_ = ws.WriteJSON(message)
		showNext(ws)
	}

	// Output:
	// alice says: hello
	// open until 12:30:00
	// Token expires before the present one
	// Token is of another subject or session
}

// A browser's page shows its token in the first message, and renews it in others:
// the application sees neither.
func ExampleGuard_Require_message() {
	s := newDemo(wsauth.Config{
		Locations:     []httpauth.Location{httpauth.LocationHeader, httpauth.LocationMessage},
		RenewMessages: true,
	}, echo)
	defer s.close()
	ws := s.connect("")

	for _, ttl := range []time.Duration{10 * time.Minute, 30 * time.Minute} {
		_ = ws.WriteJSON(map[string]string{"type": "auth", "token": s.token(paseto.Grant{Subject: "alice", TTL: ttl})})
		showNext(ws)
	}
	_ = ws.WriteJSON(map[string]string{"type": "auth", "token": s.token(paseto.Grant{Subject: "bob", TTL: time.Hour})})
	showNext(ws)
	_ = ws.WriteMessage(websocket.TextMessage, []byte("hello"))
	showNext(ws)

	// Who says something else first is refused.
	stranger := s.connect("")
	_ = stranger.WriteMessage(websocket.TextMessage, []byte("hello"))
	showNext(stranger)

	// Output:
	// {"type":"auth","expires_at":"2030-01-02T12:10:00Z","expires_in":600}
	// {"type":"auth","expires_at":"2030-01-02T12:30:00Z","expires_in":1800}
	// {"type":"auth","code":"renewal_subject","message":"Token is of another subject or session"}
	// hello
	// websocket: close 1008 (policy violation): Bad message. Expected {"type":"auth","token":"<PASETO>"}
}

// A message for everybody who may see it. No peer is waited for.
func ExampleGuard_Broadcast() {
	s := newDemo(wsauth.Config{}, welcome)
	defer s.close()
	alice := s.join(paseto.Grant{Subject: "alice", Scopes: []string{"news"}})
	s.join(paseto.Grant{Subject: "bob"})

	readers := func(c *wsauth.Conn) bool { return c.Claims().HasScopes("news") }
	n, err := s.guard.Broadcast(wsauth.TextMessage, []byte("it rains"), readers)
	fmt.Println(n, err)
	showNext(alice)

	// Output:
	// 1 <nil>
	// it rains
}

// A message for one user, on whatever devices, and then the end of all but the
// newest connection.
func ExampleGuard_ConnectionsOf() {
	s := newDemo(wsauth.Config{}, welcome)
	defer s.close()
	phone := s.join(paseto.Grant{Subject: "alice"})
	laptop := s.join(paseto.Grant{Subject: "alice"})

	guard := s.guard
	for conn := range guard.ConnectionsOf("alice") {
		_ = conn.SendJSON(map[string]int{"unread": 3}) // fails for one that is being closed
	}
	showNext(phone)
	showNext(laptop)

	conns := slices.Collect(guard.ConnectionsOf("alice")) // the oldest first
	for _, conn := range conns[:len(conns)-1] {
		conn.Close(4000, "continued elsewhere")
	}
	showNext(phone)

	// Output:
	// {"unread":3}
	// {"unread":3}
	// websocket: close 4000: continued elsewhere
}

type roomKey struct{}

// A handler knows of its request what this option keeps for it.
func ExampleWithConnContext() {
	withRoom := func(ctx context.Context, r *http.Request) context.Context {
		return context.WithValue(ctx, roomKey{}, r.PathValue("room"))
	}
	s := newDemo(wsauth.Config{}, func(ctx context.Context, conn *wsauth.Conn) {
		text := fmt.Sprint(paseto.FromContext(ctx).Subject, " is in the ", ctx.Value(roomKey{}))
		_ = conn.WriteMessage(wsauth.TextMessage, []byte(text))
	}, wsauth.WithConnContext(withRoom))
	defer s.close()
	ws := s.connect(s.token(paseto.Grant{Subject: "alice"}))
	showNext(ws)

	// Output: alice is in the kitchen
}
