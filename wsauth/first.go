package wsauth

import (
	"errors"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// firstMessage is a message that was read before the handler runs.
type firstMessage struct {
	kind MessageKind
	data []byte
}

// servePending serves the connection if the token of its first message is accepted.
func (g *Guard) servePending(c *Conn, try attempt, who client) {
	defer g.served(c)
	if g.admitPending(c, try, who) && c.right.Start() {
		c.gate.serve(c.Context(), c)
	}
}

// admitPending waits for the first message and answers it. It reports whether its token is
// accepted.
func (g *Guard) admitPending(c *Conn, try attempt, who client) bool {
	m, err := g.awaitToken(c, try, who)
	if err != nil {
		c.close(err)
		return false
	}
	c.accepted(m.kind, m.data)
	if c.gate.messages.PassOn {
		c.extra.first = m
	}
	return true
}

// awaitToken waits for the first message and admits the connection with its token. The error
// says why the connection has ended, or must end.
func (g *Guard) awaitToken(c *Conn, try attempt, who client) (m *firstMessage, err error) {
	err = errCheckPanicked
	var came atomic.Bool
	late := time.AfterFunc(g.cfg.MessageTimeout, func() {
		if came.Load() { // what takes so long is not the client
			c.close(refusal.Newf(paseto.ErrUnavailable, "the token of the first message could not be checked within %s", g.cfg.MessageTimeout))
			return
		}
		c.close(refusal.New(ErrNoMessage))
	})
	defer func() {
		late.Stop()
		g.lobby.pended(c.addresses())
		try.done(err)
	}()
	if m, err = c.readFirst(); err == nil {
		came.Store(true)
		if err = c.admitBy(m); err != nil && !c.right.Ended() && c.gate.messages != builtIn {
			c.refused(m.kind, m.data, err)
		}
	}
	if isReadLimit(err) { // the client has been told with code 1009
		err = refusal.Newf(ErrMessage, "%w", err)
	}
	if told, ok := errors.AsType[*paseto.Error](err); ok && told.Code != live.ErrPanic { // a panic was logged before
		g.logRefusal(c.Context(), who, told.Code, httpauth.Status(err), err)
		g.keeper.Report(live.Event{Kind: live.EventRefused, Err: err})
	}
	return m, err
}

// readFirst reads one message, which may be a little longer than the longest token. The error
// says why the connection has ended.
func (c *Conn) readFirst() (*firstMessage, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.ws.SetReadLimit(int64(c.gate.guard.auth.Config().MaxLength) + c.gate.messages.space())
	kind, data, err := c.read()
	c.ws.SetReadLimit(c.gate.guard.cfg.ReadLimit)
	if err != nil {
		c.in.failed = true
		c.end(err)
	}
	if err != nil || c.right.Ended() {
		return nil, c.cause()
	}
	return &firstMessage{kind, data}, nil
}

// admitBy admits the connection with the token of its first message.
func (c *Conn) admitBy(m *firstMessage) error {
	if m.kind == TextMessage && !utf8.Valid(m.data) {
		return c.badMessage(errors.New("it is not UTF-8"))
	}
	token, isOurs, err := c.tokenOf(m.kind, m.data)
	if err != nil {
		return err
	}
	if !isOurs {
		return c.badMessage(errors.New("it carries no token"))
	}
	claims, err := c.gate.guard.auth.Verify(c.Context(), token, c.gate.Requirement)
	if err != nil {
		return err
	}
	return c.right.Admit(c.Context(), claims)
}
