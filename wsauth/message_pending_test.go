package wsauth_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// tooLate is what a client is told that did not send its token in time.
const tooLate = "No token came in time"

// TestMessageTimeout ends what has not shown a token by then, whatever else it sends.
func TestMessageTimeout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		timeout time.Duration // 0: the default
		lives   time.Duration
		first   string // what the client sends once
		often   string // and every 100 ms
	}{
		{"nothing", 0, 5 * time.Second, "", ""},
		{"half a message", 0, 5 * time.Second, frame(text&^final, `{"type":`), ""},
		{"a byte now and then", 0, 5 * time.Second, frame(text, strings.Repeat("x", 1000))[:8], "x"},
		{"a fragment now and then", 0, 5 * time.Second, frame(text&^final, ""), frame(continuation&^final, "x")},
		{"pongs", 0, 5 * time.Second, "", emptyPong},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := setup{Config: wsauth.Config{Locations: byMessage, MessageTimeout: test.timeout, PingInterval: wsauth.NoPing}}
			inBubble(t, paseto.Config{}, cfg, unreachable(t), func(b bubble) {
				began := time.Now()
				client := b.call(none(), true)
				sendAll(t, client.WS, test.first)
				client.SendOften(100*time.Millisecond, test.often)
				client.CheckEnd(wsauth.ClosePolicyViolation, tooLate)
				client.CheckLived(began, test.lives)
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := b.guard.Stats(); got != (wsauth.Stats{}) {
					b.Errorf("there are %+v left", got)
				}
			})
		})
	}
}

// TestMessageInTime is one at the last moment, after which no timeout counts.
func TestMessageInTime(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{Locations: byMessage}}, echo, func(b bubble) {
		client := b.call(none(), true)
		client.CheckLives(5*time.Second - 1)
		client.Say(authMessage(access(b, b.auth, anHour)))
		hearAnswer(client)
		client.CheckLives(10 * 5 * time.Second)
		client.CheckEcho()
	})
}

// TestLongFirstMessage may be a bit longer than a token may be, whatever the limit of
// the application's messages is, which counts again afterwards.
func TestLongFirstMessage(t *testing.T) {
	t.Parallel()
	const maxToken, space = 8192, 256
	auth := newAuthorizer(t, paseto.Config{})
	message := authMessage(access(t, auth, anHour))
	padded := func(n int) string { return message + strings.Repeat(" ", n-len(message)) }
	for _, test := range []struct {
		name      string
		size      int
		readLimit int64
		closes    wsauth.CloseCode
	}{
		{"as long as may be", maxToken + space, 0, 0},
		{"one byte longer", maxToken + space + 1, 0, wsauth.CloseMessageTooBig},
		{"far too long", 8 << 20, 16 << 20, wsauth.CloseMessageTooBig},
		{"as long as may be, application reads less", maxToken + space, 1 << 10, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard, srv := takingMessages(t, auth, setup{Config: wsauth.Config{ReadLimit: test.readLimit, CloseTimeout: patience}}, paseto.Requirement{}, echo)
			ws := connect(t, srv, none())
			say(t, ws, padded(test.size))
			if test.closes != 0 {
				checkClosed(t, ws, test.closes, "")
				_ = ws.Close()
				until(t, "the place is free", func() bool { return guard.Stats() == wsauth.Stats{} })
				return
			}
			if a := nextAnswer(t, ws); a.Code != "" {
				t.Errorf("the answer is %+v", a)
			}
			limit := (64 << 10)
			if test.readLimit != 0 {
				limit = int(test.readLimit)
			}
			checkEcho(t, ws, strings.Repeat("x", limit))
			say(t, ws, strings.Repeat("x", limit+1))
			checkClosed(t, ws, wsauth.CloseMessageTooBig, "")
		})
	}
}

// TestPendingLimit answers with status 503 while too many connections have yet to show
// a token, and not those that show it in the handshake. Each way out frees a place.
func TestPendingLimit(t *testing.T) {
	t.Parallel()
	const limit = 3
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, anHour)
	saying := func(message string) func(*testing.T, *websocket.Conn) {
		return func(t *testing.T, ws *websocket.Conn) {
			t.Helper()
			say(t, ws, message)
		}
	}
	for _, test := range []struct {
		name   string
		cfg    setup
		leaves func(*testing.T, *websocket.Conn) // nil: the guard makes it leave
	}{
		{"is admitted", setup{}, saying(authMessage(token))},
		{"is refused", setup{}, saying(authMessage("nonsense"))},
		{"says too much, and goes on", setup{Config: wsauth.Config{CloseTimeout: soon}}, func(t *testing.T, ws *websocket.Conn) {
			t.Helper()
			sendAll(t, ws, frame(text, strings.Repeat("x", 1<<20)))
		}},
		{"breaks the protocol", setup{}, func(t *testing.T, ws *websocket.Conn) {
			t.Helper()
			sendAll(t, ws, "\x8a\x00")
		}},
		{"is gone in the midst of a message", setup{}, func(t *testing.T, ws *websocket.Conn) {
			t.Helper()
			sendAll(t, ws, frame(text, authMessage(token))[:100])
			_ = ws.NetConn().Close()
		}},
		{"is too late, and does not answer the close", setup{Config: wsauth.Config{MessageTimeout: soon, CloseTimeout: soon}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.cfg.Limits = wsauth.Limits{Pending: limit, PendingPerAddress: paseto.NoLimit}
			guard, srv := takingMessages(t, auth, test.cfg, paseto.Requirement{}, echo)
			for range 2 { // all places, twice
				var clients []*websocket.Conn
				for range limit {
					clients = append(clients, connect(t, srv, none()))
				}
				if test.leaves != nil { // else they may be gone already
					if checkRefused(t, srv, none(), live.ErrOverload).Header.Get("Retry-After") == "" {
						t.Error("there is no Retry-After")
					}
					checkEcho(t, connect(t, srv, bearer(token)), "hello")
					if n := guard.Stats().Pending; n != limit {
						t.Errorf("%d connections are pending, want %d", n, limit)
					}
				}
				for _, ws := range clients {
					if test.leaves != nil {
						test.leaves(t, ws)
					}
				}
				until(t, "the places are free", func() bool { return guard.Stats().Pending == 0 })
			}
		})
	}
}

// TestShutdownOfPending tells those that have yet to show a token, and waits for them.
func TestShutdownOfPending(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := closable(t, auth, setup{Config: wsauth.Config{Locations: byMessage, MessageTimeout: time.Hour, CloseTimeout: soon}})
	srv := listen(t, guard.Require(paseto.Requirement{}, unreachable(t)))
	silent, late := connect(t, srv, none()), connect(t, srv, none())
	sendAll(t, late, frame(text, authMessage(access(t, auth, anHour)))[:100])
	done := shutdown(t.Context(), guard)
	checkClosed(t, silent, wsauth.CloseGoingAway, shuttingDown)
	checkClosed(t, late, wsauth.CloseGoingAway, shuttingDown)
	if err := wait(t, done, "Shutdown"); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
	if got := guard.Stats(); got != (wsauth.Stats{}) {
		t.Errorf("there are %+v left", got)
	}
}

// TestMessageSlowlyChecked is one that came in time, and whose token takes too long to check: a
// fault of the server's, which the client is told so.
func TestMessageSlowlyChecked(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{Locations: byMessage, PingInterval: wsauth.NoPing}}
	inBubble(t, paseto.Config{}, cfg, unreachable(t), func(b bubble) {
		b.store.OnLook(func(ctx context.Context, _ denylist.Token) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		})
		client := b.call(none(), true)
		client.Say(authMessage(access(b, b.auth, anHour)))
		client.CheckLives(5*time.Second - 1)
		client.CheckEnd(wsauth.CloseTryAgainLater, paseto.ErrUnavailable.Message())
	})
}
