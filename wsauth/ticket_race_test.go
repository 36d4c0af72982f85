package wsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// crowd is a denylist that says of no token whether it is revoked before so many
// have asked, so that all of them go on together.
type crowd struct {
	denylist.Store
	size    int32
	arrived atomic.Int32
	enough  chan struct{}
}

func (c *crowd) Revoked(ctx context.Context, token denylist.Token) (bool, error) {
	revoked, err := c.Store.Revoked(ctx, token)
	if c.arrived.Add(1) == c.size {
		close(c.enough)
	}
	select {
	case <-c.enough:
	case <-ctx.Done():
	}
	for range 10 { // whoever looks first and acts afterwards finds others between
		runtime.Gosched()
	}
	return revoked, err
}

// TestTicketRace has a thousand handshakes with one ticket, on two servers that
// share a denylist: one is let in, whoever that is.
func TestTicketRace(t *testing.T) {
	t.Parallel()
	const handshakes, atOnce, servers = 1000, 64, 2
	store := denylist.NewMemory()
	t.Cleanup(func() { _ = store.Close() })
	shared := &crowd{Store: store, size: atOnce, enough: make(chan struct{})}
	var admitted atomic.Int32
	var urls []string
	for range servers {
		auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(shared))
		guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})
		srv := listen(t, guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
			admitted.Add(1)
			echo(ctx, conn)
		}))
		urls = append(urls, "ws"+strings.TrimPrefix(srv.URL, "http")+"/ws?ticket=")
	}
	token := ticketFor(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{Subject: "alice"})

	var next atomic.Int32
	results := make(chan string, handshakes)
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for n := int(next.Add(1)); n <= handshakes; n = int(next.Add(1)) {
				results <- redeem(t.Context(), urls[n%servers]+token)
			}
		})
	}
	group.Wait()
	close(results)

	counts := make(map[string]int)
	for result := range results {
		counts[result]++
	}
	if counts["open"] != 1 || counts["401 ticket_used"] != handshakes-1 {
		t.Errorf("the handshakes ended with %v; want one open and %d used", counts, handshakes-1)
	}
	if n := admitted.Load(); n != 1 {
		t.Errorf("the handler ran %d times, want once", n)
	}
}

// redeem tells how a handshake ended.
func redeem(ctx context.Context, url string) string {
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	ws, resp, err := dialer.DialContext(ctx, url, nil)
	switch {
	case err == nil:
		defer func() { _ = ws.Close() }()
		_ = ws.SetReadDeadline(time.Now().Add(patience))
		// Once it answers, its handler has run.
		if err := ws.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
			return err.Error()
		}
		if _, _, err := ws.ReadMessage(); err != nil {
			return err.Error()
		}
		return "open"
	case resp == nil:
		return err.Error()
	}
	var problem httpauth.Problem
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
		return err.Error()
	}
	return fmt.Sprint(resp.StatusCode, " ", problem.Code)
}
