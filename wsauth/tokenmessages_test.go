package wsauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// initMessage shows a token as clients of graphql-transport-ws do.
func initMessage(token string) string {
	return `{"type":"connection_init","payload":{"token":"` + token + `"}}`
}

// inits reads such messages, and those that ask it to fail.
func inits(conn *wsauth.Conn, _ wsauth.MessageKind, data []byte) (token string, isOurs bool, err error) {
	var m struct {
		Type    string
		Payload struct{ Token string }
	}
	switch err := json.Unmarshal(data, &m); {
	case string(data) == "panic":
		panic("Token " + conn.Subprotocol())
	case err != nil || m.Type != "connection_init":
		return "", false, err
	}
	if m.Payload.Token == "odd" {
		return "", true, errors.New("it is odd")
	}
	return m.Payload.Token, true, nil
}

// answersInits is a protocol whose server answers.
var answersInits = wsauth.TokenMessages{
	Token: inits,
	Accepted: func(conn *wsauth.Conn, kind wsauth.MessageKind, _ []byte) error {
		return conn.WriteMessage(kind, []byte("ack "+conn.Claims().Subject))
	},
	Refused: func(conn *wsauth.Conn, kind wsauth.MessageKind, _ []byte, told *paseto.Error) error {
		return conn.WriteMessage(kind, []byte("no "+told.Message))
	},
}

// changed returns another protocol.
func changed(change func(*wsauth.TokenMessages)) wsauth.TokenMessages {
	m := answersInits
	change(&m)
	return m
}

// TestTokenMessages shows tokens in messages of the application's own protocol: as the
// first message, and to renew the token. The handler reads on a goroutine of its own, which
// no panic may end.
func TestTokenMessages(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, anHour)
	const bad = "Bad message. Expected one that carries a token"
	silent := changed(func(m *wsauth.TokenMessages) { m.Accepted, m.Refused = nil, nil })
	passes := changed(func(m *wsauth.TokenMessages) { m.PassOn = true })
	fails := errors.New("no such room")
	shown := initMessage(token)
	padded := func(n int) string { return shown + strings.Repeat(" ", n-len(shown)) }
	const longest = 8192 + 4096
	type outcome struct {
		hears  []string
		closes wsauth.CloseCode // 0: the connection lives on
		reason string
	}
	hears := func(messages ...string) outcome { return outcome{hears: messages} }
	closed := func(code wsauth.CloseCode, reason string, before ...string) outcome {
		return outcome{before, code, reason}
	}
	refused := func(reason string) outcome { return closed(wsauth.ClosePolicyViolation, reason, "no "+reason) }
	panicked := closed(wsauth.CloseInternalError, live.ErrPanic.Message())
	failed := closed(wsauth.CloseInternalError, httpauth.ErrServer.Message())
	for _, test := range []struct {
		name    string
		own     wsauth.TokenMessages
		kind    byte
		message string
		first   outcome // of the message as the first one
		renewal outcome // and as a later one, of alice's
	}{
		{"accepted", answersInits, text, shown, hears("ack alice"), hears("ack alice")},
		{"accepted, binary", answersInits, binaryKind, shown, hears("ack alice"), hears("ack alice")},
		{"accepted without an answer", silent, text, shown, hears(), hears()},
		{"accepted and passed on", passes, text, shown, hears("ack alice", "alice: "+shown), hears("ack alice", "alice: "+shown)},
		{"refused", answersInits, text, initMessage("nonsense"), refused(paseto.ErrMalformed.Message()), hears("no " + paseto.ErrMalformed.Message())},
		{"refused without an answer", silent, text, initMessage("nonsense"),
			closed(wsauth.ClosePolicyViolation, paseto.ErrMalformed.Message()), hears()},
		{"refused and passed on", passes, text, initMessage("x"), refused(paseto.ErrMalformed.Message()),
			hears("no "+paseto.ErrMalformed.Message(), "alice: "+initMessage("x"))},
		{"without a token", answersInits, text, initMessage(""), refused(paseto.ErrNoToken.Message()), hears("no " + paseto.ErrNoToken.Message())},
		{"malformed", answersInits, text, initMessage("odd"), refused(bad), hears("no " + bad)},
		{"of another type", answersInits, text, "hello", refused(bad), hears("alice: hello")},
		{"built-in", answersInits, text, authMessage(token), refused(bad), hears("alice: " + authMessage(token))},
		{"not UTF-8", answersInits, text, "\xff", refused(bad), closed(wsauth.CloseInvalidPayload, wsauth.ErrPayload.Message())},
		{"as long as may be", answersInits, text, padded(longest), hears("ack alice"), hears("ack alice")},
		{"longer", answersInits, text, padded(longest + 1), closed(wsauth.CloseMessageTooBig, ""), hears("ack alice")},
		{"Token panics", answersInits, text, "panic", panicked, panicked},
		{"Accepted panics", changed(func(m *wsauth.TokenMessages) {
			m.Accepted = func(*wsauth.Conn, wsauth.MessageKind, []byte) error { panic("Accepted") }
		}), text, shown, panicked, panicked},
		{"Refused panics", changed(func(m *wsauth.TokenMessages) {
			m.Refused = func(*wsauth.Conn, wsauth.MessageKind, []byte, *paseto.Error) error { panic("Refused") }
		}), text, initMessage("x"), panicked, panicked},
		{"Accepted fails", changed(func(m *wsauth.TokenMessages) {
			m.Accepted = func(*wsauth.Conn, wsauth.MessageKind, []byte) error { return fails }
		}), text, shown, failed, failed},
	} {
		for _, phase := range []struct {
			name string
			send handshake
			want outcome
		}{{"first", none(), test.first}, {"renewal", bearer(token), test.renewal}} {
			t.Run(test.name+", "+phase.name, func(t *testing.T) {
				t.Parallel()
				guard := newGuard(t, auth, setup{Config: wsauth.Config{Locations: byMessage, RenewMessages: true, ReadLimit: 1 << 20}})
				srv := listen(t, guard.Require(paseto.Requirement{}, saysBack, wsauth.WithTokenMessages(test.own)))
				ws := connect(t, srv, phase.send)
				sendAll(t, ws, frame(test.kind, test.message))
				for _, want := range phase.want.hears {
					checkMessage(t, ws, want)
				}
				if phase.want.closes != 0 {
					checkClosed(t, ws, phase.want.closes, phase.want.reason)
				} else {
					checkEchoOf(t, ws, "still here", "alice: still here")
				}
				panics := uint64(0)
				if phase.want.reason == panicked.reason {
					panics = 1
				}
				if got := guard.Stats().Panics; got != panics {
					t.Errorf("%d panics were counted, want %d", got, panics)
				}
			})
		}
	}
}

// saysBack echoes, with the subject, from another goroutine than the handler's.
func saysBack(ctx context.Context, conn *wsauth.Conn) {
	go func() {
		for {
			kind, data, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, []byte(conn.Claims().Subject+": "+string(data))) != nil {
				return
			}
		}
	}()
	<-ctx.Done()
}

// TestTokenMessagesAlone leave the messages of a route to its handler where nothing asks for
// renewals. The log warns where nothing asks for a first message either.
func TestTokenMessagesAlone(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	logger, log := newLogger()
	guard := newGuard(t, auth, setup{}, wsauth.WithLogger(logger))
	guard.Require(paseto.Requirement{}, echo, wsauth.WithTokenMessages(answersInits), httpauth.WithLocations(httpauth.LocationMessage))
	if text := log.String(); strings.Contains(text, "no effect") {
		t.Errorf("with the location message the log says\n%s", text)
	}
	srv := listen(t, guard.Require(paseto.Requirement{}, echo, wsauth.WithTokenMessages(answersInits)))
	if text := log.String(); !strings.Contains(text, "WithTokenMessages has no effect on a route") {
		t.Errorf("the log does not warn, and says\n%s", text)
	}
	ws := connect(t, srv, bearer(access(t, auth, anHour)))
	for _, message := range []string{initMessage("x"), "panic"} {
		checkEchoOf(t, ws, message, message)
	}
}

// TestBrokenTokenMessages refuse every handshake.
func TestBrokenTokenMessages(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	send := bearer(access(t, auth, anHour))
	for name, test := range map[string]struct {
		req paseto.Requirement
		opt httpauth.RouteOption
	}{
		"no function reads them":          {paseto.Requirement{}, wsauth.WithTokenMessages(wsauth.TokenMessages{})},
		"login where a token is required": {paseto.Requirement{}, wsauth.WithLogin()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})
			if ws, _ := dial(t, listen(t, guard.Require(test.req, unreachable(t), test.opt)), send); ws != nil {
				t.Error("the handshake was answered with a WebSocket")
			}
		})
	}
}

// TestLogin gives anonymous connections the claims of a token, where the route lets them
// log in. Then they are like any other of the subject.
func TestLogin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		opts  []httpauth.RouteOption
		login func(t *testing.T, ws *websocket.Conn, token string) (refused string)
	}{
		{"by message", []httpauth.RouteOption{wsauth.WithLogin()}, func(t *testing.T, ws *websocket.Conn, token string) string {
			t.Helper()
			say(t, ws, authMessage(token))
			return nextAnswer(t, ws).Message
		}},
		{"by a message of the own protocol", []httpauth.RouteOption{wsauth.WithLogin(), wsauth.WithTokenMessages(answersInits)},
			func(t *testing.T, ws *websocket.Conn, token string) string {
				t.Helper()
				say(t, ws, initMessage(token))
				_, data, err := ws.ReadMessage()
				if err != nil {
					t.Fatal(err)
				}
				refused, _ := strings.CutPrefix(string(data), "no ")
				return strings.TrimPrefix(refused, "ack alice")
			}},
		{"by the program", []httpauth.RouteOption{wsauth.WithLogin()}, func(t *testing.T, ws *websocket.Conn, token string) string {
			t.Helper()
			say(t, ws, "renew "+token)
			return nextAnswer(t, ws).Message
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			cfg := setup{Config: wsauth.Config{RenewMessages: true}, live: live.Config{PerSubject: 1}}
			guard := newGuard(t, auth, cfg)
			srv := listen(t, guard.Require(paseto.Requirement{Optional: true}, renewing, test.opts...))
			first, second := connect(t, srv, none()), connect(t, srv, none())
			login := func(ws *websocket.Conn, g paseto.Grant, want string) *paseto.Claims {
				t.Helper()
				token := issued(t, auth, g)
				if refused := test.login(t, ws, token.Token.Reveal()); refused != want {
					t.Fatalf("the login is answered with %q, want %q", refused, want)
				}
				return token.Claims
			}
			claims := login(first, paseto.Grant{Subject: "alice", Session: "s1"}, "")
			checkToken(t, first, claims)
			count := 0
			for conn := range guard.ConnectionsOf("alice") {
				if conn.Claims().ID != claims.ID {
					t.Errorf("alice's connection has the claims %v", conn.Claims())
				}
				count++
			}
			if count != 1 {
				t.Errorf("alice has %d connections, want 1", count)
			}
			login(second, paseto.Grant{Subject: "alice"}, live.ErrTooMany.Message())
			login(first, paseto.Grant{Subject: "bob"}, live.ErrOtherSubject.Message())
			checkToken(t, first, login(first, paseto.Grant{Subject: "alice", Session: "s1"}, ""))
			if err := auth.RevokeSession(t.Context(), "s1"); err != nil {
				t.Fatal(err)
			}
			checkClosed(t, first, wsauth.ClosePolicyViolation, paseto.ErrRevoked.Message())
			login(second, paseto.Grant{Subject: "alice", Session: "s2"}, "") // whose place is free now
		})
	}
}
