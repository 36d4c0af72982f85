package wsauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth/internal/schedule"
)

// The kinds of message.
const (
	TextMessage   = websocket.TextMessage
	BinaryMessage = websocket.BinaryMessage
)

// Conn is a WebSocket that a [Guard] let in. It is closed when its right to be there
// ends, whatever its peer and its handler are doing: when its token expires and
// was not renewed, when that is revoked, when the guard is shut down.
//
// One goroutine may read; any number may write, send and close.
type Conn struct {
	gate   *gate
	number uint64          // among the guard's
	ws     *websocket.Conn // set by attach
	in     inlet           // what ws reads from

	ctx     context.Context
	cancel  context.CancelCauseFunc
	claims  atomic.Pointer[paseto.Claims] // nil: anonymous, or not known yet
	closing atomic.Bool
	heard   atomic.Bool // whether the peer was heard of since the last ping
	pending atomic.Bool // whether a token has yet to come

	// The registry's, and used with that locked.
	isOpen, isPending, leased bool

	links links

	alarm    schedule.Alarm
	beatAt   atomic.Int64 // when the next ping is due; this and the next ones in moments, 0 for never
	expireAt atomic.Int64 // when the token expires
	endAt    atomic.Int64 // when the connection is over whatever its token says
	checked  atomic.Int64 // when the denylist was last asked

	mu    sync.Mutex // of early, and of ws until attach
	early *ending    // what came before there was a WebSocket to close

	writing  sync.Mutex
	reading  sync.Mutex // held while a read is under way
	renewing sync.Mutex
	renewed  int64 // the moment by which renewals will have cost nothing

	outbox atomic.Pointer[outbox] // nil before the first Send
}

// Claims returns the claims of the connection's token, nil if it is anonymous: the
// one that it was admitted with, or the last one that renewed it.
func (c *Conn) Claims() *paseto.Claims { return c.claims.Load() }

// Context returns the handler's context, which ends with the connection.
// [context.Cause] says why: one of the causes that [Closures] lists, or the error of
// the read or write that failed.
func (c *Conn) Context() context.Context { return c.ctx }

// Subprotocol returns the subprotocol agreed on, empty for none. It is [Marker]
// for a client that offered no other.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// Underlying returns the connection beneath, for what Conn does not offer. To
// write to it, to set its deadlines or its handlers, or to read from it past
// [Conn.ReadMessage] gives up what Conn promises.
func (c *Conn) Underlying() *websocket.Conn {
	c.in.pinned.Store(true)
	if c.reading.TryLock() { // else the read that is under way will do it
		c.in.borrow((*source)(c))
		c.reading.Unlock()
	}
	return c.ws
}

// ReadMessage returns the next message, of kind [TextMessage] or
// [BinaryMessage]. It waits until one comes or the connection ends; its error
// is then the context's cause, or the [*websocket.CloseError] that the peer
// closed with. A message that arrives when the connection is being closed, or
// its token has expired, is not returned any more; nor is one that renews the
// token, see [Config.RenewMessages].
//
// The handler must keep reading even if it expects nothing, or it will not
// notice that its peer has gone.
func (c *Conn) ReadMessage() (kind int, data []byte, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		if c.in.failed {
			return 0, nil, c.cause()
		}
		kind, data, err = c.read()
		switch {
		case err != nil:
			c.in.failed = true
			c.end(err)
		case c.closing.Load(): // only the peer's close frame counts now
		case c.expired():
			c.close(paseto.ErrExpired)
		case kind == TextMessage && !utf8.Valid(data):
			c.close(ErrPayload)
		case c.renewsBy(kind, data):
		default:
			return kind, data, nil
		}
	}
}

// read returns the next message as it is.
func (c *Conn) read() (kind int, data []byte, err error) {
	c.heard.Store(true) // nobody listened before
	c.await()
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return 0, nil, err
	}
	data, err = io.ReadAll(reader{r, c})
	return kind, data, err
}

// reader notes that the peer is heard of while a long message comes in.
type reader struct {
	io.Reader
	conn *Conn
}

func (r reader) Read(p []byte) (int, error) {
	r.conn.heard.Store(true)
	return r.Reader.Read(p)
}

// ReadJSON stores the next message, which must be JSON, in what v points to.
func (c *Conn) ReadJSON(v any) error {
	_, data, err := c.ReadMessage()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("wsauth: message is not the expected JSON: %w", err)
	}
	return nil
}

// WriteMessage sends a message of kind [TextMessage] or [BinaryMessage]. It
// waits at most [Config.WriteTimeout] for a slow peer and then gives the
// connection up. Once the connection is being closed it returns the context's
// cause. Any other kind is an error and changes nothing. See [Conn.Send] for a
// write that never waits.
func (c *Conn) WriteMessage(kind int, data []byte) error {
	if err := checkKind(kind); err != nil {
		return err
	}
	return c.write(func() error { return c.ws.WriteMessage(kind, data) })
}

func checkKind(kind int) error {
	if kind != TextMessage && kind != BinaryMessage {
		return fmt.Errorf("wsauth: %d is not a kind of message; expected TextMessage or BinaryMessage", kind)
	}
	return nil
}

// write lets one writer at a time have the connection.
func (c *Conn) write(write func() error) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.expired() {
		c.close(paseto.ErrExpired)
	}
	if c.closing.Load() {
		return c.cause()
	}
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.gate.guard.cfg.WriteTimeout))
	if err := write(); err != nil {
		c.end(err)
		return c.cause()
	}
	return nil
}

// WriteJSON sends v as a text message in JSON.
func (c *Conn) WriteJSON(v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return c.WriteMessage(TextMessage, data)
}

func encode(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("wsauth: message cannot be encoded: %w", err)
	}
	return data, nil
}

// Close closes the connection with a code and a reason, of which at most 123
// bytes are sent. The peer is given [Config.CloseTimeout] to answer; Close does
// not wait for that. Only the first close of a connection counts. A code that
// may not be sent (RFC 6455, section 7.4) is sent as [CloseInternalError].
func (c *Conn) Close(code CloseCode, reason string) {
	if !code.sendable() {
		code = CloseInternalError
	}
	c.closeAs(ending{code, reason, ErrClosed})
}

// close closes the connection for a cause that [Closures] lists.
func (c *Conn) close(cause error) { c.closeAs(c.gate.guard.cfg.ending(cause)) }

// closeAs begins the closing handshake, if nothing has begun the end already. The
// context ends with the cause; reads return after the peer's answer, and the
// connection is cut if that does not come in time.
func (c *Conn) closeAs(e ending) {
	if c.beginClosing() {
		c.finishClosing(e)
	}
}

// beginClosing makes the caller the one that closes the connection, with
// finishClosing.
func (c *Conn) beginClosing() bool { return c.closing.CompareAndSwap(false, true) }

func (c *Conn) finishClosing(e ending) {
	if !c.attached(e) {
		c.cancel(e.cause) // attach will do the rest
		return
	}
	c.endSoon(e.cause)
	c.sendClose(e, min(c.gate.guard.cfg.CloseTimeout, closeWriteTimeout))
}

// closeWriteTimeout is how long a close frame may take to be written. A peer that has
// let everything fill up for so long will not answer it.
const closeWriteTimeout = 500 * time.Millisecond

// sendClose writes the close frame, and cuts the connection if it cannot.
func (c *Conn) sendClose(e ending, timeout time.Duration) {
	frame := websocket.FormatCloseMessage(int(e.code), cutReason(e.reason))
	if c.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(timeout)) != nil {
		_ = c.ws.NetConn().Close()
	}
}

// attached reports whether there is a WebSocket to close. Where there is none yet,
// attach will learn how to end it.
func (c *Conn) attached(e ending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws == nil {
		c.early = &e
	}
	return c.ws != nil
}

// attach gives the connection its WebSocket, which it may have to close at once.
func (c *Conn) attach(ws *websocket.Conn) {
	ws.SetReadLimit(c.gate.guard.cfg.ReadLimit)
	c.in.giveBack()
	c.mu.Lock()
	c.ws = ws
	early := c.early
	c.early = nil
	c.mu.Unlock()
	if early != nil {
		c.finishClosing(*early)
	}
}

// end is closeAs for a connection that no longer carries anything, after a failed
// read or write.
func (c *Conn) end(err error) {
	if !c.beginClosing() {
		return
	}
	if isReadLimit(err) {
		c.endSoon(err) // the close frame is out; finish lets the peer read it
		return
	}
	c.cancel(err)
	_ = c.ws.NetConn().Close()
}

// endSoon ends the context, and cuts the connection after the time that a
// closing handshake may take, so that no stalled writer can hold up the end.
func (c *Conn) endSoon(cause error) {
	timeout := c.gate.guard.cfg.CloseTimeout
	time.AfterFunc(timeout, func() { _ = c.ws.NetConn().Close() })
	c.cancel(cause)
	_ = c.ws.SetReadDeadline(time.Now().Add(timeout))
}

// cut ends the connection without waiting for anyone. A peer that is there after all
// may still read why.
func (c *Conn) cut(e ending) {
	if !c.beginClosing() {
		return
	}
	c.cancel(e.cause)
	c.sendClose(e, cutTimeout)
	_ = c.ws.NetConn().Close()
}

// cutTimeout is how long a close frame may take that nobody is expected to read.
const cutTimeout = 100 * time.Millisecond

// cause returns why the connection ended. Whoever began the end may not have
// said so yet.
func (c *Conn) cause() error {
	<-c.ctx.Done()
	return context.Cause(c.ctx)
}

// finish closes the connection if nobody has, completes the closing handshake
// and releases the connection.
func (c *Conn) finish() {
	c.closeAs(ending{CloseNormal, "", ErrClosed})
	c.reading.Lock() // another goroutine's read ends when the connection does
	c.in.borrow((*source)(c))
	for !c.in.failed {
		_, _, err := c.ws.NextReader()
		c.in.failed = err != nil
	}
	c.in.giveBack()
	c.reading.Unlock()
	if errors.Is(context.Cause(c.ctx), websocket.ErrReadLimit) {
		// With the rest of its message unread, closing would reset the
		// connection, and the peer might never see the close frame.
		_, _ = io.Copy(io.Discard, c.ws.NetConn())
	}
	_ = c.ws.Close()
	c.waitForOutbox()
}
