package wsauth

import (
	"cmp"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// A connection ends once, with its right. Whoever ends that finishes the connection: with
// a close frame and some time for the peer's answer, or without where nothing can be
// carried any more.

// Close closes the connection with a code and a reason, of which at most 123
// bytes are sent. The peer is given [Config.CloseTimeout] to answer; Close does
// not wait for that. Only the first close of a connection counts. A code that
// may not be sent (RFC 6455, section 7.4) is sent as [CloseInternalError].
func (c *Conn) Close(code CloseCode, reason string) {
	if !code.sendable() {
		code = CloseInternalError
	}
	c.closeAs(ending{code, reason, refusal.New(live.ErrClosed)})
}

// close closes the connection for a cause that [Closures] lists.
func (c *Conn) close(cause error) { c.closeAs(c.gate.guard.cfg.ending(cause)) }

// closeAs ends the right and begins the closing handshake, if nothing has ended it
// already. Reads return after the peer's answer, and the connection is cut if that does not
// come in time.
func (c *Conn) closeAs(e ending) {
	if c.right.GiveUp(e.cause) {
		c.finishClosing(e)
	}
}

// holder is what a Conn is for its right. It implements [live.Holder] and [live.Cutter].
type holder Conn

// RightEnded implements [live.Holder].
func (h *holder) RightEnded(cause error) {
	c := (*Conn)(h)
	go c.finishClosing(c.gate.guard.cfg.ending(cause))
}

// Cut implements [live.Cutter].
func (h *holder) Cut() {
	if c := (*Conn)(h); c.phase.Load() == attached {
		_ = c.ws.NetConn().Close() // its handler sees the error
	}
}

// The phases of a connection.
const (
	opening   = iota // there is no WebSocket yet
	endedSoon        // nor is there, and the right has ended: attach will close it
	attached         // there is one
)

// finishClosing closes the connection, whose right has ended.
func (c *Conn) finishClosing(e ending) {
	if c.phase.CompareAndSwap(opening, endedSoon) {
		return
	}
	c.cutLater()
	c.sendClose(e)
}

// sendClose writes the close frame, and cuts the connection if it cannot.
func (c *Conn) sendClose(e ending) {
	frame := websocket.FormatCloseMessage(int(e.code), cutReason(e.reason))
	if c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(c.gate.guard.cfg.CloseTimeout)) != nil {
		_ = c.ws.NetConn().Close()
	}
}

// attach gives the connection its WebSocket, which it may have to close at once.
func (c *Conn) attach(ws *websocket.Conn) {
	ws.SetReadLimit(c.gate.guard.cfg.ReadLimit)
	if c.gate.messages.PassOn {
		c.extra = new(extra)
	}
	c.measure(ws)
	c.in.giveBack()
	c.ws = ws
	if c.phase.Swap(attached) == endedSoon {
		c.finishClosing(c.gate.guard.cfg.ending(c.cause()))
	}
}

// end is closeAs for a connection that no longer carries anything, after a failed
// read or write. It reports whether nothing had begun the end already.
func (c *Conn) end(err error) (began bool) {
	if !c.right.GiveUp(err) {
		return false
	}
	if isViolation(err) {
		c.cutLater()
		if isReadLimit(err) { // of which gorilla does not tell in every case
			_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(int(CloseMessageTooBig), ""), time.Now().Add(c.gate.guard.cfg.CloseTimeout))
		}
		return true // finish lets the peer read it
	}
	_ = c.ws.NetConn().Close()
	return true
}

// cutLater cuts the connection after the time that a closing handshake may take, so that no
// stalled writer can hold up the end.
func (c *Conn) cutLater() {
	timeout := c.gate.guard.cfg.CloseTimeout
	time.AfterFunc(timeout, func() { _ = c.ws.NetConn().Close() })
	_ = c.ws.SetReadDeadline(time.Now().Add(timeout))
}

// cut ends the connection without waiting for an answer. A peer that is there after all
// may still read why.
func (c *Conn) cut(e ending) {
	if !c.right.GiveUp(e.cause) {
		return
	}
	c.sendClose(e)
	_ = c.ws.NetConn().Close()
}

// cause returns why the connection ended. Whoever began the end may not have
// said so yet.
func (c *Conn) cause() error {
	return c.right.Err()
}

// finish closes the connection if nobody has, completes the closing handshake
// and releases the connection.
func (c *Conn) finish() {
	c.close(refusal.New(live.ErrClosed))
	c.reading.Lock() // another goroutine's read ends when the connection does
	c.in.borrow((*source)(c))
	var failure error
	for !c.in.failed {
		_, _, failure = c.ws.NextReader()
		c.in.failed = failure != nil
	}
	c.in.giveBack()
	c.reading.Unlock()
	if isViolation(cmp.Or(failure, c.right.Err())) {
		hangUp(c.ws.NetConn()) // whose deadline is set
	}
	_ = c.ws.Close()
	c.waitForOutbox()
}
