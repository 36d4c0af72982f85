package wsauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
)

// The kinds of message.
const (
	TextMessage   = websocket.TextMessage
	BinaryMessage = websocket.BinaryMessage
)

// Conn is a WebSocket that a [Guard] let in. It is closed when its token
// expires, whatever its peer and its handler are doing.
//
// One goroutine may read; any number may write and close.
type Conn struct {
	guard    *Guard
	ws       *websocket.Conn
	claims   *paseto.Claims
	deadline time.Time // zero: none
	expiry   *time.Timer

	ctx     context.Context
	cancel  context.CancelCauseFunc
	closing atomic.Bool

	writing sync.Mutex
	reading sync.Mutex // held while a read is under way
	readErr error      // of the read that failed; no other may follow
}

var errNotUTF8 = errors.New("text message is not UTF-8")

// ErrClosed is why the context of a connection has ended that the program
// closed, with [Conn.Close] or by returning from its handler.
var ErrClosed = errors.New("wsauth: the connection was closed by its handler")

// newConn takes charge of an open WebSocket. Its life begins now, and ends with
// finish.
func newConn(g *Guard, ws *websocket.Conn, r *http.Request, claims *paseto.Claims) *Conn {
	c := &Conn{guard: g, ws: ws, claims: claims, deadline: g.auth.Deadline(claims)}
	ctx := paseto.NewContext(context.WithoutCancel(r.Context()), claims)
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	if !c.deadline.IsZero() {
		c.expiry = time.AfterFunc(c.deadline.Sub(g.auth.Now()), c.expire)
	}
	return c
}

// expire closes the connection for its token's sake.
func (c *Conn) expire() {
	c.closeWith(ClosePolicyViolation, paseto.ErrExpired.Message, paseto.ErrExpired)
}

// expired reports whether the token has expired by the clock. The timer alone
// would be late on a machine that slept.
func (c *Conn) expired() bool {
	return !c.deadline.IsZero() && !c.guard.auth.Now().Before(c.deadline)
}

// Claims returns the claims that the connection was admitted with, nil if it is
// anonymous.
func (c *Conn) Claims() *paseto.Claims { return c.claims }

// Context returns the handler's context, which ends with the connection.
// [context.Cause] says why: [paseto.ErrExpired] where the token expired,
// [ErrShutdown], [ErrClosed], or the error of the read or write that failed.
func (c *Conn) Context() context.Context { return c.ctx }

// Subprotocol returns the subprotocol agreed on, empty for none. It is [Marker]
// for a client that offered no other.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// Underlying returns the connection beneath, for what Conn does not offer. To
// write to it, to set its deadlines or its close handler, or to read from it
// past [Conn.ReadMessage] gives up what Conn promises.
func (c *Conn) Underlying() *websocket.Conn { return c.ws }

// ReadMessage returns the next message, of kind [TextMessage] or
// [BinaryMessage]. It waits until one comes or the connection ends; its error
// is then the context's cause, or the [*websocket.CloseError] that the peer
// closed with. A message that arrives when the connection is being closed, or
// its token has expired, is not returned any more.
//
// The handler must keep reading even if it expects nothing, or it will not
// notice that its peer has gone.
func (c *Conn) ReadMessage() (kind int, data []byte, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		if c.readErr != nil {
			return 0, nil, c.cause()
		}
		kind, data, err = c.ws.ReadMessage()
		switch {
		case err != nil:
			c.readErr = err
			c.end(err)
		case c.closing.Load(): // only the peer's close frame counts now
		case c.expired():
			c.expire()
		case kind == TextMessage && !utf8.Valid(data): // RFC 6455, section 8.1
			c.closeWith(CloseInvalidPayload, errNotUTF8.Error(), errNotUTF8)
		default:
			return kind, data, nil
		}
	}
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
// cause. Any other kind is an error and changes nothing.
func (c *Conn) WriteMessage(kind int, data []byte) error {
	if kind != TextMessage && kind != BinaryMessage {
		return fmt.Errorf("wsauth: %d is not a kind of message; expected TextMessage or BinaryMessage", kind)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.expired() {
		c.expire()
	}
	if c.closing.Load() {
		return c.cause()
	}
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.guard.cfg.WriteTimeout))
	if err := c.ws.WriteMessage(kind, data); err != nil {
		c.end(err)
		return c.cause()
	}
	return nil
}

// WriteJSON sends v as a text message in JSON.
func (c *Conn) WriteJSON(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("wsauth: message cannot be encoded: %w", err)
	}
	return c.WriteMessage(TextMessage, data)
}

// Close closes the connection with a code and a reason, of which at most 123
// bytes are sent. The peer is given [Config.CloseTimeout] to answer; Close does
// not wait for that. Only the first close of a connection counts. A code that
// may not be sent (RFC 6455, section 7.4) is sent as [CloseInternalError].
func (c *Conn) Close(code CloseCode, reason string) {
	if !code.sendable() {
		code = CloseInternalError
	}
	c.closeWith(code, reason, ErrClosed)
}

// closeWith begins the closing handshake. The context ends with cause; reads
// return after the peer's answer, and the connection is cut if that does not
// come in time.
func (c *Conn) closeWith(code CloseCode, reason string, cause error) {
	if !c.closing.CompareAndSwap(false, true) {
		return
	}
	deadline := c.endSoon(cause)
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(int(code), cutReason(reason)), deadline)
}

// end is closeWith for a connection that no longer carries anything, after a
// failed read or write.
func (c *Conn) end(err error) {
	if !c.closing.CompareAndSwap(false, true) {
		return
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		c.endSoon(err) // the close frame is out; finish lets the peer read it
		return
	}
	c.cancel(err)
	_ = c.ws.NetConn().Close()
}

// endSoon ends the context, and cuts the connection after the time that a
// closing handshake may take, so that no stalled writer can hold up the end.
func (c *Conn) endSoon(cause error) (deadline time.Time) {
	timeout := c.guard.cfg.CloseTimeout
	time.AfterFunc(timeout, func() { _ = c.ws.NetConn().Close() })
	c.cancel(cause)
	deadline = time.Now().Add(timeout)
	_ = c.ws.SetReadDeadline(deadline)
	return deadline
}

// cause returns why the connection ended. Whoever began the end may not have
// said so yet.
func (c *Conn) cause() error {
	<-c.ctx.Done()
	return context.Cause(c.ctx)
}

// finish closes the connection if nobody has, completes the closing handshake
// and releases the connection.
func (c *Conn) finish() {
	c.closeWith(CloseNormal, "", ErrClosed)
	if c.expiry != nil {
		c.expiry.Stop()
	}
	c.reading.Lock() // another goroutine's read ends when the connection does
	for c.readErr == nil {
		_, _, c.readErr = c.ws.NextReader()
	}
	c.reading.Unlock()
	if errors.Is(context.Cause(c.ctx), websocket.ErrReadLimit) {
		// With the rest of its message unread, closing would reset the
		// connection, and the peer might never see the close frame.
		_, _ = io.Copy(io.Discard, c.ws.NetConn())
	}
	_ = c.ws.Close()
}
