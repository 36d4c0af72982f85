package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// tryDial is dial on another goroutine than the test's. Without a connection there is
// the response that refuses it, or an error. The caller closes the connection.
func tryDial(ctx context.Context, srv *httptest.Server, h handshake) (*websocket.Conn, int, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws?" + h.query
	ws, resp, err := dialer.DialContext(ctx, url, h.header)
	switch {
	case err == nil:
		err = ws.SetReadDeadline(time.Now().Add(patience))
		return ws, resp.StatusCode, err
	case errors.Is(err, websocket.ErrBadHandshake):
		return nil, resp.StatusCode, nil
	}
	return nil, 0, err
}

// endOf reads until the connection ends, and returns how.
func endOf(ws *websocket.Conn) error {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
}

// isClose reports whether a connection ended with such a close frame.
func isClose(err error, code wsauth.CloseCode, reason string) bool {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	return ok && closed.Code == int(code) && closed.Text == reason
}

// moment is when a token is revoked, as its handshake sees it.
type moment int

const (
	whenever     moment = iota // at the same time
	beforeLook                 // before it is looked up at first
	afterLook                  // then, and before the connection can be found
	beforeRelook               // when it can be, and before the last look
	afterRelook                // after that
	moments
)

// round is a handshake whose token is being revoked.
type round struct {
	when   moment
	token  paseto.Issued
	revoke func() // once
	looks  atomic.Int32
	opened atomic.Bool
}

// reached revokes the token if that is the moment.
func (r *round) reached(when moment) {
	if r != nil && r.when == when {
		r.revoke()
	}
}

// rounds makes a denylist that revokes at the moment that each round wants. It does
// not tell of those that the last look is to find.
type rounds struct{ byName sync.Map }

func (rs *rounds) of(name string) *round {
	r, _ := rs.byName.Load(name)
	found, _ := r.(*round)
	return found
}

func (rs *rounds) steer(store *relay) {
	store.tells(func(e denylist.Event) bool {
		r := rs.of(e.Revocation.TokenID + e.Revocation.Session + e.Revocation.Subject)
		return r != nil && (r.when == whenever || r.when == afterRelook)
	})
	store.onLook(func(ctx context.Context, token denylist.Token) (bool, error) {
		r := rs.of(token.ID)
		nth := int32(0)
		if r != nil {
			nth = r.looks.Add(1)
		}
		switch nth {
		case 1:
			r.reached(beforeLook)
		case 2:
			r.reached(beforeRelook)
		}
		revoked, err := store.Store.Revoked(ctx, token)
		switch nth {
		case 1:
			r.reached(afterLook)
		case 2:
			r.reached(afterRelook)
		}
		return revoked, err
	})
}

// add makes the nth round, which revokes by token, session and subject in turn.
func (rs *rounds) add(t *testing.T, auth *paseto.Authorizer, n int) *round {
	t.Helper()
	when := whenever
	if n%2 == 1 {
		when = moment(n / 2 % int(moments))
	}
	subject, session := fmt.Sprint("subject", n), fmt.Sprint("session", n)
	r := &round{when: when, token: issued(t, auth, paseto.Grant{Subject: subject, Session: session})}
	ctx := context.WithoutCancel(t.Context())
	r.revoke = sync.OnceFunc(func() {
		err := []func() error{
			func() error { return auth.Revoke(ctx, r.token.Claims) },
			func() error { return auth.RevokeSession(ctx, session) },
			func() error { return auth.RevokeSubject(ctx, subject, time.Time{}) },
		}[n%3]()
		if err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{subject, session, r.token.Claims.ID} {
		rs.byName.Store(name, r)
	}
	return r
}

// TestRevocationDuringHandshake has a thousand tokens revoked while their handshake is
// under way: before, between and after what is done for it, and at any time. Whoever
// is let in all the same does not stay.
func TestRevocationDuringHandshake(t *testing.T) {
	t.Parallel()
	const handshakes, atOnce = 1000, 8
	var all rounds
	s := newStage(t, wsauth.Config{RecheckInterval: time.Hour}, func(ctx context.Context, conn *wsauth.Conn) {
		if claims := conn.Claims(); claims != nil && all.of(claims.ID) != nil {
			all.of(claims.ID).opened.Store(true)
			if _, _, err := conn.ReadMessage(); !errors.Is(err, paseto.ErrRevoked) || !errors.Is(context.Cause(ctx), paseto.ErrRevoked) {
				t.Errorf("the handler was told %v, want ErrRevoked", err)
			}
			return
		}
		echo(ctx, conn)
	})
	all.steer(s.store)
	bystanders := []*websocket.Conn{
		connect(t, s.srv, none()),
		connect(t, s.srv, bearer(access(t, s.auth, paseto.Grant{Subject: "alice"}))),
	}
	var queue []*round
	for n := range handshakes {
		queue = append(queue, all.add(t, s.auth, n))
	}

	var next atomic.Int32
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for n := int(next.Add(1)) - 1; n < handshakes; n = int(next.Add(1)) - 1 {
				if err := queue[n].run(t.Context(), s.srv); !isClose(err, wsauth.ClosePolicyViolation, beenRevoked) {
					t.Errorf("round %d, moment %d: the connection ended with %v", n, queue[n].when, err)
				}
			}
		})
	}
	group.Wait()
	for n, r := range queue {
		if r.opened.Load() && r.when != whenever && r.when != afterRelook {
			t.Errorf("round %d, moment %d: the handler ran", n, r.when)
		}
	}
	until(t, "the revoked connections are gone", func() bool { return s.guard.Stats().Connections <= len(bystanders) })
	if n := s.guard.Stats().Connections; n != len(bystanders) {
		t.Errorf("%d connections are open, want %d", n, len(bystanders))
	}
	for conn := range s.guard.Connections() {
		if claims := conn.Claims(); claims != nil && claims.Subject != "alice" {
			t.Errorf("the connection of %s lives on", claims.Subject)
		}
	}
	for _, ws := range bystanders {
		checkEcho(t, ws, "still here")
	}
}

// run makes the handshake, with the revocation at its moment, and returns how the
// connection ended.
func (r *round) run(ctx context.Context, srv *httptest.Server) error {
	var group sync.WaitGroup
	defer group.Wait()
	if r.when == whenever {
		group.Go(r.revoke)
	}
	ws, status, err := tryDial(ctx, srv, bearer(r.token.Token.Reveal()))
	switch {
	case err != nil:
		return err
	case ws == nil:
		return fmt.Errorf("the handshake is answered with status %d", status)
	}
	defer func() { _ = ws.Close() }()
	return endOf(ws)
}
