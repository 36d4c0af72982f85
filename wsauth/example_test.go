package wsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

func ExampleGuard_Require() {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}})
	if err != nil {
		panic(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		panic(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{})
	if err != nil {
		panic(err)
	}
	chat := func(_ context.Context, conn *wsauth.Conn) {
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			answer := fmt.Appendf(nil, "%s says: %s", conn.Claims().Subject, data)
			if conn.WriteMessage(kind, answer) != nil {
				return
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, chat))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	defer func() { _ = guard.Shutdown(context.Background()) }()

	// A client with a token.
	access, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"
	ws, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Authorization": {"Bearer " + access.Token.Reveal()}})
	if err != nil {
		panic(err)
	}
	defer func() { _ = ws.Close() }()
	_ = ws.WriteMessage(websocket.TextMessage, []byte("hello"))
	_, data, _ := ws.ReadMessage()
	fmt.Println(string(data))

	// A client without one.
	stranger, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = stranger.Close() }()
	_, _, err = stranger.ReadMessage()
	fmt.Println(err)

	// Output:
	// alice says: hello
	// websocket: close 1008 (policy violation): PASETO Authorization Token required
}

// Another WebSocket library can serve the connections that a Guard admits. It
// has to close them when their tokens expire.
func ExampleGuard_Authenticate() {
	s := newDemo(wsauth.Config{}, welcome)
	defer s.close()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // the guard has
	s.mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		claims, err := s.guard.Authenticate(r, paseto.Requirement{})
		if err != nil {
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return
		}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = ws.Close() }()
		_ = ws.SetReadDeadline(s.auth.Deadline(claims))
		_ = ws.WriteMessage(websocket.TextMessage, []byte("hello, "+claims.Subject))
	})
	showNext(s.dial("/ws", http.Header{"Authorization": {"Bearer " + s.token(paseto.Grant{Subject: "alice"})}}))

	_, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.srv.URL, "http")+"/ws", nil)
	fmt.Println(err, resp.StatusCode)

	// Output:
	// hello, alice
	// websocket: bad handshake 401
}

// A page cannot set headers on a WebSocket, and should not put its access token
// into a URL. It asks for a ticket with the one and puts that into the other.
func ExampleGuard_Require_ticket() {
	s := newDemo(wsauth.Config{}, welcome) // takes tickets, since its Authorizer has a denylist
	defer s.close()
	s.mux.Handle("POST /ticket", s.web.Ticket(httpauth.WithTicketPath("/rooms/kitchen")))

	// The page asks for a ticket.
	r := must(http.NewRequest(http.MethodPost, s.srv.URL+"/ticket", http.NoBody))
	r.Header.Set("Authorization", "Bearer "+s.token(paseto.Grant{Subject: "alice"}))
	resp := must(s.srv.Client().Do(r))
	defer func() { _ = resp.Body.Close() }()
	var ticket httpauth.Ticket
	if err := json.NewDecoder(resp.Body).Decode(&ticket); err != nil {
		panic(err)
	}

	// It opens one socket.
	for range 2 {
		showNext(s.dial("/rooms/kitchen?ticket="+ticket.Ticket.Reveal(), nil))
	}

	// Output:
	// hello
	// websocket: close 1008 (policy violation): Ticket has been used
}

// run serves until ctx ends, as that of signal.NotifyContext does.
func run(ctx context.Context, listener net.Listener, server *http.Server, guard *wsauth.Guard) (err error) {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, guard.Shutdown(ctx, server)) // then close the store
}

// A program shuts the guard and its HTTP server down in one call.
func ExampleGuard_Shutdown() {
	s := newDemo(wsauth.Config{}, welcome)
	defer s.close()
	ctx, stop := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ended := make(chan error)
	go func() { ended <- run(ctx, listener, s.srv.Config, s.guard) }()

	alice := s.join(paseto.Grant{Subject: "alice"})
	stop() // a signal comes
	showNext(alice)
	fmt.Println(<-ended)
	// Output:
	// websocket: close 1001 (going away): Server is shutting down
	// <nil>
}

// One connection for each subject: a new one takes the place of the old one, which
// is told so with a code of its own.
func ExampleConfig() {
	s := newDemoOf(
		live.Config{MaxLifetime: 12 * time.Hour, MaxRights: 50_000, PerSubject: 1, OnExcess: live.ReplaceOldest},
		wsauth.Config{CloseCodes: wsauth.PrivateCodes}, welcome)
	defer s.close()
	first := s.join(paseto.Grant{Subject: "alice"})
	s.join(paseto.Grant{Subject: "alice"})
	showNext(first)

	// A client without a token reads 4401 instead of 1008.
	stranger := s.connect("")
	showNext(stranger)

	// Output:
	// websocket: close 4409: Replaced by a newer connection
	// websocket: close 4401: PASETO Authorization Token required
}

// Single causes have a code of the program's own. All others have that of the preset.
func ExampleConfig_closeCodeFor() {
	cfg := wsauth.Config{CloseCodes: wsauth.PrivateCodes}
	cfg.CloseCodeFor = map[paseto.Code]wsauth.CloseCode{
		paseto.ErrNoToken: 4001,
		"banned":          4002, // of an error that a Check returns
	}
	s := newDemo(cfg, welcome)
	defer s.close()
	showNext(s.connect(""))
	showNext(s.connect("v4.local.nonsense"))

	// Output:
	// websocket: close 4001: PASETO Authorization Token required
	// websocket: close 4401: Invalid PASETO format
}

// The causes after which a client waits for a while before it comes back.
func ExampleClosures() {
	for _, c := range wsauth.Closures() {
		if c.Reconnect == httpauth.ReconnectLater {
			fmt.Println(c.Standard, c.Private, c.Cause)
		}
	}

	// Output:
	// 1008 4429 renewals_limited
	// 1008 4429 messages_limited
	// 1013 4429 connections_limited
	// 1013 4429 peer_slow
	// 1013 1013 denylist_unavailable
	// 1013 1013 keys_unavailable
	// 1011 1011 handler_panicked
	// 1011 1011 server_error
}
