package pasetokit_test

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
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// eventually fails the test unless ok holds within patience.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}

// await returns what comes over a channel, or its zero value when that is closed.
func await[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("not so: %s", what)
		panic("unreachable")
	}
}

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

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
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, res, err := dialer.DialContext(ctx, "ws"+strings.TrimPrefix(n.URL, "http")+"/ws", bearer(token.Token))
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, statusError(res.StatusCode)
	}
	if err != nil {
		return nil, err
	}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
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

// joins is join for a client that must be let in. It leaves at the end of the test.
func (n *node) joins(token paseto.Issued) *member {
	n.t.Helper()
	m, err := n.join(token)
	if err != nil {
		n.t.Fatalf("a client is not let in: %v", err)
	}
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
func wantEnd(t *testing.T, all []*member, code wsauth.CloseCode, cause *paseto.Error) {
	t.Helper()
	for _, m := range all {
		await(t, m.ended, fmt.Sprintf("a connection is closed with %d %q", code, cause.Message))
		if !isClose(m.err, code, cause) {
			t.Errorf("a connection ends with %v, want %d %q", m.err, code, cause.Message)
		}
	}
}

func isClose(err error, code wsauth.CloseCode, cause *paseto.Error) bool {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	return ok && closed.Code == int(code) && closed.Text == cause.Message
}

// wantOpen expects that the connections of all members carry messages.
func wantOpen(t *testing.T, all []*member) {
	t.Helper()
	for _, m := range all {
		if err := m.ws.WriteMessage(websocket.TextMessage, []byte("still here")); err != nil {
			t.Fatalf("a connection has ended: %v", err)
		}
	}
	late := time.After(patience)
	for _, m := range all {
		select {
		case said := <-m.said:
			if said != "still here" {
				t.Errorf("the node says %q", said)
			}
		case <-m.ended:
			t.Fatalf("a connection has ended: %v", m.err)
		case <-late:
			t.Fatal("a connection carries nothing")
		}
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
// at all, and nothing else. It says how long that takes.
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
			const rounds = 17
			var here, there []time.Duration
			for i := range rounds {
				at, other := a, b
				if i%2 == 1 {
					at, other = b, a
				}
				f := r.family(t, fmt.Sprint(r.name, " ", i))
				near, far := at.crowd(3, f.ended), other.crowd(3, f.ended)
				spared := append(at.crowd(1, f.spared), other.crowd(1, f.spared)...)

				at.revoke(f.by)
				done := time.Now()
				wantEnd(t, near, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
				wantEnd(t, far, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
				wantOpen(t, spared)
				here, there = append(here, after(done, near)...), append(there, after(done, far)...)
				for _, n := range []*node{at, other} {
					if _, err := n.join(f.ended); !isClose(err, wsauth.ClosePolicyViolation, paseto.ErrRevoked) {
						t.Errorf("a handshake with what is revoked: %v", err)
					}
				}
			}
			t.Logf("closed after the revocation was confirmed: at the same node %s, at the other one %s", spread(here), spread(there))
		})
	}
	wantOpen(t, others)
}

// after returns when connections ended, counted from a moment.
func after(begin time.Time, ended []*member) []time.Duration {
	took := make([]time.Duration, len(ended))
	for i, m := range ended {
		took[i] = m.at.Sub(begin)
	}
	return took
}

// spread describes durations.
func spread(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("%s (median of %d), %s at most", all[len(all)/2], len(all), all[len(all)-1])
}
