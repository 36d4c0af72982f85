package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestConnections are those that handlers have: not those that have yet to show a
// token, nor those that are being closed.
func TestConnections(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := newStage(t, setup{}, func(ctx context.Context, conn *wsauth.Conn) {
		greet(ctx, conn)
		<-release
	})
	defer close(release)
	if n := len(slices.Collect(s.guard.Connections())); n != 0 {
		t.Errorf("a new guard has %d connections", n)
	}
	clients := map[string]*websocket.Conn{}
	for name, send := range map[string]handshake{
		"alice": bearer(access(t, s.auth, paseto.Grant{Subject: "alice"})),
		"bob":   bearer(access(t, s.auth, paseto.Grant{Subject: "bob"})),
		"bob 2": bearer(access(t, s.auth, paseto.Grant{Subject: "bob"})),
		"-":     none(),
	} {
		clients[name] = connect(t, s.srv, send)
		checkMessage(t, clients[name], "hello")
	}
	pending := connect(t, listen(t, s.guard.Require(paseto.Requirement{}, greet, httpauth.WithLocations(httpauth.LocationMessage))), none())
	check := func(all ...string) {
		t.Helper()
		var got []string
		for conn := range s.guard.Connections() {
			got = append(got, who(conn.Claims()))
		}
		slices.Sort(got)
		if !slices.Equal(got, all) {
			t.Errorf("the connections are %q, want %q", got, all)
		}
	}
	check("alice", "bob", "bob", "nobody")
	if got, want := s.guard.Stats(), (wsauth.Stats{Connections: 4, Pending: 1}); got != want {
		t.Errorf("Stats are %+v, want %+v", got, want)
	}

	_ = clients["bob"].Close()
	until(t, "bob is leaving", func() bool { return len(slices.Collect(s.guard.ConnectionsOf("bob"))) == 1 })
	check("alice", "bob", "nobody")
	for conn := range s.guard.Connections() {
		conn.Close(4000, "") // within the loop
	}
	check()
	say(t, pending, authMessage(access(t, s.auth, paseto.Grant{Subject: "carol"})))
	_ = nextAnswer(t, pending)
	checkMessage(t, pending, "hello")
	check("carol")
}

// TestBroadcast reaches those who are chosen, and says how many they are.
func TestBroadcast(t *testing.T) {
	t.Parallel()
	s := newStage(t, setup{}, greet)
	clients := map[string]*websocket.Conn{}
	for n := range 9 {
		name := fmt.Sprintf("%s %d", []string{"alice", "bob", "-"}[n%3], n)
		send := bearer(access(t, s.auth, paseto.Grant{Subject: name}))
		if n%3 == 2 {
			send = none()
		}
		clients[name] = connect(t, s.srv, send)
		checkMessage(t, clients[name], "hello")
	}
	named := func(first byte) func(*wsauth.Conn) bool {
		return func(conn *wsauth.Conn) bool { return conn.Claims() != nil && conn.Claims().Subject[0] == first }
	}
	for _, test := range []struct {
		message string
		to      func(*wsauth.Conn) bool
		n       int
	}{
		{"to all", nil, 9},
		{"to alice", named('a'), 3},
		{"to bob", named('b'), 3},
		{"to nobody", func(*wsauth.Conn) bool { return false }, 0},
		{"", nil, 9},
		{"good-bye", nil, 9},
	} {
		if n, err := s.guard.Broadcast(wsauth.TextMessage, []byte(test.message), test.to); n != test.n || err != nil {
			t.Errorf("Broadcast %s = %d, %v, want %d", test.message, n, err, test.n)
		}
	}
	for _, kind := range []wsauth.MessageKind{0, websocket.CloseMessage, websocket.PingMessage, 99} {
		if n, err := s.guard.Broadcast(kind, nil, nil); n != 0 || err == nil {
			t.Errorf("Broadcast of kind %d = %d, %v", kind, n, err)
		}
	}
	for name, ws := range clients {
		checkMessage(t, ws, "to all")
		switch name[0] {
		case 'a':
			checkMessage(t, ws, "to alice")
		case 'b':
			checkMessage(t, ws, "to bob")
		}
		checkMessage(t, ws, "")
		checkMessage(t, ws, "good-bye")
	}
}

// TestBroadcastOverStalledPeer: the others get every message, however large, while one
// peer's buffers are full, until that is given up.
func TestBroadcastOverStalledPeer(t *testing.T) {
	t.Parallel()
	const queue, listeners = 3, 3
	causes := make(chan error, 1)
	stalls := func(ctx context.Context, conn *wsauth.Conn) {
		_ = readUntilError(ctx, conn)
		causes <- context.Cause(ctx)
	}
	s := newStage(t, setup{Config: wsauth.Config{SendQueue: queue, CloseTimeout: soon}}, greet)
	slow := connect(t, listen(t, s.guard.Require(paseto.Requirement{Optional: true}, stalls)), none())
	until(t, "the slow one is there", func() bool { return s.guard.Stats().Connections == 1 })
	for conn := range s.guard.Connections() {
		stall(t, conn, slow)
	}
	var clients []*websocket.Conn
	for range listeners {
		ws := connect(t, s.srv, none())
		checkMessage(t, ws, "hello")
		clients = append(clients, ws)
	}
	reached := listeners + 1
	for n := 0; reached > listeners; n++ {
		if n > queue+1 { // one may be on its way
			t.Fatalf("the slow peer is sent %d messages", n)
		}
		message := make([]byte, 1<<20)
		message[0] = byte(n)
		var err error
		if reached, err = s.guard.Broadcast(wsauth.BinaryMessage, message, nil); err != nil {
			t.Fatal(err)
		}
		for _, ws := range clients {
			if _, data, err := ws.ReadMessage(); err != nil || len(data) != len(message) || data[0] != byte(n) {
				t.Fatalf("message %d: read %d bytes, %v", n, len(data), err)
			}
		}
	}
	if cause := wait(t, causes, "the slow peer's handler"); !errors.Is(cause, live.ErrSlow) {
		t.Errorf("the slow peer's context ended with %v, want ErrSlow", cause)
	}
	checkCut(t, slow)
	if n, err := s.guard.Broadcast(wsauth.TextMessage, []byte("still here"), nil); n != listeners || err != nil {
		t.Errorf("Broadcast = %d, %v, want %d", n, err, listeners)
	}
	for _, ws := range clients {
		checkMessage(t, ws, "still here")
	}
}
