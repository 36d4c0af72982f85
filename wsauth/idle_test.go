package wsauth_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestFramesInOddPlaces all arrive, in whatever pieces the network brings them.
func TestFramesInOddPlaces(t *testing.T) {
	t.Parallel()
	lookalike := strings.Repeat("\x00\x0a\x92", 100) // masked and unmasked like frames
	for _, test := range []struct {
		name string
		send string
		want []string
	}{
		{"message", hello, []string{"hello"}},
		{"pongs around messages", emptyPong + emptyPong + hello + emptyPong + emptyPong + hello + emptyPong, []string{"hello", "hello"}},
		{"pongs with payloads", frame(pong, "a") + hello + frame(pong, strings.Repeat("a", 125)) + hello, []string{"hello", "hello"}},
		{"pongs with and without", emptyPong + frame(pong, "a") + emptyPong + frame(pong, "ab") + hello, []string{"hello"}},
		{"many pongs behind a message", hello + strings.Repeat(emptyPong, 700) + hello, []string{"hello", "hello"}},
		{"many pongs with payloads", strings.Repeat(frame(pong, "12345"), 400) + hello, []string{"hello"}},
		{"ping", frame(ping, "there?"), []string{"pong there?"}},
		{"empty ping", frame(ping, ""), []string{"pong "}},
		{"pings among all else", frame(ping, "1") + emptyPong + hello + frame(ping, "2") + frame(pong, "x") + frame(ping, "3") + hello,
			[]string{"pong 1", "hello", "pong 2", "pong 3", "hello"}},
		{"empty messages", frame(text, "") + frame(text, "") + emptyPong + frame(text, "") + hello, []string{"", "", "", "hello"}},
		{"fragments", frame(text&^final, "he") + frame(continuation&^final, "l") + frame(continuation, "lo") + hello, []string{"hello", "hello"}},
		{"empty fragments", frame(text&^final, "") + frame(continuation&^final, "") + frame(continuation, "") + hello, []string{"", "hello"}},
		{"pongs between fragments", frame(text&^final, "he") + emptyPong + frame(pong, "x") + frame(continuation&^final, "l") + emptyPong + emptyPong +
			frame(continuation, "lo") + emptyPong + hello, []string{"hello", "hello"}},
		{"pings between fragments", frame(text&^final, "he") + frame(ping, "1") + frame(continuation, "lo"), []string{"pong 1", "helo"}},
		{"payload like pongs", frame(binaryKind, lookalike) + frame(binaryKind, lookalike[1:]), []string{lookalike, lookalike[1:]}},
		{"pong and close", hello + emptyPong + frame(final|websocket.CloseMessage, "\x0f\xa1bye"), []string{"hello"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 2, 3, 4, 5, 6, 7, 4095, 4096, 4097, len(test.send)} {
				inBubble(t, paseto.Config{}, setup{}, echo, func(b bubble) {
					client := b.call(none(), true)
					for piece := range slices.Chunk([]byte(test.send), size) {
						sendAll(t, client.WS, string(piece)) // which the server reads as one
					}
					for n, want := range test.want {
						client.Hear(want)
						if b.Failed() {
							b.Fatalf("in pieces of %d bytes, message %d", size, n)
						}
					}
					synctest.Wait()
					if n := len(client.Messages); n != 0 {
						b.Errorf("in pieces of %d bytes there are %d messages too many", size, n)
					}
				})
			}
		})
	}
}

// TestBrokenFrames are answered with code 1002, wherever they stand.
func TestBrokenFrames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, send string }{
		{"unmasked pong", "\x8a\x00"},
		{"unmasked message", "\x81\x01x"},
		{"pong in pieces", frame(pong&^final, "")},
		{"pong of 126 bytes", frame(pong, strings.Repeat("x", 126))},
		{"pong with a reserved bit", frame(pong|0x40, "")},
		{"unknown kind", frame(final|0xb, "")},
		{"continuation of nothing", frame(continuation, "")},
	} {
		for _, before := range []struct{ name, send string }{
			{"at first", ""}, {"behind a pong", emptyPong}, {"behind a message", hello}, {"behind a message and pongs", hello + emptyPong + emptyPong},
		} {
			t.Run(test.name+" "+before.name, func(t *testing.T) {
				t.Parallel()
				conn, ws := held(t, setup{})
				sendAll(t, ws, before.send+test.send)
				if err := endOf(ws); !websocket.IsCloseError(err, websocket.CloseProtocolError) {
					t.Errorf("the connection ended with %v, want code 1002", err)
				}
				wait(t, conn.Context().Done(), "the end")
				if err := context.Cause(conn.Context()); errors.Is(err, live.ErrClosed) {
					t.Errorf("the handler was told %v", err)
				}
			})
		}
	}
}

// sizes are those of messages for which a buffer may be too small.
func sizes() []int {
	all := make([]int, 0, 400)
	for n := range 301 {
		all = append(all, n)
	}
	for n := 4096 - 20; n <= 4096+20; n++ {
		all = append(all, n, 2*n)
	}
	return append(all, 1<<16-1, 1<<16)
}

// sample returns n bytes that no other sample of another seed has in their places.
func sample(n int, seed byte) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i*31)*7 + byte(i>>8) + seed
	}
	return data
}

// checkSizes sends messages of all sizes, in frames that come in one piece with a pong
// behind, and checks that all come back as they were.
func checkSizes(t testing.TB, ws *websocket.Conn, seed byte) {
	t.Helper()
	for _, n := range sizes() {
		want := sample(n, seed)
		if err := send(ws.NetConn(), frame(binaryKind, string(want))+emptyPong); err != nil {
			t.Errorf("sending %d bytes: %v", n, err)
			return
		}
		kind, got, err := ws.ReadMessage()
		if err != nil || kind != websocket.BinaryMessage || !bytes.Equal(got, want) {
			t.Errorf("a message of %d bytes came back as kind %d with %d bytes, %v", n, kind, len(got), err)
			return
		}
	}
}

// transports are how connections reach a server on a real socket.
func transports() map[string]func(testing.TB, http.Handler) *httptest.Server {
	return map[string]func(testing.TB, http.Handler) *httptest.Server{
		"in the clear": listen,
		"over TLS": func(t testing.TB, h http.Handler) *httptest.Server {
			t.Helper()
			srv := httptest.NewTLSServer(h)
			t.Cleanup(srv.Close)
			return srv
		},
	}
}

// TestSizes are those of messages on many connections at once, which share buffers.
func TestSizes(t *testing.T) {
	t.Parallel()
	for name, start := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, newGuard(t, newAuthorizer(t, paseto.Config{}), setup{}).Require(paseto.Requirement{Optional: true}, echo))
			var group sync.WaitGroup
			for seed := range 3 {
				ws := connect(t, srv, none())
				group.Go(func() { checkSizes(t, ws, byte(seed)) })
			}
			group.Wait()
		})
	}
}

// TestUnderlyingReads takes over the reading of a connection at any time.
func TestUnderlyingReads(t *testing.T) {
	t.Parallel()
	rawEcho := func(ws *websocket.Conn) {
		for {
			kind, data, err := ws.ReadMessage()
			if err != nil || ws.WriteMessage(kind, data) != nil {
				return
			}
		}
	}
	once := func(conn *wsauth.Conn) {
		kind, data, err := conn.ReadMessage()
		if err == nil {
			err = conn.WriteMessage(kind, data)
		}
		if err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct {
		name  string
		serve wsauth.Handler
	}{
		{"before anything was read", func(_ context.Context, conn *wsauth.Conn) { rawEcho(conn.Underlying()) }},
		{"while a message is awaited", func(_ context.Context, conn *wsauth.Conn) {
			ws := make(chan *websocket.Conn, 1)
			go func() { ws <- conn.Underlying() }()
			once(conn)
			rawEcho(<-ws)
		}},
		{"by turns, and then not", func(ctx context.Context, conn *wsauth.Conn) {
			for range 100 {
				once(conn)
				kind, data, err := conn.Underlying().ReadMessage()
				if err == nil {
					err = conn.WriteMessage(wsauth.MessageKind(kind), data)
				}
				if err != nil {
					t.Error(err)
				}
			}
			echo(ctx, conn)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			guard := newGuard(t, auth, setup{})
			srv := listen(t, guard.Require(paseto.Requirement{}, test.serve))
			ws := connect(t, srv, bearer(access(t, auth, paseto.Grant{})))
			checkSizes(t, ws, 0)
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			checkClosed(t, ws, wsauth.CloseNormal, "")
			if n := guard.Stats().Panics; n != 0 {
				t.Errorf("there were %d panics", n)
			}
		})
	}
}

// TestUnderlyingAfterEnd is of no use, and does no harm.
func TestUnderlyingAfterEnd(t *testing.T) {
	t.Parallel()
	conn, ws := held(t, setup{})
	_ = ws.Close()
	wait(t, conn.Context().Done(), "the end")
	if _, _, err := conn.Underlying().ReadMessage(); err == nil {
		t.Error("a message was read after the end")
	}
}
