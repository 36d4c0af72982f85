package wsauth

import (
	"cmp"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// A connection ends once, with its right. The code that ends the right also closes the
// connection: with a close frame and some time for the peer's answer, or at once if nothing
// can be sent any more.

// Close closes the connection with a code and a reason, of which at most 123 bytes are sent.
// The peer has [Config.CloseTimeout] to answer; Close does not wait for that. Only the first
// close of a connection counts. A code that may not be sent (RFC 6455, section 7.4) is sent as
// [CloseInternalError].
func (c *Conn) Close(code CloseCode, reason string) {
	if !code.sendable() {
		code = CloseInternalError
	}
	c.closeAs(ending{code, reason, refusal.New(live.ErrClosed)})
}

// close closes the connection for a cause that [Closures] lists.
func (c *Conn) close(cause error) { c.closeAs(c.gate.guard.cfg.ending(cause)) }

// closeAs ends the right and begins the closing handshake, unless the right has ended already.
// Reads return after the peer's answer. If that does not come in time, the connection is cut.
func (c *Conn) closeAs(e ending) {
	if c.right.GiveUp(e.cause) {
		c.finishClosing(e)
	}
}

// holder is a Conn as its right sees it. It implements [live.Holder] and [live.Cutter].
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
	endedSoon        // there is none yet, and the right has ended: attach will close it
	attached         // there is a WebSocket
)

// finishClosing closes the connection after its right has ended.
func (c *Conn) finishClosing(e ending) {
	if c.phase.CompareAndSwap(opening, endedSoon) {
		return
	}
	c.cutLater()
	c.sendClose(e)
}

// sendClose writes the close frame, and cuts the connection if that fails.
func (c *Conn) sendClose(e ending) {
	frame := websocket.FormatCloseMessage(int(e.code), cutReason(e.reason))
	if c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(c.gate.guard.cfg.CloseTimeout)) != nil {
		_ = c.ws.NetConn().Close()
	}
}

// attach gives the connection its WebSocket, and closes it at once if the right has ended.
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

// end ends the connection after a failed read or write. It reports whether this call began the
// end.
func (c *Conn) end(err error) (began bool) {
	if !c.right.GiveUp(err) {
		return false
	}
	if isViolation(err) {
		c.cutLater()
		if isReadLimit(err) { // gorilla does not send this frame in every case
			_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(int(CloseMessageTooBig), ""), time.Now().Add(c.gate.guard.cfg.CloseTimeout))
		}
		return true // finish gives the peer time to read the frame
	}
	_ = c.ws.NetConn().Close()
	return true
}

// cutLater cuts the connection after [Config.CloseTimeout], so that a writer that hangs cannot
// delay the end.
func (c *Conn) cutLater() {
	timeout := c.gate.guard.cfg.CloseTimeout
	time.AfterFunc(timeout, func() { _ = c.ws.NetConn().Close() })
	_ = c.ws.SetReadDeadline(time.Now().Add(timeout))
}

// cut ends the connection without waiting for an answer. It sends a close frame all the same:
// a peer that has not gone can read why.
func (c *Conn) cut(e ending) {
	if !c.right.GiveUp(e.cause) {
		return
	}
	c.sendClose(e)
	_ = c.ws.NetConn().Close()
}

// cause returns why the connection has ended.
func (c *Conn) cause() error {
	return c.right.Err()
}

// finish closes the connection unless that was done before, completes the closing handshake
// and closes the WebSocket.
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
		hangUp(c.ws.NetConn()) // it has a deadline
	}
	_ = c.ws.Close()
	c.waitForOutbox()
}
