package wsauth

import (
	"errors"
	"log/slog"
	"net"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Send sends a message of kind [TextMessage] or [BinaryMessage] without waiting for the peer.
// The message goes to a queue of at most [Config.SendQueue] messages. If the queue is full, the
// connection is closed for [live.ErrSlow]. Messages are sent in the order of the calls; a
// [Conn.WriteMessage] may overtake them. When the connection is being closed, Send returns the
// cause of the context, and messages in the queue are not sent.
func (c *Conn) Send(kind MessageKind, data []byte) error {
	message, err := prepare(kind, data)
	if err != nil {
		return err
	}
	return c.enqueue(message)
}

// SendJSON is [Conn.Send] for v as a text message in JSON.
func (c *Conn) SendJSON(v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return c.Send(TextMessage, data)
}

// prepare encodes a message once for any number of peers.
func prepare(kind MessageKind, data []byte) (*websocket.PreparedMessage, error) {
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	return websocket.NewPreparedMessage(int(kind), data)
}

// outbox has the messages that wait to be sent over a connection.
type outbox struct {
	mu      sync.Mutex
	queue   []*websocket.PreparedMessage
	drained chan struct{} // closed when the queue is empty; nil while it is
}

// outgoing returns the connection's outbox.
func (c *Conn) outgoing() *outbox {
	if c.outbox.Load() == nil {
		c.outbox.CompareAndSwap(nil, new(outbox))
	}
	return c.outbox.Load()
}

// enqueue queues a message. A goroutine sends the queue and ends when it is empty, so that an
// idle connection has none.
func (c *Conn) enqueue(message *websocket.PreparedMessage) error {
	out := c.outgoing()
	out.mu.Lock()
	defer out.mu.Unlock()
	switch {
	case c.right.Ended():
		return c.cause()
	case len(out.queue) >= c.gate.guard.cfg.SendQueue:
		if c.right.GiveUp(refusal.New(live.ErrSlow)) {
			go c.finishClosing(c.gate.guard.cfg.ending(refusal.New(live.ErrSlow)))
			go c.logSlow(refusal.New(live.ErrSlow))
		}
		return c.cause()
	}
	out.queue = append(out.queue, message)
	if out.drained == nil {
		out.drained = make(chan struct{})
		go c.drain(out, out.drained)
	}
	return nil
}

// logSlow logs that the connection ends because its peer reads too slowly: its queue is
// full, or a write has waited for [Config.WriteTimeout].
func (c *Conn) logSlow(err error) {
	c.gate.guard.clientLog.Write(c.Context(), c.addresses(), slog.LevelInfo, "connection closed for a slow peer",
		"err", err, "route", c.gate.Name, "claims", c.Claims(), "remote", c.ws.RemoteAddr())
}

// isTimeout reports whether a write failed because its deadline was over.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// drain sends messages until the queue is empty.
func (c *Conn) drain(out *outbox, drained chan struct{}) {
	defer close(drained)
	for {
		message := c.dequeue(out)
		if message == nil {
			return
		}
		// After an error the connection is being closed, and nothing more is sent.
		_ = c.write(func() error { return c.ws.WritePreparedMessage(message) })
	}
}

// dequeue takes the next message out of the queue, nil if there is none.
func (c *Conn) dequeue(out *outbox) *websocket.PreparedMessage {
	out.mu.Lock()
	defer out.mu.Unlock()
	if len(out.queue) == 0 || c.right.Ended() {
		out.queue, out.drained = nil, nil
		return nil
	}
	message := out.queue[0]
	out.queue = out.queue[1:]
	return message
}

// waitForOutbox waits until drain has returned.
func (c *Conn) waitForOutbox() {
	out := c.outbox.Load()
	if out == nil {
		return
	}
	out.mu.Lock()
	drained := out.drained
	out.mu.Unlock()
	if drained != nil {
		<-drained
	}
}
