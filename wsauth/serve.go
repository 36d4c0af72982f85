package wsauth

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// newConn returns a connection that has no claims and no WebSocket yet. Its context has the
// given values. The caller ends it with leave. The error is a refusal.
func (g *Guard) newConn(values context.Context, t *gate, r *http.Request) (_ *Conn, err error) {
	c := &Conn{gate: t.by(r), peer: g.client(r).Addr()}
	c.right, err = g.keeper.Reserve(values, &c.gate.Route, (*holder)(c))
	return c, err
}

// leave releases the right of a connection that is closed, or was never opened.
func (g *Guard) leave(c *Conn) {
	c.right.Release()
	g.pings.Remove(c)
}

// startPings starts the schedule of pings, with the first connection.
func (g *Guard) startPings() {
	g.started.Do(func() {
		g.keeper.Go(func(ctx context.Context) { g.pings.Run(ctx, (*Conn).checkPeer) })
	})
}

// serve runs the application's handler, and ends the connection after it. It adds little to
// the stack of a handler that waits; see idle.go.
func (g *Guard) serve(c *Conn) {
	defer g.served(c)
	if c.right.Start() {
		c.gate.serve(c.Context(), c)
	}
}

// served ends a connection whose handler has returned or panicked.
func (g *Guard) served(c *Conn) {
	defer g.leave(c)
	defer c.finish()
	if cause := recover(); cause != nil {
		_ = c.panicked("handler of a connection panicked", cause)
	}
	c.close(refusal.New(live.ErrClosed))
	c.right.Returned()
}

// panicked ends the connection after a panic of the application. It returns the cause.
func (c *Conn) panicked(what string, cause any) error {
	g := c.gate.guard
	g.clientLog.Write(c.Context(), c.addresses(), slog.LevelError, what,
		"panic", cause, "claims", c.Claims(), "stack", clientlog.Stack(debug.Stack()))
	err := refusal.Newf(live.ErrPanic, "%v", cause)
	g.keeper.Report(live.Event{Kind: live.EventPanicked, Right: c.right, Claims: c.Claims(), Err: err})
	c.close(err)
	return err
}

// refuseByClose completes the handshake and closes the connection at once, with the code and
// the reason of a refusal. It returns false if too many connections are being closed this way.
// The application never sees the connection, and what the client sends is ignored.
func (t *gate) refuseByClose(w *answer, r *http.Request, err error) bool {
	g, conn := t.guard, w.conn
	if !g.lobby.hold(conn) {
		return false
	}
	in := new(inlet)
	ws := t.upgrade(w, r, in)
	if ws == nil {
		g.lobby.letGo(conn)
		return true
	}
	go func() {
		defer g.lobby.letGo(conn)
		defer in.giveBack()
		g.dismiss(ws, g.cfg.ending(err))
	}()
	return true
}

// dismiss closes a WebSocket that nobody else uses, and gives its peer some time to answer.
func (g *Guard) dismiss(ws *websocket.Conn, e ending) {
	timeout := g.cfg.CloseTimeout
	defer func() { _ = ws.Close() }()
	ws.SetReadLimit(g.cfg.ReadLimit)
	_ = ws.SetReadDeadline(time.Now().Add(timeout))
	frame := websocket.FormatCloseMessage(int(e.code), cutReason(e.reason))
	if ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(timeout)) != nil {
		return
	}
	for {
		if _, _, err := ws.NextReader(); err != nil {
			if isViolation(err) {
				hangUp(ws.NetConn()) // it has a deadline
			}
			return
		}
	}
}
