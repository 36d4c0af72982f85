package wsauth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// floodWith sends frames as fast as the server takes them. Nothing else can be sent meanwhile.
func floodWith(p *testsocket.Peer, frames ...string) {
	go func() {
		for _, f := range frames {
			if send(p.WS.NetConn(), f) != nil {
				return // the connection is closed
			}
		}
	}()
}

// times returns a frame again and again.
func times(n int, frame string) []string { return slices.Repeat([]string{frame}, n) }

// TestMessageLimits has a peer send all at once, and looks at when the last message is
// echoed, or how many are before the connection is closed.
func TestMessageLimits(t *testing.T) {
	t.Parallel()
	messages := func(burst int, on wsauth.MessageExcess) wsauth.MessageLimits {
		return wsauth.MessageLimits{PerSecond: 10, Burst: burst, OnExcess: on}
	}
	bytes := func(burst int, on wsauth.MessageExcess) wsauth.MessageLimits {
		return wsauth.MessageLimits{BytesPerSecond: 1000, BytesBurst: burst, OnExcess: on}
	}
	const wait = wsauth.MessageExcessWaits
	long := frame(text, strings.Repeat("x", 986)) + emptyPong // 1000 bytes
	fragments := slices.Concat(times(1, frame(text&^final, "")), times(998, frame(continuation&^final, "")), times(1, frame(continuation, "")))
	for _, test := range []struct {
		name   string
		limits wsauth.MessageLimits
		send   []string
		echoed int
		last   time.Duration // when the last one is; closed if it is below 0
	}{
		{"off", wsauth.MessageLimits{}, times(500, hello), 500, 0},
		{"messages wait", messages(5, wait), times(25, hello), 25, 2 * time.Second},
		{"messages close", messages(5, ""), times(25, hello), 5, -1},
		{"default burst", messages(0, ""), times(25, hello), 10, -1},
		{"as many as may come", messages(25, ""), times(25, hello), 25, 0},
		{"pings wait", messages(5, wait), times(25, frame(ping, "")), 25, 2 * time.Second},
		{"pings close", messages(5, ""), times(25, frame(ping, "")), 5, -1},
		{"pongs wait", messages(5, wait), append(times(24, emptyPong), hello), 1, 2 * time.Second},
		{"pongs behind a message wait", messages(5, wait), append(append(times(1, hello), times(23, emptyPong)...), hello), 2, 2 * time.Second},
		{"pongs with payloads wait", messages(5, wait), append(times(24, frame(pong, "x")), hello), 1, 2 * time.Second},
		{"pongs close", messages(5, ""), append(times(24, emptyPong), hello), 0, -1},
		{"bytes wait", bytes(1000, wait), times(5, long), 5, 4 * time.Second},
		{"bytes close", bytes(1<<17, ""), times(1<<17/1000+1, long), 1 << 17 / 1000, -1},
		{"bytes of fragments wait", bytes(1000, wait), fragments, 1, 5 * time.Second},
		{"longest message", bytes(0, ""), times(1, frame(binaryKind, strings.Repeat("x", 1<<16))), 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{PingInterval: wsauth.NoPing, Messages: test.limits}}, echo, func(b bubble) {
				began := time.Now()
				client := b.call(none(), false)
				floodWith(client, test.send...)
				if test.last < 0 {
					client.CheckEnd(wsauth.ClosePolicyViolation, wsauth.ErrRate.Message())
					client.CheckLived(began, 0)
					if n := len(client.Messages); n != test.echoed {
						b.Errorf("%d messages came before the close, want %d", n, test.echoed)
					}
					return
				}
				for range test.echoed {
					client.Next()
				}
				if took := time.Since(began); took != test.last {
					b.Errorf("the last message came after %s, want %s", took, test.last)
				}
				client.CheckLives(time.Hour)
				if n := len(client.Messages); n != 0 {
					b.Errorf("%d messages came too many", n)
				}
			})
		})
	}
}

// TestMessageLimitsLetBe a peer that sends as much as it may, and answers pings, for hours.
func TestMessageLimitsLetBe(t *testing.T) {
	t.Parallel()
	limits := wsauth.MessageLimits{PerSecond: 2, Burst: 1, BytesPerSecond: 100}
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{PingInterval: time.Second, Messages: limits}}, echo, func(b bubble) {
		client := b.call(none(), true)
		go func() {
			for range client.Messages { // which nobody looks at
			}
		}()
		defer close(client.Messages)
		client.SendOften(time.Second/2, hello)
		client.CheckLives(3 * time.Hour)
		b.only().Close(wsauth.CloseNormal, "enough")
		client.CheckEnd(wsauth.CloseNormal, "enough")
	})
}

// TestMessageLimitsAtFirstMessage count it, and have room for the longest one.
func TestMessageLimitsAtFirstMessage(t *testing.T) {
	t.Parallel()
	cfg := setup{Config: wsauth.Config{
		Locations: []httpauth.Location{httpauth.LocationMessage}, ReadLimit: 10,
		Messages: wsauth.MessageLimits{PerSecond: 1, Burst: 2, BytesPerSecond: 1},
	}}
	inBubble(t, paseto.Config{}, cfg, echo, func(b bubble) {
		client := b.call(none(), false)
		floodWith(client, frame(text, authMessage(access(b, b.auth, paseto.Grant{Subject: "alice"})))+hello+hello)
		client.CheckEnd(wsauth.ClosePolicyViolation, wsauth.ErrRate.Message())
		if n := len(client.Messages); n != 2 {
			b.Errorf("%d messages came, want the answer and one echo", n)
		}
	})
}

// TestWaitingReaderIsEnded at once, with what ends it as the cause, whatever it waits for.
func TestWaitingReaderIsEnded(t *testing.T) {
	t.Parallel()
	const after = 10 * time.Minute // which the token is good for
	for _, waits := range []struct {
		name   string
		limits wsauth.MessageLimits
		send   []string
	}{
		{"for a message", wsauth.MessageLimits{PerSecond: 1}, times(2000, hello)},
		{"in a message", wsauth.MessageLimits{BytesPerSecond: 1, BytesBurst: 1}, times(1, frame(text, strings.Repeat("x", 3000)))},
		{"at a ping", wsauth.MessageLimits{PerSecond: 1}, times(2000, frame(ping, "x"))},
		{"at a pong", wsauth.MessageLimits{PerSecond: 1}, times(2000, emptyPong)},
	} {
		for _, ends := range []struct {
			name  string
			cause paseto.Code
			at    time.Duration
			end   func(b bubble, conn *wsauth.Conn)
		}{
			{"expiry", paseto.ErrExpired, after, func(bubble, *wsauth.Conn) {}},
			{"revocation", paseto.ErrRevoked, after / 2, func(b bubble, conn *wsauth.Conn) {
				if err := b.auth.Revoke(b.Context(), conn.Claims()); err != nil {
					b.Error(err)
				}
			}},
			{"shutdown", live.ErrShutdown, after / 2, func(b bubble, _ *wsauth.Conn) { b.shutDown() }},
		} {
			t.Run(waits.name+", "+ends.name, func(t *testing.T) {
				t.Parallel()
				serve := func(ctx context.Context, conn *wsauth.Conn) {
					began := time.Now()
					if err := readUntilError(ctx, conn); !errors.Is(err, ends.cause) {
						t.Errorf("the handler was told %v, want %v", err, ends.cause)
					}
					if took := time.Since(began); took != ends.at {
						t.Errorf("the handler was told after %s, want %s", took, ends.at)
					}
				}
				limits := waits.limits
				limits.OnExcess = wsauth.MessageExcessWaits
				inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{Messages: limits}}, serve, func(b bubble) {
					began := time.Now()
					client := b.call(b.alice(after), false)
					floodWith(client, waits.send...)
					conn := b.only()
					time.Sleep(after / 2)
					ends.end(b, conn)
					client.CheckEnd(closeCode(ends.cause, ""), ends.cause.Message())
					client.CheckLived(began, ends.at)
				})
			})
		}
	}
}

// TestPeerOfWaitingReader is not to blame that its pongs are not heard, however long reading
// waits; but it is gone when it falls silent afterwards.
func TestPeerOfWaitingReader(t *testing.T) {
	t.Parallel()
	limits := wsauth.MessageLimits{BytesPerSecond: 10, BytesBurst: 1, OnExcess: wsauth.MessageExcessWaits}
	for name, answers := range map[string]bool{"answers": true, "is silent": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{Messages: limits}}, echo, func(b bubble) {
				client := b.call(b.alice(24*time.Hour), answers)
				part := frame(text&^final, strings.Repeat("x", 4000))
				floodWith(client, part)
				client.CheckLives(time.Duration(len(part)/10) * time.Second) // one wait, longer than many pings
				began := time.Now()
				if answers {
					client.CheckLives(time.Hour)
					return
				}
				client.CheckEnd(wsauth.CloseGoingAway, noAnswer)
				if took := client.At.Sub(began); took < interval || took > 2*interval+time.Second {
					b.Errorf("the connection ended %s after the wait", took)
				}
			})
		})
	}
}
