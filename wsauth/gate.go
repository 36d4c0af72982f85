package wsauth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// gate is one route: what it requires, where it looks for tokens, and the handler behind it.
// It implements [http.Handler].
type gate struct {
	guard    *Guard
	req      paseto.Requirement
	in       route
	serve    Handler
	messages *TokenMessages
	broken   error // why nobody can pass; nil if the route is valid

	last atomic.Pointer[entrance] // what by returned last
}

// entrance is a gate with the name of one route that leads to it.
type entrance struct {
	*gate
	live.Route
}

// by returns the entrance of a request. Its name is the pattern of the router, or the path if
// there is no pattern. Connections with the same name mostly share one entrance, to save
// memory.
func (t *gate) by(r *http.Request) *entrance {
	route := r.Pattern
	if route == "" {
		route = clientlog.Cut(r.URL.Path)
	}
	if last := t.last.Load(); last != nil && last.Name == route {
		return last
	}
	e := &entrance{t, live.Route{Name: route, Requirement: t.req, AllowLogin: t.in.Login}}
	t.last.Store(e)
	return e
}

// ServeHTTP implements [http.Handler].
func (t *gate) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w := &answer{ResponseWriter: rw}
	defer w.finish(t.guard)
	switch {
	case !r.ProtoAtLeast(1, 1) || !websocket.IsWebSocketUpgrade(r):
		t.refuse(w, r, refusal.New(errUpgrade))
		return
	case t.guard.isShutDown():
		t.refuse(w, r, refusal.New(live.ErrShutdown))
		return
	case t.broken != nil:
		t.refuse(w, r, t.broken)
		return
	}
	if status, err := malformedHandshake(r); err != nil { // before a ticket is used up for it
		t.guard.refuseHandshake(w, r, status, err)
		return
	}
	if err := t.enter(w, r); err != nil {
		t.refuse(w, r, err)
	}
}

// enter opens the connection if the client may have it. Its error is a refusal, which the
// caller has to answer.
func (t *gate) enter(w *answer, r *http.Request) (err error) {
	try, err := t.guard.beginHandshake(r)
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			try.done(err)
		}
	}()
	token, where, err := t.in.find(r, t.req.Optional)
	if err != nil {
		return err
	}
	values := sync.OnceValue(func() context.Context { return t.guard.valuesOf(r, t.req) })
	if token == "" && t.in.takesMessage() {
		kept, err = t.openPending(values(), w, r, try)
		return err
	}
	var c *Conn
	served := false
	defer func() {
		if c != nil && !served {
			t.guard.leave(c)
		}
	}()
	prepare := func() (err error) {
		c, err = t.prepare(values(), w, r)
		return err
	}
	claims, err := t.guard.verify(r, atHandshake(t.req, values), token, where, prepare)
	if err == nil && c == nil { // there was no ticket, so verify has not called prepare
		err = prepare()
	}
	if err == nil {
		served, err = t.open(w, r, c, claims)
	}
	return err
}

// isShutDown reports whether the shutdown has begun.
func (g *Guard) isShutDown() bool {
	select {
	case <-g.keeper.Done():
		return true
	default:
		return false
	}
}

// prepare does everything in a handshake that may fail, except what depends on the claims or
// the network. The caller ends the connection with leave.
func (t *gate) prepare(values context.Context, w *answer, r *http.Request) (*Conn, error) {
	c, err := t.guard.newConn(values, t, r)
	if err != nil {
		return nil, err
	}
	if err := w.takeOver(); err != nil {
		t.guard.leave(c)
		return nil, err
	}
	return c, nil
}

// open completes the handshake of a client with these claims, and starts to serve the
// connection. Its error is a refusal, as in enter.
func (t *gate) open(w *answer, r *http.Request, c *Conn, claims *paseto.Claims) (served bool, err error) {
	if err := c.right.Admit(r.Context(), claims); err != nil {
		return false, err
	}
	if !c.upgrade(w, r) {
		return false, nil // the request has been answered
	}
	// The HTTP handler returns now, so that net/http frees its buffers. The connection has a
	// context of its own.
	go t.guard.serve(c)
	return true, nil
}

// openPending completes the handshake of a client that has to send its token in the first
// message. If it returns kept, the attempt ends with that message. Its error is a refusal, as
// in enter.
func (t *gate) openPending(values context.Context, w *answer, r *http.Request, try attempt) (kept bool, err error) {
	g := t.guard
	c, err := g.newConn(values, t, r)
	if err != nil {
		return false, err
	}
	if err := g.lobby.pend(c.addresses(), g.cfg); err != nil {
		g.leave(c)
		return false, err
	}
	defer func() {
		if !kept {
			g.lobby.pended(c.addresses())
			g.leave(c)
		}
	}()
	if err := w.takeOver(); err != nil {
		return false, err
	}
	if !c.upgrade(w, r) {
		return false, nil // the request has been answered
	}
	go g.servePending(c, try, g.from(r))
	return true, nil
}

// upgrade answers with status 101 and starts the pings. If it returns false, the request has
// got another answer, or its connection is closed, and that is logged.
func (c *Conn) upgrade(w *answer, r *http.Request) bool {
	ws := c.gate.upgrade(w, r, &c.in)
	if ws == nil {
		return false
	}
	c.attach(ws)
	c.gate.guard.startPings()
	c.keepAlive()
	return true
}

func (t *gate) upgrade(w *answer, r *http.Request, in *inlet) *websocket.Conn {
	h := make(http.Header)
	if protocol := t.in.protocol(r); protocol != "" {
		h.Set("Sec-WebSocket-Protocol", protocol)
	}
	w.in = in
	ws, err := t.guard.upgrader.Upgrade(w, r, h)
	if err != nil {
		if _, told := errors.AsType[websocket.HandshakeError](err); !told {
			t.guard.clientLog.Write(r.Context(), t.guard.client(r), slog.LevelInfo, "handshake broken off",
				"err", err, "path", r.URL.Path, "remote", r.RemoteAddr)
		}
		return nil
	}
	return ws
}
