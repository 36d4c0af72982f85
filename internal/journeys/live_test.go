package journeys_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// member is a client with a connection that the application of a node has.
type member struct {
	ws    *websocket.Conn
	said  chan string   // what comes in
	ended chan struct{} // closed when the connection has ended, with what follows set
	err   error
	at    time.Time
}

// join opens a connection. The error is the [*websocket.CloseError] of a refusal,
// or names the status of one over HTTP. It may be called from any goroutine.
func (n *node) join(token paseto.Issued) (*member, error) {
	dialer := websocket.Dialer{HandshakeTimeout: testtool.Patience}
	ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
	defer cancel()
	ws, res, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(n.URL, "http")+"/ws", testsite.Bearer(token.Token.Reveal()))
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, statusError(res.StatusCode)
	}
	if err != nil {
		return nil, err
	}
	_ = ws.SetReadDeadline(testtool.Deadline())
	_, data, err := ws.ReadMessage()
	if err == nil && string(data) != "hello "+token.Claims.Subject {
		err = fmt.Errorf("the node says %q", data)
	}
	if err != nil {
		_ = ws.Close()
		return nil, err
	}
	_ = ws.SetReadDeadline(time.Time{})
	m := &member{ws: ws, said: make(chan string, 1), ended: make(chan struct{})}
	go m.listen()
	return m, nil
}

// statusError is the status of a handshake that was refused over HTTP.
type statusError int

func (e statusError) Error() string { return http.StatusText(int(e)) }

func (m *member) listen() {
	defer close(m.ended)
	for {
		_, data, err := m.ws.ReadMessage()
		if err != nil {
			m.err, m.at = err, time.Now()
			_ = m.ws.Close()
			return
		}
		select {
		case m.said <- string(data):
		default: // nobody asked
		}
	}
}

// leave ends the connection without a word.
func (m *member) leave() {
	_ = m.ws.Close()
	<-m.ended
}

// joins is join for a client that must be let in. It leaves at the end of the test. It
// comes again while Redis is too slow for the node.
func (n *node) joins(token paseto.Issued) *member {
	n.t.Helper()
	var m *member
	testtool.Eventually(n.t, "a client is let in", func() bool {
		var err error
		m, err = n.join(token)
		if err != nil && !errors.Is(err, statusError(http.StatusServiceUnavailable)) {
			n.t.Fatalf("a client is not let in: %v", err)
		}
		return err == nil
	})
	n.t.Cleanup(m.leave)
	return m
}

// crowd is joins for many clients with one token.
func (n *node) crowd(size int, token paseto.Issued) []*member {
	n.t.Helper()
	all := make([]*member, size)
	for i := range all {
		all[i] = n.joins(token)
	}
	return all
}

// wantEnd expects a node to close the connections of all members for a cause.
func wantEnd(t *testing.T, all []*member, code wsauth.CloseCode, cause paseto.Code) {
	t.Helper()
	for _, m := range all {
		testtool.Await(t, m.ended, fmt.Sprintf("a connection is closed with %d %q", code, cause.Message()))
		if !testsite.IsClose(m.err, code, cause) {
			t.Errorf("a connection ends with %v, want %d %q", m.err, code, cause.Message())
		}
	}
}

// wantOpen expects that the connections of all members carry messages.
func wantOpen(t *testing.T, all []*member) {
	t.Helper()
	for _, m := range all {
		if err := m.ws.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
			t.Fatalf("a connection has ended: %v", err)
		}
	}
	for _, m := range all {
		await := time.NewTimer(testtool.Patience)
		select {
		case said := <-m.said:
			if said != "still here" {
				t.Errorf("the node says %q", said)
			}
		case <-m.ended:
			t.Fatalf("a connection has ended: %v", m.err)
		case <-await.C:
			t.Fatal("a connection carries nothing")
		}
		await.Stop()
	}
}

// revocation is a way to end what a token may do.
type revocation struct {
	name  string
	of    func(*paseto.Claims) denylist.Revocation
	spare func(*paseto.Grant) // makes it one that does not end as well, but for little else
}

var revocations = []revocation{
	{
		"subject",
		func(c *paseto.Claims) denylist.Revocation { return denylist.Revocation{Subject: c.Subject} },
		func(g *paseto.Grant) { g.Subject += " the second" },
	}, {
		"session",
		func(c *paseto.Claims) denylist.Revocation { return denylist.Revocation{Session: c.Session} },
		func(g *paseto.Grant) { g.Session += " on another device" },
	}, {
		"token",
		func(c *paseto.Claims) denylist.Revocation { return denylist.Revocation{TokenID: c.ID} },
		func(*paseto.Grant) {},
	},
}

// family is two tokens of which a revocation ends one, but not the other.
type family struct {
	ended, spared paseto.Issued
	by            denylist.Revocation
}

func (r revocation) family(t *testing.T, name string) family {
	t.Helper()
	grant := paseto.Grant{Subject: name, Session: name}
	f := family{ended: access(t, grant)}
	r.spare(&grant)
	f.spared, f.by = access(t, grant), r.of(f.ended.Claims)
	return f
}

// TestRevocationClosesEverywhere: what one node is told to revoke closes what is open
// at all, and nothing else.
func TestRevocationClosesEverywhere(t *testing.T) {
	t.Parallel()
	shared := nodeConfig{Redis: redis.Config{Addresses: []string{redistest.Start(t).Addr()}}}
	a, b := startNode(t, shared), startNode(t, shared)

	var others []*member
	for i := range 5 {
		token := access(t, paseto.Grant{Subject: fmt.Sprint("bystander ", i), Session: fmt.Sprint("session of ", i)})
		others = slices.Concat(others, a.crowd(4, token), b.crowd(4, token))
	}
	for _, r := range revocations {
		t.Run(r.name, func(t *testing.T) {
			for _, nodes := range [][2]*node{{a, b}, {b, a}} {
				at, other := nodes[0], nodes[1]
				f := r.family(t, r.name+" at "+at.URL)
				open := append(at.crowd(3, f.ended), other.crowd(3, f.ended)...)
				spared := append(at.crowd(1, f.spared), other.crowd(1, f.spared)...)
				at.revoke(f.by)
				wantEnd(t, open, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
				wantOpen(t, spared)
				for _, n := range nodes {
					if _, err := n.join(f.ended); !testsite.IsClose(err, wsauth.ClosePolicyViolation, paseto.ErrRevoked) {
						t.Errorf("a handshake with what is revoked: %v", err)
					}
				}
			}
		})
	}
	wantOpen(t, others)
}
