package wsauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/schedule"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// MessageKind is what a message carries (RFC 6455, section 5.6).
type MessageKind int

const (
	// TextMessage is text in UTF-8.
	TextMessage MessageKind = 1
	// BinaryMessage is any bytes.
	BinaryMessage MessageKind = 2
)

// Conn is a WebSocket that a [Guard] let in. It is closed when its right to be there
// ends, whatever its peer and its handler are doing: when its token expires without
// renewal, when the token is revoked, when the guard is shut down.
//
// One goroutine may read; any number may write, send and close.
type Conn struct {
	gate  *entrance
	right *live.Right
	ws    *websocket.Conn // set by attach
	in    inlet           // what ws reads from

	peer netip.Addr // the first of the addresses that count as the same client

	phase     atomic.Int32   // whether there is a WebSocket
	listening atomic.Bool    // whether a read is under way, without which nobody hears of the peer
	heard     atomic.Bool    // whether somebody has since the last ping
	alarm     schedule.Alarm // in the guard's pings

	writing sync.Mutex
	reading sync.Mutex // held while a read is under way

	outbox atomic.Pointer[outbox] // nil before the first Send
	extra  *extra                 // set by attach; nil for most connections, which are kept small
}

// extra is what few connections have.
type extra struct {
	meter *meter        // nil: what the peer sends is not limited
	first *firstMessage // which the handler has yet to read; nil for none
}

// addresses returns those that count as one client, of which the peer has one.
func (c *Conn) addresses() netip.Prefix { return clientaddr.Bucket(c.peer) }

// Right returns the connection's right, which [live.Event] names as well.
func (c *Conn) Right() *live.Right { return c.right }

// Claims returns the claims of the connection's token, nil if it is anonymous: the
// one that it was admitted with, or the last one that renewed it.
func (c *Conn) Claims() *paseto.Claims { return c.right.Claims() }

// Context returns the handler's context, which ends with the connection.
// [context.Cause] says why: one of the causes that [Closures] lists, a
// [*CloseError] if the peer closed, or the error of the read or write that failed.
func (c *Conn) Context() context.Context { return c.right.Context() }

// Deadline returns when the connection will be closed unless its token is renewed; see
// [live.Right.Deadline].
func (c *Conn) Deadline() time.Time { return c.right.Deadline() }

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
// is then the context's cause, which is a [*CloseError] if the peer closed it. A
// message that arrives when the connection is being closed, or its token has
// expired, is not returned any more; nor is one that renews the token, see
// [Config.RenewMessages].
//
// The handler must keep reading even if it expects nothing, or it will not
// notice that its peer has gone.
func (c *Conn) ReadMessage() (kind MessageKind, data []byte, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.extra != nil && c.extra.first != nil {
		first := c.extra.first
		c.extra.first = nil
		if c.right.Err() == nil {
			return first.kind, first.data, nil
		}
	}
	for {
		if c.in.failed {
			return 0, nil, c.cause()
		}
		kind, data, err = c.read()
		switch {
		case err != nil:
			c.in.failed = true
			c.end(err)
		case c.right.Err() != nil: // only the peer's close frame counts now
		case kind == TextMessage && !utf8.Valid(data):
			c.close(refusal.New(ErrPayload))
		case c.renewsBy(kind, data):
		default:
			return kind, data, nil
		}
	}
}

// read returns the next message as it is.
func (c *Conn) read() (kind MessageKind, data []byte, err error) {
	c.heard.Store(true) // nobody listened before
	c.listening.Store(true)
	defer c.listening.Store(false)
	c.await()
	opcode, r, err := c.ws.NextReader()
	if err != nil {
		return 0, nil, readError(err)
	}
	c.take(1, 0)
	data, err = io.ReadAll(r)
	return MessageKind(opcode), data, readError(err)
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
func (c *Conn) WriteMessage(kind MessageKind, data []byte) error {
	if err := checkKind(kind); err != nil {
		return err
	}
	return c.write(func() error { return c.ws.WriteMessage(int(kind), data) })
}

func checkKind(kind MessageKind) error {
	if kind != TextMessage && kind != BinaryMessage {
		return fmt.Errorf("wsauth: %d is not a kind of message; expected TextMessage or BinaryMessage", kind)
	}
	return nil
}

// write lets one writer at a time have the connection.
func (c *Conn) write(write func() error) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.right.Err() != nil {
		return c.cause()
	}
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.gate.guard.cfg.WriteTimeout))
	if err := write(); err != nil {
		if errors.Is(err, websocket.ErrCloseSent) {
			c.awaitEnd()
		}
		if began := c.end(err); began && isTimeout(err) {
			c.logSlow(err)
		}
		return c.cause()
	}
	return nil
}

// awaitEnd gives way to the read that has answered the peer's close frame: it is about to
// end the connection, for what the peer said.
func (c *Conn) awaitEnd() {
	timer := time.NewTimer(c.gate.guard.cfg.CloseTimeout)
	defer timer.Stop()
	select {
	case <-c.Context().Done():
	case <-timer.C: // somebody has sent a close frame past Conn
	}
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
