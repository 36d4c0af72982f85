package wsauth_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// recheckSoon is a RecheckInterval for tests that wait for a recheck.
const recheckSoon = 10 * time.Millisecond

// must ends the test if something that it needs has failed.
func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// liveClosings end connections that were let in, for what happens to their right to
// be there.
func liveClosings() []closing {
	one := func(excess live.Excess) setup {
		return setup{live: live.Config{PerSubject: 1, OnExcess: excess, LeaseTTL: time.Second}}
	}
	losesPlace := func(s *scene, _ *wsauth.Conn) { s.store.ReplaceAll("other") }
	return []closing{
		{name: "expired", cause: paseto.ErrExpired,
			bring: func(s *scene) visit { // which leaves it a second to be opened
				return carried(access(s.t, s.auth, paseto.Grant{Subject: "alice", TTL: 2 * time.Second}))
			}},
		{name: "revoked", cause: paseto.ErrRevoked, live: revokesSubject},
		{name: "key withdrawn", cause: paseto.ErrKeyWithdrawn, config: setup{live: live.Config{RecheckInterval: recheckSoon}},
			live: func(s *scene, _ *wsauth.Conn) { s.must(s.auth.SetKeys(paseto.NewLocalKey())) }},
		{name: "denylist away for too long", cause: paseto.ErrUnavailable, config: setup{live: live.Config{RecheckInterval: recheckSoon, MaxUnchecked: soon}},
			live: func(s *scene, _ *wsauth.Conn) { s.store.OnLook(down) }},
		{name: "replaced", cause: live.ErrReplaced, config: one(live.ReplaceOldest),
			live: func(s *scene, _ *wsauth.Conn) { s.open(carried(s.alice())) }},
		{name: "replaced elsewhere", cause: live.ErrReplaced, config: one(live.ReplaceOldest), leased: true, live: losesPlace},
		{name: "place taken elsewhere", cause: live.ErrTooMany, config: one(live.RejectNewest), leased: true, live: losesPlace},
		{name: "as old as may be", cause: live.ErrLifetime, config: setup{live: live.Config{MaxLifetime: time.Second}}},
		{name: "shutdown", cause: live.ErrShutdown, live: shutsDown},
		{name: "shutdown to restart", config: setup{Config: wsauth.Config{ShutdownCode: wsauth.CloseServiceRestart}}, live: shutsDown,
			want: new(clean(1012, shuttingDown))},
	}
}

func revokesSubject(s *scene, conn *wsauth.Conn) {
	s.must(s.auth.RevokeSubject(s.t.Context(), conn.Claims().Subject, time.Time{}))
}

func shutsDown(s *scene, _ *wsauth.Conn) { s.must(s.guard.Shutdown(s.t.Context())) }

// renewalClosings are renewals that are refused where that closes the connection.
func renewalClosings() []closing {
	cfg := setup{Config: wsauth.Config{RenewMessages: true}, live: live.Config{RenewFailure: live.RenewFailureEnds, RenewInterval: time.Hour}}
	chat := paseto.Grant{Subject: "alice", Session: "s1", TTL: time.Hour, Scopes: []string{"chat"}}
	changed := func(change func(*paseto.Grant)) func(*scene) string {
		return func(s *scene) string {
			g := chat
			change(&g)
			return authMessage(access(s.t, s.auth, g))
		}
	}
	same := changed(func(*paseto.Grant) {})
	text := func(message string) func(*scene) string { return func(*scene) string { return message } }
	rows := []struct {
		name  string
		cause error
		send  func(*scene) string
		times int
	}{
		{"of another subject", live.ErrOtherSubject, changed(func(g *paseto.Grant) { g.Subject = "bob" }), 1},
		{"with an older token", live.ErrOlder, changed(func(g *paseto.Grant) { g.TTL = time.Minute }), 1},
		{"with a misspelt message", wsauth.ErrMessage, text(`{"type":"auth","tokens":""}`), 1},
		{"too often", live.ErrRenewals, same, 6},
	}
	closings := make([]closing, 0, len(rows)+1)
	for _, r := range rows {
		closings = append(closings, closing{
			name: "renewal " + r.name, cause: r.cause, config: cfg, req: paseto.Requirement{Scopes: []string{"chat"}},
			bring: func(s *scene) visit {
				v := carried(access(s.t, s.auth, chat))
				message := r.send(s)
				for range r.times {
					v.Messages = append(v.Messages, message)
				}
				return v
			},
		})
	}
	return append(closings, closing{
		name: "renewal of an anonymous connection", cause: live.ErrOtherSubject, config: cfg, req: paseto.Requirement{Optional: true},
		bring: func(s *scene) visit { return telling(authMessage(s.alice())) },
	})
}

// applicationClosings are the program's doing.
func applicationClosings() []closing {
	row := func(name string, cause error, want *outcome, serve wsauth.Handler) closing {
		return closing{name: name, cause: cause, want: want, serve: func(*scene) wsauth.Handler { return serve }}
	}
	rows := []closing{
		row("handler returns", live.ErrClosed, nil, func(context.Context, *wsauth.Conn) {}),
		row("handler panics", live.ErrPanic, nil, func(context.Context, *wsauth.Conn) { panic("oh dear") }),
		row("application closes", live.ErrClosed, new(clean(4000, "Room is closed – grüß Gott")), closesWith(4000, "Room is closed – grüß Gott")),
		row("application closes like a refusal", live.ErrClosed, new(clean(1008, "No guests")), closesWith(1008, "No guests")),
	}
	for _, code := range []wsauth.CloseCode{0, 999, 1004, 1005, 1006, 1015, 2999, 5000} { // none that a frame may carry
		rows = append(rows, row(fmt.Sprintf("application closes with %d", code), live.ErrClosed, new(clean(1011, "mine")), closesWith(code, "mine")))
	}
	return rows
}

func closesWith(code wsauth.CloseCode, reason string) wsauth.Handler {
	return func(_ context.Context, conn *wsauth.Conn) { conn.Close(code, reason) }
}

// ownCodeClosings are closed with codes of the program's own, whatever the preset is.
func ownCodeClosings() []closing {
	row := func(cause paseto.Code, code wsauth.CloseCode, want outcome, c closing) closing {
		c.name, c.want = "own code, "+c.name, &want
		c.config.CloseCodeFor = map[paseto.Code]wsauth.CloseCode{cause: code}
		return c
	}
	banned := &paseto.Error{Code: "banned", Message: "You are banned until Monday"}
	return []closing{
		row(paseto.ErrRevoked, 3000, clean(3000, paseto.ErrRevoked.Message()), closing{name: "revoked", cause: paseto.ErrRevoked, live: revokesSubject}),
		row(live.ErrShutdown, 4101, clean(4101, shuttingDown), closing{name: "shutdown", cause: live.ErrShutdown, live: shutsDown,
			config: setup{Config: wsauth.Config{ShutdownCode: wsauth.CloseServiceRestart}}}),
		row(paseto.ErrForbidden, 4103, clean(4103, banned.Message), closing{name: "refusal of a Check that has none", cause: banned,
			req: paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return banned }}}),
		row(live.ErrClosed, 4104, clean(4104, ""), closing{name: "handler returns", cause: live.ErrClosed,
			serve: func(*scene) wsauth.Handler { return func(context.Context, *wsauth.Conn) {} }}),
		row(live.ErrClosed, 4104, clean(4000, "Room is closed"), closing{name: "application closes with another", cause: live.ErrClosed,
			serve: func(*scene) wsauth.Handler { return closesWith(4000, "Room is closed") }}),
	}
}

// protocolClosings are what a page does, or has its browser do, against the rules.
func protocolClosings() []closing {
	row := func(name string, cause error, want *outcome, raw func(*websocket.Conn)) closing {
		return closing{name: name, cause: cause, want: want, rough: true, bring: func(s *scene) visit {
			v := carried(s.alice())
			v.Raw = raw
			return v
		}}
	}
	fragment := []byte{0x02, 0x80 | 1, 0, 0, 0, 0, 'x', 0x80} // and how the next one begins
	unknown := []byte{0x83, 0x80, 0, 0, 0, 0}
	silent := row("no pong", wsauth.ErrUnresponsive, nil, func(ws *websocket.Conn) {
		ws.SetPingHandler(func(string) error { return nil })
	})
	silent.config.PingInterval, silent.cut = soon, true
	many := closing{name: "more messages than may come", cause: wsauth.ErrRate, bring: func(s *scene) visit {
		v := carried(s.alice())
		v.Messages = []string{"one", "two"}
		return v
	}}
	many.config.Messages.PerSecond = 1
	return []closing{
		{name: "message too big", want: tooBigOutcome, config: setup{Config: wsauth.Config{ReadLimit: 1000}}, bring: func(s *scene) visit {
			v := carried(s.alice())
			v.Messages = []string{strings.Repeat("x", 1001)}
			return v
		}},
		row("message too big by far", nil, tooBigOutcome, sendsBytes(bigFrame)),
		row("message too big in fragments", nil, tooBigOutcome, sendsBytes(append(fragment, bigFrame[1:]...))),
		row("message too big for a number", nil, tooBigOutcome, sendsBytes(append(fragment, 0x80|127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0))),
		row("message too big for a frame", nil, tooBigOutcome, sendsBytes([]byte{0x82, 0x80 | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})),
		row("text that is not UTF-8", wsauth.ErrPayload, nil, sendsMessage(wsauth.TextMessage, []byte{0xff})),
		row("unknown frame", nil, new(clean(1002, "bad opcode 3")), sendsBytes(unknown)),
		row("unknown frame, and more", nil, new(clean(1002, "bad opcode 3")), sendsBytes(append(unknown, bigFrame...))),
		row("unmasked frame", nil, new(clean(1002, "bad MASK")), sendsBytes([]byte{0x82, 0})),
		silent,
		slowPeer(),
		many,
	}
}

// slowPeer is sent more than it reads, and then reads on.
func slowPeer() closing {
	return closing{
		name: "peer reads slowly", cause: live.ErrSlow, rough: true, config: setup{Config: wsauth.Config{SendQueue: 1}},
		bring: func(s *scene) visit {
			v := carried(s.alice())
			v.Raw = func(*websocket.Conn) { <-s.cue }
			return v
		},
		serve: func(s *scene) wsauth.Handler {
			return func(_ context.Context, conn *wsauth.Conn) {
				for conn.Send(wsauth.TextMessage, []byte("news")) == nil { //nolint:revive // until it is too much
				}
				close(s.cue)
			}
		},
	}
}

// bigFrame is a binary message of 128 KiB, in one frame.
var bigFrame = append([]byte{0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0}, make([]byte, 128<<10)...)

// sendsBytes writes what need not be a frame.
func sendsBytes(bytes []byte) func(*websocket.Conn) {
	return func(ws *websocket.Conn) { _, _ = ws.NetConn().Write(bytes) }
}

func sendsMessage(kind wsauth.MessageKind, data []byte) func(*websocket.Conn) {
	return func(ws *websocket.Conn) { _ = ws.WriteMessage(int(kind), data) }
}
