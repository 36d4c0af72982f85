package wsauth_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// newLogger returns a logger, and what it writes.
func newLogger() (*slog.Logger, *testlog.Buffer) {
	log := new(testlog.Buffer)
	return slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), log
}

// TestHowHandlersEnd checks what the client sees of each way for a handler to end, and
// that the server lives on. That one returns or closes is among the closings.
func TestHowHandlersEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		serve  wsauth.Handler
		code   wsauth.CloseCode
		reason string
		logged string
	}{
		{"panics", func(context.Context, *wsauth.Conn) { panic("oh dear") }, wsauth.CloseInternalError, "Internal error", "oh dear"},
		{"panics with nil", func(context.Context, *wsauth.Conn) { panic(nil) }, wsauth.CloseInternalError, "Internal error", "nil"}, //nolint:govet // even that
		{"closes twice", func(_ context.Context, conn *wsauth.Conn) {
			conn.Close(4000, "first")
			conn.Close(4001, "second")
		}, 4000, "first", ""},
		{"closes and panics", func(_ context.Context, conn *wsauth.Conn) {
			conn.Close(4000, "kicked")
			panic("oh dear")
		}, 4000, "kicked", "oh dear"},
		{"leaves a reader behind", func(_ context.Context, conn *wsauth.Conn) {
			go func() { _, _, _ = conn.ReadMessage() }()
		}, wsauth.CloseNormal, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			logger, log := newLogger()
			guard := newGuard(t, auth, setup{}, logger)
			srv := listen(t, guard.Require(paseto.Requirement{}, test.serve))
			token := access(t, auth, paseto.Grant{Subject: "alice"})
			for range 2 { // the second client finds the server as the first one did
				ws := connect(t, srv, bearer(token))
				checkClosed(t, ws, test.code, test.reason)
				checkCut(t, ws)
			}
			got := log.String()
			if test.logged == "" {
				if got != "" {
					t.Errorf("log is %s", got)
				}
				return
			}
			for _, part := range []string{"level=ERROR", test.logged, "claims.sub=alice", "close_test.go"} {
				if !strings.Contains(got, part) {
					t.Errorf("log has no %s: %s", part, got)
				}
			}
			if strings.Contains(got, token) {
				t.Errorf("the token is in the log: %s", got)
			}
		})
	}
}

// TestMessagesAfterClose are not delivered: the handler reads nothing any more
// of what the peer sends until it answers.
func TestMessagesAfterClose(t *testing.T) {
	t.Parallel()
	closed, ended := make(chan struct{}), make(chan struct{})
	ws := admitted(t, setup{}, func(_ context.Context, conn *wsauth.Conn) {
		defer close(ended)
		conn.Close(4000, "kicked")
		close(closed)
		if _, data, err := conn.ReadMessage(); err == nil {
			t.Errorf("message %q came after the close", data)
		}
	})
	wait(t, closed, "the close")
	for range 10 {
		say(t, ws, "too late")
	}
	checkClosed(t, ws, 4000, "kicked")
	wait(t, ended, "the handler")
}

// TestPeerEnds tells the handler how the peer went, in the error of its read and in the
// cause of its context, also if it pays no heed to errors and reads on.
func TestPeerEnds(t *testing.T) {
	t.Parallel()
	closing := func(code int, text string) func(*websocket.Conn) {
		return func(ws *websocket.Conn) {
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, text))
		}
	}
	for _, test := range []struct {
		name string
		end  func(*websocket.Conn)
		want wsauth.CloseError
		text string
	}{
		{"normal", closing(1000, "bye"), wsauth.CloseError{Code: wsauth.CloseNormal, Reason: "bye"}, `with code 1000, "bye"`},
		{"going away", closing(1001, ""), wsauth.CloseError{Code: wsauth.CloseGoingAway}, "with code 1001"},
		{"own code", closing(4321, "tschüß"), wsauth.CloseError{Code: 4321, Reason: "tschüß"}, `with code 4321, "tschüß"`},
		{"no code", closing(1005, ""), wsauth.CloseError{Code: wsauth.CloseNoCode}, "with code 1005"},
		{"vanishes in a message", func(ws *websocket.Conn) {
			_, _ = ws.NetConn().Write([]byte{0x81, 0x85, 0, 0, 0, 0, 'h'}) // the first of five bytes
			_ = ws.NetConn().Close()
		}, wsauth.CloseError{Code: wsauth.CloseAbnormal}, "without a close frame"},
		{"vanishes", func(ws *websocket.Conn) { _ = ws.NetConn().Close() }, wsauth.CloseError{Code: wsauth.CloseAbnormal}, "without a close frame"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			ws := admitted(t, setup{}, func(ctx context.Context, conn *wsauth.Conn) {
				_, _, err := conn.ReadMessage()
				if !errors.Is(context.Cause(ctx), err) {
					t.Errorf("the context ended with %v, the read with %v", context.Cause(ctx), err)
				}
				if werr := conn.WriteMessage(wsauth.TextMessage, nil); !errors.Is(werr, err) {
					t.Errorf("a write afterwards gives %v, want %v", werr, err)
				}
				for range 2000 {
					if _, _, again := conn.ReadMessage(); !errors.Is(again, err) {
						t.Errorf("error is %v, at first %v", again, err)
						break
					}
				}
				ended <- err
			})
			test.end(ws)
			err := wait(t, ended, "the handler")
			closed, ok := errors.AsType[*wsauth.CloseError](err)
			if !ok || *closed != test.want || !strings.HasSuffix(err.Error(), test.text) {
				t.Errorf("error is %v, want %v", err, &test.want)
			}
		})
	}
}

// TestWriteWhilePeerCloses fails for what the peer said, as the read does, also where it
// comes first.
func TestWriteWhilePeerCloses(t *testing.T) {
	t.Parallel()
	var ended chan error
	inBubble(t, paseto.Config{}, setup{}, func(_ context.Context, conn *wsauth.Conn) {
		ws := conn.Underlying()
		answer := ws.CloseHandler()
		ws.SetCloseHandler(func(code int, text string) error {
			err := answer(code, text)
			go func() { ended <- conn.WriteMessage(wsauth.TextMessage, nil) }()
			synctest.Wait() // as far as that comes
			return err
		})
		_, _, err := conn.ReadMessage()
		ended <- err
	}, func(b bubble) {
		ended = make(chan error, 2)
		bye := websocket.FormatCloseMessage(1000, "bye")
		if err := b.call(none(), true).WS.WriteMessage(websocket.CloseMessage, bye); err != nil {
			b.Fatal(err)
		}
		for range 2 {
			closed, ok := errors.AsType[*wsauth.CloseError](<-ended)
			if !ok || *closed != (wsauth.CloseError{Code: wsauth.CloseNormal, Reason: "bye"}) {
				b.Errorf("error is %v, want what the peer said", closed)
			}
		}
	})
}

// TestReadLimit closes with 1009, and the handler is told. What a client sees that goes on
// sending is among the closings.
func TestReadLimit(t *testing.T) {
	t.Parallel()
	for limit, size := range map[int64]int{0: 64 << 10, 1 << 10: 1 << 10} {
		conn, ws := held(t, setup{Config: wsauth.Config{ReadLimit: limit}})
		for _, size := range []int{size, size + 1} {
			if err := ws.WriteMessage(websocket.BinaryMessage, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
		if _, data, err := ws.ReadMessage(); err != nil || len(data) != size {
			t.Errorf("a message of %d bytes comes back with %d, %v", size, len(data), err)
		}
		checkClosed(t, ws, wsauth.CloseMessageTooBig, "")
		checkCause(t, conn, websocket.ErrReadLimit)
	}
}

// flood sends messages until the connection has ended.
func flood(ws *websocket.Conn) {
	for {
		if ws.WriteMessage(websocket.BinaryMessage, make([]byte, 1<<10)) != nil {
			return
		}
	}
}

// TestSilentPeer is cut when it does not answer a close in time, whoever closed
// and whatever it sends meanwhile.
func TestSilentPeer(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := bearer(access(t, auth, paseto.Grant{}))
	reads := func(before func(*wsauth.Conn)) wsauth.Handler {
		return func(_ context.Context, conn *wsauth.Conn) {
			before(conn)
			_, _, _ = conn.ReadMessage()
		}
	}
	closes := reads(func(conn *wsauth.Conn) { conn.Close(4000, "") })
	tooBig := reads(func(conn *wsauth.Conn) { conn.Underlying().SetReadLimit(1) })
	returns := func(context.Context, *wsauth.Conn) {}
	for _, test := range []struct {
		name  string
		send  handshake
		serve wsauth.Handler
		flood bool
	}{
		{"refused", none(), unreachable(t), false},
		{"refused, flooding", none(), unreachable(t), true},
		{"handler returned, flooding", token, returns, true},
		{"handler reads", token, closes, false},
		{"handler reads, flooding", token, closes, true},
		{"peer too big", token, tooBig, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			guard := newGuard(t, auth, setup{Config: wsauth.Config{CloseTimeout: soon}})
			ws := connect(t, listen(t, guard.Require(paseto.Requirement{}, test.serve)), test.send)
			var group sync.WaitGroup
			if test.flood {
				group.Go(func() { flood(ws) })
			}
			checkCut(t, ws)
			_ = ws.Close()
			group.Wait()
		})
	}
}
