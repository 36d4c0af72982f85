package wsauth

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// newConn returns a connection that has yet to get its claims and its WebSocket, with
// the values of a context. leave is its end.
func (g *Guard) newConn(values context.Context, t *gate, r *http.Request) *Conn {
	c := &Conn{gate: t.by(r), number: g.numbers.Add(1), addresses: g.client(r)}
	c.began = int32(min(g.moment()/int64(time.Second), math.MaxInt32)) //nolint:gosec // In range now.
	c.ctx, c.cancel = context.WithCancelCause(paseto.NewHolderContext(values, c))
	return c
}

// leave forgets a connection that is gone, or never came to be.
func (g *Guard) leave(c *Conn) {
	c.beginClosing()
	c.cancel(refusal.New(ErrClosed))
	g.schedule.Remove(c)
	g.expiries.Remove(c)
	g.release(c)
	g.conns.remove(c)
}

// serve runs the application's handler and ends the connection after it. The frames
// of a handler that waits are few and small; see idle.go.
func (g *Guard) serve(c *Conn) {
	defer g.served(c)
	if g.open(c) {
		c.gate.serve(c.ctx, c)
	}
}

// open makes a connection the application's, unless it is being closed already.
func (g *Guard) open(c *Conn) bool {
	if c.closing.Load() {
		return false
	}
	g.conns.opened(c)
	g.tell(Event{Kind: EventOpened, Conn: c, Claims: c.Claims()})
	return true
}

// served ends a connection whose handler has returned or panicked.
func (g *Guard) served(c *Conn) {
	defer g.leave(c)
	defer c.finish()
	if cause := recover(); cause != nil {
		g.panics.Add(1)
		g.clientLog.Write(c.ctx, c.addresses, slog.LevelError, "handler of a connection panicked",
			"panic", cause, "claims", c.Claims(), "stack", clientlog.Stack(debug.Stack()))
		err := refusal.Newf(ErrPanic, "%v", cause)
		g.tell(Event{Kind: EventPanicked, Conn: c, Claims: c.Claims(), Err: err})
		c.close(err)
	}
	c.close(refusal.New(ErrClosed))
	if g.conns.returned(c) {
		g.tell(Event{Kind: EventClosed, Conn: c, Claims: c.Claims(), Err: c.cause()})
	}
}

// servePending serves the connection if the token of its first message is accepted.
func (g *Guard) servePending(c *Conn, try attempt, who client) {
	defer g.served(c)
	if g.admitPending(c, try, who) {
		c.accept()
		if g.open(c) {
			c.gate.serve(c.ctx, c)
		}
	}
}

// admitPending waits for the first message, and reports whether its token is
// accepted.
func (g *Guard) admitPending(c *Conn, try attempt, who client) (admitted bool) {
	err := errCheckPanicked
	defer func() {
		g.conns.pended(c)
		try.done(err)
	}()
	var claims *paseto.Claims
	if claims, err = c.firstMessage(); err == nil {
		err = g.admit(c.ctx, c, claims)
	}
	if err == nil {
		c.live(false)
		return true
	}
	if isReadLimit(err) { // told already
		err = refusal.Newf(ErrMessage, "%w", err)
	}
	if told, ok := errors.AsType[*paseto.Error](err); ok {
		g.logRefusal(c.ctx, who, told.Code, httpauth.Status(err), err)
		g.tell(Event{Kind: EventRefused, Err: err})
	}
	c.close(err)
	return false
}

// refuseByClose completes the handshake only to close with the reason, unless too
// many are being closed so. No application code runs on the connection and nothing
// that the client sends is looked at.
func (t *gate) refuseByClose(w *answer, r *http.Request, err error) bool {
	g := t.guard
	c := g.newConn(context.Background(), t, r)
	if !g.conns.reserveRefused(c) {
		return false
	}
	ws := c.upgrade(w, r)
	if ws == nil {
		g.leave(c)
		return true
	}
	c.attach(ws)
	go func() {
		defer g.leave(c)
		c.close(err)
		c.finish()
	}()
	return true
}
