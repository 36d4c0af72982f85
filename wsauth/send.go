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

// Send sends a message of kind [TextMessage] or [BinaryMessage] without waiting for
// the peer: it goes to a queue of at most [Config.SendQueue] messages, and a peer
// that lets that fill up is closed for [live.ErrSlow]. Messages are sent in the order
// of the calls; a [Conn.WriteMessage] may overtake them. Once the connection is
// being closed it returns the context's cause, and what is queued is not sent.
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

// prepare makes the frame of a message that is sent to any number of peers.
func prepare(kind MessageKind, data []byte) (*websocket.PreparedMessage, error) {
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	return websocket.NewPreparedMessage(int(kind), data)
}

// outbox is what waits to be sent over a connection.
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

// enqueue queues a message. There is a goroutine that sends while there is something
// to be sent, and none for a connection that is idle.
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

// isTimeout reports whether a write failed for its deadline.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// drain sends what is queued, until nothing is.
func (c *Conn) drain(out *outbox, drained chan struct{}) {
	defer close(drained)
	for {
		message := c.dequeue(out)
		if message == nil {
			return
		}
		// After a failure the connection is being closed, and nothing is sent.
		_ = c.write(func() error { return c.ws.WritePreparedMessage(message) })
	}
}

// dequeue takes out what is to be sent next, nil if there is nothing.
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

// waitForOutbox returns when nobody sends what was queued any more.
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
