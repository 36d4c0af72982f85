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
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
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
}

// lets reports whether the handler may run: the token may not be revoked yet when it is
// looked up for the last time.
func (r *round) lets() bool { return r.when == whenever || r.when == afterRelook }

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
		return r != nil && r.lets()
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
// is let in all the same does not stay. It is in a bubble, so that a connection which
// does is noticed at once.
func TestRevocationDuringHandshake(t *testing.T) {
	t.Parallel()
	const handshakes, atOnce = 1000, 8
	var all rounds
	serve := func(ctx context.Context, conn *wsauth.Conn) {
		r := (*round)(nil)
		if claims := conn.Claims(); claims != nil {
			r = all.of(claims.ID)
		}
		if r == nil {
			echo(ctx, conn)
			return
		}
		if !r.lets() {
			t.Errorf("moment %d: the handler runs, and the token was revoked before it was to be looked up for the last time", r.when)
			return
		}
		if _, _, err := conn.ReadMessage(); !errors.Is(err, paseto.ErrRevoked) || !errors.Is(context.Cause(ctx), paseto.ErrRevoked) {
			t.Errorf("the handler was told %v, want ErrRevoked", err)
		}
	}
	inBubble(t, paseto.Config{}, setup{Config: wsauth.Config{}, live: live.Config{RecheckInterval: time.Hour}}, serve, func(b bubble) {
		all.steer(b.store)
		bystanders := []*websocket.Conn{b.dial(none()), b.dial(bearer(access(b, b.auth, paseto.Grant{Subject: "alice"})))}
		var queue []*round
		for n := range handshakes {
			queue = append(queue, all.add(b.T, b.auth, n))
		}
		var next atomic.Int32
		var group sync.WaitGroup
		for range atOnce {
			group.Go(func() {
				for n := int(next.Add(1)) - 1; n < handshakes && !b.Failed(); n = int(next.Add(1)) - 1 {
					if err := queue[n].run(b); !isClose(err, wsauth.ClosePolicyViolation, beenRevoked) {
						b.Errorf("round %d, moment %d: the connection ended with %v, want the close for the revocation", n, queue[n].when, err)
					}
				}
			})
		}
		group.Wait()
		synctest.Wait()
		if n := b.guard.Stats().Connections; n != len(bystanders) {
			b.Errorf("%d connections are open, want %d", n, len(bystanders))
		}
		for _, ws := range bystanders {
			checkEcho(b, ws, "still here")
		}
	})
}

// run makes the handshake, with the revocation at its moment, and returns how the
// connection ended.
func (r *round) run(b bubble) error {
	var group sync.WaitGroup
	defer group.Wait()
	if r.when == whenever {
		group.Go(r.revoke)
	}
	ws, err := b.try(bearer(r.token.Token.Reveal()))
	if err != nil {
		return err
	}
	defer func() { _ = ws.Close() }()
	if err := ws.SetReadDeadline(time.Now().Add(time.Second)); err != nil { // in which everything is done that is done at all
		return err
	}
	return endOf(ws)
}
