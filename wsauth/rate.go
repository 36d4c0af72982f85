package wsauth

import (
	"cmp"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/settings"
)

// MessageExcess says what happens when a peer sends more than [MessageLimits] allow.
type MessageExcess string

const (
	// MessageExcessCloses: the connection is closed for [ErrRate].
	MessageExcessCloses MessageExcess = "close"
	// MessageExcessWaits: reading waits until there is room again.
	MessageExcessWaits MessageExcess = "wait"
)

// MessageLimits bounds how much a peer may send over a connection. Each bound is a rate with
// a burst: what may come at once, after a time in which less came.
type MessageLimits struct {
	// PerSecond is how many messages a peer may send a second in the long run. Messages
	// that carry a token count, and so do pings, and pongs that nobody asked for. Default
	// none: any number.
	PerSecond int `koanf:"per_second" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// Burst is how many messages may come at once. What comes in while the handler does
	// not read counts at once when it reads again. Default: as many as in a second.
	Burst int `koanf:"burst" validate:"omitempty,min=1,max=1000000000"`
	// BytesPerSecond is how many bytes a peer may send a second in the long run: all that
	// come in, the heads of frames included. Default none: any number.
	BytesPerSecond int `koanf:"bytes_per_second" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// BytesBurst is how many bytes may come at once. Where [MessageLimits.OnExcess] is close it must
	// have room for the longest message. Default: as many as in a second, and at least
	// the longest message.
	BytesBurst int `koanf:"bytes_burst" validate:"omitempty,min=1,max=2000000000"`
	// OnExcess says what happens to a connection whose peer sends more: close (with code
	// 1008) or wait (it is read more slowly, and the network holds its peer up). Danger of
	// wait: the peer's pings are answered late as well. Default close.
	OnExcess MessageExcess `koanf:"on_excess" default:"close" validate:"omitempty,oneof=close wait"`
}

// frameOverhead is how many bytes a message takes beside its payload, if it comes in one
// frame (RFC 6455, section 5.2).
const frameOverhead = 2 + 8 + 4

// withDefaults returns the limits with what other settings decide. 0 stands for no limit.
// The longest message has that many bytes.
func (l MessageLimits) withDefaults(longest int64) MessageLimits {
	l.PerSecond, l.BytesPerSecond = max(0, l.PerSecond), max(0, l.BytesPerSecond)
	l.Burst = cmp.Or(l.Burst, l.PerSecond)
	l.BytesBurst = cmp.Or(l.BytesBurst, max(l.BytesPerSecond, int(longest)+frameOverhead))
	return l
}

// check adds what is wrong between the limits, and with the longest message.
func (l MessageLimits) check(problems *settings.Problems, longest int64) {
	filled := l.withDefaults(longest)
	if l.Burst > 0 && filled.PerSecond == 0 {
		problems.Add("Messages.Burst", l.Burst, "needs {Messages.PerSecond}")
	}
	if l.BytesBurst > 0 && filled.BytesPerSecond == 0 {
		problems.Add("Messages.BytesBurst", l.BytesBurst, "needs {Messages.BytesPerSecond}")
	}
	if least := longest + frameOverhead; l.OnExcess != MessageExcessWaits && int64(filled.BytesBurst) < least {
		problems.Add("Messages.BytesBurst", l.BytesBurst,
			"expected at least %d, for a message of {ReadLimit} and the head of its frame; or {Messages.OnExcess} wait", least)
	}
}

// meter counts what a peer sends. One goroutine at a time reads, and counts.
type meter struct {
	messages, bytes bucket
	owed            atomic.Int32 // pongs that answer our pings
}

// bucket is the moment when all of a burst is free again.
type bucket int64

// take counts n that come in now, and returns how much too early they come: not more than 0
// if they are within the limit.
func (b *bucket) take(n, perSecond, burst int, now int64) time.Duration {
	if perSecond == 0 {
		return 0
	}
	duration := func(n int) int64 { return int64(n) * int64(time.Second) / int64(perSecond) }
	*b = max(*b, bucket(now)) + bucket(duration(n))
	return time.Duration(int64(*b) - now - duration(burst))
}

// measure has what comes in over a new WebSocket counted, if that is limited.
func (c *Conn) measure(ws *websocket.Conn) {
	limits := &c.gate.guard.cfg.Messages
	if limits.PerSecond == 0 && limits.BytesPerSecond == 0 {
		return // nothing is kept for it
	}
	if c.extra == nil {
		c.extra = new(extra)
	}
	c.extra.meter = new(meter)
	answer := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		c.take(1, 0)
		return answer(data)
	})
	ws.SetPongHandler(func(string) error {
		c.takePong(0)
		return nil
	})
}

// limited returns the meter of a connection, nil if what its peer sends is not limited.
func (c *Conn) limited() *meter {
	if c.extra == nil {
		return nil
	}
	return c.extra.meter
}

// take counts what the reader of the connection got. More than is allowed closes the
// connection, or has the reader wait.
func (c *Conn) take(messages, bytes int) {
	m := c.limited()
	if m == nil || c.right.Ended() {
		return
	}
	limits, now := &c.gate.guard.cfg.Messages, int64(time.Since(c.gate.guard.made))
	early := max(m.messages.take(messages, limits.PerSecond, limits.Burst, now),
		m.bytes.take(bytes, limits.BytesPerSecond, limits.BytesBurst, now))
	switch {
	case early <= 0:
	case limits.OnExcess == MessageExcessWaits:
		c.pause(early)
	default:
		c.close(refusal.New(ErrRate))
	}
}

// takePong counts a pong, which is no message if it answers a ping of ours.
func (c *Conn) takePong(bytes int) {
	m := c.limited()
	if m == nil {
		return
	}
	if m.owed.Load() > 0 {
		m.owed.Add(-1)
		c.take(0, bytes)
		return
	}
	c.take(1, bytes)
}

// owe has the next pong answer a ping that is being sent.
func (c *Conn) owe() {
	if m := c.limited(); m != nil {
		m.owed.Add(1)
	}
}

// pause keeps the reader waiting, until the connection ends at most. Nobody hears of the
// peer meanwhile, which is not the peer's fault.
func (c *Conn) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	listening := c.listening.Swap(false)
	select {
	case <-timer.C:
	case <-c.Context().Done():
	}
	c.heard.Store(true)
	c.listening.Store(listening)
}
