package wsauth_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// noAnswer is what a peer is told that did not answer a ping.
const noAnswer = "No answer to a ping"

// interval is how often peers are asked.
const interval = 30 * time.Second

// TestPing asks a peer for a sign of life once in each interval, and keeps one that
// gives any.
func TestPing(t *testing.T) {
	t.Parallel()
	const intervals = 20
	for _, test := range []struct {
		name    string
		serve   wsauth.Handler
		answers bool
		first   string // what the peer sends once
		often   string // and a bit more often than it is asked
	}{
		{"answers", echo, true, "", ""},
		{"answers, handler does not read", untilEnd, true, "", ""},
		{"sends messages", echo, false, "", hello},
		{"sends a long message slowly", echo, false, frame(text, strings.Repeat("x", 1000))[:20], "x"},
		{"sends pongs that nobody asked for", echo, false, "", emptyPong},
		{"sends pongs with a payload", echo, false, "", frame(pong, "here")},
		{"sends pings", echo, false, "", frame(ping, "there?")},
		{"answers, after a ping of its own", echo, true, frame(ping, "there?"), ""},
		{"answers, after a pong with a payload", echo, true, frame(pong, "here"), ""},
		{"answers, in the midst of a message", echo, true, frame(text&^final, "half a message"), ""},
		{"is silent, handler does not read", untilEnd, false, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, setup{}, test.serve, func(b bubble) {
				client := b.call(b.alice(24*time.Hour), test.answers)
				sendAll(t, client.WS, test.first)
				client.SendOften(interval*9/10, test.often)
				client.CheckLives(intervals * interval)
				if n := client.Pings.Load(); n < intervals-1 || n > intervals {
					t.Errorf("the peer was asked %d times in %d intervals", n, intervals)
				}
			})
		})
	}
}

// untilEnd is a handler that does not read.
func untilEnd(ctx context.Context, _ *wsauth.Conn) { <-ctx.Done() }

// TestSilentPeerIsGone before the second interval is over since it was heard of.
func TestSilentPeerIsGone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		codes wsauth.CloseCodes
		code  wsauth.CloseCode
		first string // what the peer sends before it falls silent
	}{
		{"from the start", "", wsauth.CloseGoingAway, ""},
		{"private codes", wsauth.PrivateCodes, wsauth.CloseTimeout, ""},
		{"after a message", "", wsauth.CloseGoingAway, frame(text, "hello")},
		{"in the midst of a message", "", wsauth.CloseGoingAway, frame(text&^final, "half a message")},
		{"in the midst of a frame", "", wsauth.CloseGoingAway, frame(text, "hello")[:7]},
		{"in the midst of a frame's head", "", wsauth.CloseGoingAway, frame(text, "hello")[:1]},
		{"in the midst of a pong", "", wsauth.CloseGoingAway, frame(pong, "")[:3]},
		{"after a ping", "", wsauth.CloseGoingAway, frame(ping, "there?")},
		{"after a pong with a payload", "", wsauth.CloseGoingAway, frame(pong, "here")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			serve := func(ctx context.Context, conn *wsauth.Conn) {
				if err := readUntilError(ctx, conn); !errors.Is(err, wsauth.ErrUnresponsive) {
					t.Errorf("the handler was told %v, want ErrUnresponsive", err)
				}
			}
			inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{CloseCodes: test.codes}}, serve, func(b bubble) {
				client := b.call(b.alice(time.Hour), false)
				client.CheckLives(interval / 3)
				sendAll(t, client.WS, test.first)
				began := time.Now()
				client.CheckEnd(test.code, noAnswer)
				if took := client.At.Sub(began); took < interval || took > 2*interval {
					t.Errorf("the connection ended %s after the peer fell silent", took)
				}
			})
		})
	}
}

// TestNoPing leaves a silent peer alone.
func TestNoPing(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{PingInterval: wsauth.NoPing}}, echo, func(b bubble) {
		client := b.call(b.alice(24*time.Hour), false)
		client.CheckLives(24*time.Hour - 1)
		if n := client.Pings.Load(); n != 0 {
			t.Errorf("the peer was asked %d times", n)
		}
		client.CheckEcho()
	})
}

// TestPeerOfLateReader is judged from when the handler begins to read.
func TestPeerOfLateReader(t *testing.T) {
	t.Parallel()
	const late = 10*interval + interval/7
	serve := func(ctx context.Context, conn *wsauth.Conn) {
		time.Sleep(late)
		echo(ctx, conn)
	}
	inBubble(t, paseto.Config{}, setup{}, serve, func(b bubble) {
		began := time.Now()
		client := b.call(b.alice(time.Hour), false)
		client.CheckEnd(wsauth.CloseGoingAway, noAnswer)
		if took := client.At.Sub(began) - late; took < interval || took > 2*interval {
			t.Errorf("the connection ended %s after the handler began to read", took)
		}
	})
}

// TestPeerOfSlowDenylist is not to blame that nobody reads its answers while its new
// token is looked up.
func TestPeerOfSlowDenylist(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{RenewMessages: true}}, echo, func(b bubble) {
		client := b.call(b.alice(10*time.Hour), true)
		b.store.OnLook(func(context.Context, denylist.Token) (bool, error) {
			time.Sleep(5 * interval)
			return false, nil
		})
		sendAll(t, client.WS, frame(text, authMessage(access(t, b.auth, paseto.Grant{Subject: "alice", TTL: 20 * time.Hour}))))
		client.CheckLives(20 * interval)
		if n := len(client.Messages); n != 1 {
			t.Errorf("%d messages came, want the answer alone", n)
		}
	})
}

// TestPingsOverNetwork are answered by a client that does nothing else, in the clear and
// encrypted. One that does not read learns why it was given up if it reads after all.
func TestPingsOverNetwork(t *testing.T) {
	t.Parallel()
	for name, start := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := make(chan error, 1)
			auth := newAuthorizer(t, paseto.Config{})
			open := func(interval time.Duration, serve wsauth.Handler) *websocket.Conn {
				guard := newGuard(t, auth, setup{Config: wsauth.Config{PingInterval: interval}})
				return connect(t, start(t, guard.Require(paseto.Requirement{}, serve)), bearer(access(t, auth, paseto.Grant{})))
			}
			silent := open(20*time.Millisecond, func(ctx context.Context, conn *wsauth.Conn) { told <- readUntilError(ctx, conn) })
			if err := wait(t, told, "the handler"); !errors.Is(err, wsauth.ErrUnresponsive) {
				t.Errorf("the handler was told %v, want ErrUnresponsive", err)
			}
			checkClosed(t, silent, wsauth.CloseGoingAway, noAnswer)

			client := testsocket.ListenTo(t, open(time.Second, echo), true)
			until(t, "two pings have come", func() bool { return client.Pings.Load() >= 2 })
			client.CheckEcho()
		})
	}
}

// TestStalledPeerIsGone although a message is being written to it, which fills all
// buffers and may take minutes.
func TestStalledPeerIsGone(t *testing.T) {
	t.Parallel()
	told, full := make(chan error, 2), make(chan struct{})
	cfg := setup{Config: wsauth.Config{PingInterval: 20 * time.Millisecond, WriteTimeout: 10 * time.Minute, CloseTimeout: soon}}
	ws := admitted(t, cfg, func(ctx context.Context, conn *wsauth.Conn) {
		go func() { told <- conn.WriteMessage(wsauth.BinaryMessage, make([]byte, 32<<20)) }()
		<-full
		told <- readUntilError(ctx, conn)
	})
	if _, err := io.ReadFull(ws.NetConn(), make([]byte, 1<<10)); err != nil { // the write is under way
		t.Fatal(err)
	}
	close(full) // and only now the peer is judged
	for range 2 {
		if err := wait(t, told, "the handler"); !errors.Is(err, wsauth.ErrUnresponsive) {
			t.Errorf("the handler was told %v, want ErrUnresponsive", err)
		}
	}
	checkCut(t, ws)
}
