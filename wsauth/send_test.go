package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestSend delivers in the order of the calls, beside what is written meanwhile.
func TestSend(t *testing.T) {
	t.Parallel()
	const messages = 1000
	conn, ws := held(t, setup{Config: wsauth.Config{SendQueue: messages}})
	var group sync.WaitGroup
	group.Go(func() {
		for range messages {
			if err := conn.WriteMessage(wsauth.BinaryMessage, []byte("written")); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for n := range messages {
		send := func() error { return conn.Send(wsauth.TextMessage, fmt.Append(nil, n)) }
		if n%2 == 1 {
			send = func() error { return conn.SendJSON(n) }
		}
		if err := send(); err != nil {
			t.Fatal(err)
		}
	}
	sent, written := 0, 0
	for sent < messages || written < messages {
		kind, data, err := ws.ReadMessage()
		switch {
		case err != nil:
			t.Fatal(err)
		case kind == websocket.BinaryMessage && string(data) == "written":
			written++
		case kind == websocket.TextMessage && string(data) == fmt.Sprint(sent):
			sent++
		default:
			t.Fatalf("after %d sent and %d written messages comes %q", sent, written, data)
		}
	}
	group.Wait()
	if err := conn.SendJSON("again"); err != nil {
		t.Error(err)
	}
	checkMessage(t, ws, `"again"`)
}

// TestSendWhatCannotBe changes nothing.
func TestSendWhatCannotBe(t *testing.T) {
	t.Parallel()
	conn, ws := held(t, setup{})
	errs := map[string]error{"no JSON": conn.SendJSON(make(chan int)), "no JSON, written": conn.WriteJSON(func() {})}
	for _, kind := range []wsauth.MessageKind{0, websocket.CloseMessage, websocket.PingMessage, 99} {
		errs[fmt.Sprint("kind ", kind)] = conn.Send(kind, nil)
		errs[fmt.Sprint("kind ", kind, ", written")] = conn.WriteMessage(kind, nil)
	}
	for name, err := range errs {
		if err == nil || !strings.HasPrefix(err.Error(), "wsauth: ") || conn.Context().Err() != nil {
			t.Errorf("%s: error is %v, the context's %v", name, err, conn.Context().Err())
		}
	}
	if err := conn.Send(wsauth.BinaryMessage, []byte{0xff}); err != nil {
		t.Error(err)
	}
	checkMessage(t, ws, "\xff")
}

// TestSendQueue holds as many messages as configured beside the one on its way, and
// the one too many ends the connection.
func TestSendQueue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ configured, room int }{{0, 64}, {1, 1}, {7, 7}} {
		t.Run(fmt.Sprint(test.configured), func(t *testing.T) {
			t.Parallel()
			cfg := setup{Config: wsauth.Config{SendQueue: test.configured, PingInterval: wsauth.NoPing}}
			inBubble(t, paseto.Config{}, cfg, untilEnd, func(b bubble) {
				_ = b.dial(none()) // and reads nothing
				conn, began := b.only(), time.Now()
				for n := range 1 + test.room {
					if err := conn.SendJSON(n); err != nil {
						t.Fatalf("message %d: %v", n, err)
					}
					synctest.Wait()
				}
				for range 2 {
					if err := conn.SendJSON("one too many"); !errors.Is(err, live.ErrSlow) {
						t.Errorf("error is %v, want ErrSlow", err)
					}
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("waited for the peer, %s", took)
				}
				checkCause(t, conn, live.ErrSlow)
			})
		})
	}
}

// TestSlowPeersAreLogged: one line for each connection that ends for a slow peer, and
// no more than a client's share of lines.
func TestSlowPeersAreLogged(t *testing.T) {
	t.Parallel()
	const peers, share = 25, 20
	for _, test := range []struct {
		name, cause string
		write       func(conn *wsauth.Conn) error
	}{
		{"queue", live.ErrSlow.Message(), func(conn *wsauth.Conn) error { return conn.SendJSON("hello") }},
		{"write", "timeout", func(conn *wsauth.Conn) error { return conn.WriteJSON("hello") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			logger, log := newLogger()
			cfg := setup{Config: wsauth.Config{SendQueue: 1, PingInterval: wsauth.NoPing}}
			inBubble(t, paseto.Config{}, cfg, func(ctx context.Context, conn *wsauth.Conn) {
				for test.write(conn) == nil { //nolint:revive // Until the peer is too slow.
				}
				<-ctx.Done()
			}, func(b bubble) {
				for range peers {
					_ = b.dial(b.alice(time.Hour)) // and reads nothing
					time.Sleep(time.Minute / 2 / peers)
				}
				time.Sleep(time.Minute)
				b.shutDown()
			}, logger)
			for want, times := range map[string]int{
				`msg="connection closed for a slow peer"`: share,
				"route=/ws":        share,
				"claims.sub=alice": share,
				test.cause:         share,
				"lines=5":          1,
			} {
				if n := strings.Count(log.String(), want); n != times {
					t.Errorf("%q is in the log %d times, want %d:\n%s", want, n, times, log)
				}
			}
		})
	}
}

// TestClosedConnectionKeepsNoMessages that were never sent, however long the program
// keeps the connection. It does not run beside others, whose memory would count.
func TestClosedConnectionKeepsNoMessages(t *testing.T) {
	const messages, size = 32, 1 << 20
	conn, ws := held(t, setup{Config: wsauth.Config{CloseTimeout: soon}})
	stall(t, conn, ws)
	before := memoryInUse()
	for range messages {
		if err := conn.Send(wsauth.BinaryMessage, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	if kept := memoryInUse() - before; kept < (messages-1)*size {
		t.Errorf("%d messages take %d bytes", messages, kept)
	}
	conn.Close(wsauth.CloseNormal, "")
	until(t, "the messages are dropped", func() bool { return memoryInUse()-before < size })
	runtime.KeepAlive(conn)
}

// memoryInUse returns the bytes of memory that are reachable.
func memoryInUse() int {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
