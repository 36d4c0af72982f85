package wsauth_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// sendEarly sends a handshake and data behind it, reads why it is refused, and leaves
// the end of the connection to the server.
func (b bubble) sendEarly(lines ...string) net.Conn {
	b.Helper()
	conn, _ := b.pipes.Dial(b.Context(), "", "") // it never fails
	b.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, upgrade(lines...)+"\x81"); err != nil {
		b.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.Fatal(err)
	}
	checkProblem(b, resp, http.StatusBadRequest, "handshake_invalid", "Bad WebSocket handshake")
	return conn
}

// checkRead checks what a client that waits for the server's next byte is told now: io.EOF
// if it has hung up, and os.ErrDeadlineExceeded if it waits for the client to do so.
func (b bubble) checkRead(conn net.Conn, want error) {
	b.Helper()
	synctest.Wait()
	_ = conn.SetReadDeadline(time.Now()) // in the time of the bubble
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, want) {
		b.Errorf("reading gives %v, want %v", err, want)
	}
}

// TestEarlyDataTakesFewPlaces: a server waits for a bounded number of refused clients to
// hang up, and ends the connections of others at once.
func TestEarlyDataTakesFewPlaces(t *testing.T) {
	t.Parallel()
	const places = 1000 // as docs/connections.md says
	limits := wsauth.Limits{HandshakesPerMinute: 10 * places, FailuresPerMinute: 10 * places}
	for _, test := range []struct {
		name  string
		token func(bubble) string
	}{
		{"no token", func(bubble) string { return "X: y" }},
		{"bad token", func(bubble) string { return "Authorization: Bearer nonsense" }},
		{"token", func(b bubble) string {
			return "Authorization: Bearer " + issued(b, b.auth, paseto.Grant{}).Token.Reveal()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := setup{Config: wsauth.Config{CloseTimeout: time.Minute, Limits: limits}, live: live.Config{MaxRights: 1}}
			inBubble(t, paseto.Config{}, cfg, unreachable(t), func(b bubble) {
				line := test.token(b)
				held := make([]net.Conn, places)
				for i := range held {
					held[i] = b.sendEarly(line)
				}
				b.checkRead(b.sendEarly(line), io.EOF)
				b.checkRead(held[0], os.ErrDeadlineExceeded)
				_ = held[0].Close()
				synctest.Wait()
				held[0] = b.sendEarly(line)
				b.checkRead(held[0], os.ErrDeadlineExceeded)
				b.checkRead(b.sendEarly(line), io.EOF)

				b.shutDown() // waits for them
				for _, conn := range held {
					b.checkRead(conn, io.EOF)
				}
			})
		})
	}
}

// TestShutdownCutsRefusedClients that have yet to hang up when there is no time left.
func TestShutdownCutsRefusedClients(t *testing.T) {
	t.Parallel()
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{CloseTimeout: time.Minute}}, unreachable(t), func(b bubble) {
		held := b.sendEarly()
		b.checkRead(held, os.ErrDeadlineExceeded)
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		if err := b.guard.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			b.Errorf("Shutdown returns %v, although a client is left", err)
		}
		b.checkRead(held, io.EOF)
	})
}
