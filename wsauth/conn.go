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

// Conn is a WebSocket that a [Guard] has admitted. It is closed when its right ends, whatever
// its peer and its handler are doing: for example when its token expires without renewal, when
// the token is revoked, or when the guard is shut down.
//
// One goroutine may read; any number may write, send and close.
type Conn struct {
	gate  *entrance
	right *live.Right
	ws    *websocket.Conn // set by attach
	in    inlet           // what ws reads from

	peer netip.Addr // the first of the addresses that count as the same client

	phase     atomic.Int32   // whether there is a WebSocket
	listening atomic.Bool    // whether a read is under way; without one, nothing of the peer is noticed
	heard     atomic.Bool    // whether the peer has sent something since the last ping
	alarm     schedule.Alarm // in the guard's pings

	writing sync.Mutex
	reading sync.Mutex // held while a read is under way

	outbox atomic.Pointer[outbox] // nil before the first Send
	extra  *extra                 // set by attach; nil for most connections, which are kept small
}

// extra is what only few connections need.
type extra struct {
	meter *meter        // nil: what the peer sends is not limited
	first *firstMessage // a first message that the handler has not read yet; nil for none
}

// addresses returns the addresses that count as the same client as the peer.
func (c *Conn) addresses() netip.Prefix { return clientaddr.Bucket(c.peer) }

// Claims returns the claims in force: those of the token that the connection was admitted
// with, or of the last token that renewed it. They are nil for an anonymous connection.
func (c *Conn) Claims() *paseto.Claims { return c.right.Claims() }

// Context returns the handler's context, which ends with the connection.
// [context.Cause] says why: one of the causes that [Closures] lists, a
// [*CloseError] if the peer closed, or the error of the read or write that failed.
func (c *Conn) Context() context.Context { return c.right.Context() }

// Deadline returns when the connection will be closed if its token is not renewed; see
// [live.Right.Deadline].
func (c *Conn) Deadline() time.Time { return c.right.Deadline() }

// Subprotocol returns the subprotocol that was agreed on, empty for none. It is [Marker] if
// the client offered a token and no subprotocol of the application.
func (c *Conn) Subprotocol() string { return c.ws.Subprotocol() }

// Underlying returns the connection of gorilla/websocket, for what Conn does not offer. Conn
// cannot keep its promises if a program writes to that connection, sets its deadlines or its
// handlers, or reads from it without [Conn.ReadMessage].
func (c *Conn) Underlying() *websocket.Conn {
	c.in.pinned.Store(true)
	if c.reading.TryLock() { // otherwise the read that is under way does the same
		c.in.borrow((*source)(c))
		c.reading.Unlock()
	}
	return c.ws
}

// ReadMessage returns the next message, of kind [TextMessage] or [BinaryMessage]. It waits
// until a message comes or the connection ends. Its error is then the cause of the context,
// which is a [*CloseError] if the peer closed the connection. ReadMessage drops messages that
// arrive while the connection is being closed, or after its token has expired. It does not
// return messages that renew the token, see [Config.RenewMessages].
//
// The handler must keep reading even if it expects no message. Otherwise nothing notices that
// the peer has gone.
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

// read returns the next message, whatever it is.
func (c *Conn) read() (kind MessageKind, data []byte, err error) {
	c.heard.Store(true) // nobody was reading before, so the peer's silence meant nothing
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

// WriteMessage sends a message of kind [TextMessage] or [BinaryMessage]. Any other kind is an
// error, and nothing is sent. It waits for a slow peer, at most [Config.WriteTimeout], and
// then cuts the connection. When the connection is being closed it returns the cause of the
// context. See [Conn.Send] for a write that never waits.
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

// write calls a function that writes to the connection, one at a time.
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

// awaitEnd waits for the end of the connection. The read that has answered the peer's close
// frame is about to end it, with what the peer said as the cause.
func (c *Conn) awaitEnd() {
	timer := time.NewTimer(c.gate.guard.cfg.CloseTimeout)
	defer timer.Stop()
	select {
	case <-c.Context().Done():
	case <-timer.C: // the program has sent a close frame itself, with Underlying
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
