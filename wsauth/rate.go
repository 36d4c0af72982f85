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
// a burst. The burst is how much may come at once after a quiet time.
type MessageLimits struct {
	// PerSecond is how many messages a peer may send in a second in the long run. Messages
	// with a token count too, and so do pings, and pongs that answer no ping of the server.
	// Default none: any number.
	PerSecond int `koanf:"per_second" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// Burst is how many messages may come at once. Messages that come while the handler
	// does not read count when it reads again, all at once. Default: the number for one
	// second.
	Burst int `koanf:"burst" validate:"omitempty,min=1,max=1000000000"`
	// BytesPerSecond is how many bytes a peer may send in a second in the long run. All bytes
	// count, with the heads of frames. Default none: any number.
	BytesPerSecond int `koanf:"bytes_per_second" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// BytesBurst is how many bytes may come at once. If [MessageLimits.OnExcess] is close, it
	// must not be smaller than the longest message. Default: the number for one second, and
	// at least the longest message.
	BytesBurst int `koanf:"bytes_burst" validate:"omitempty,min=1,max=2000000000"`
	// OnExcess says what happens to a connection whose peer sends more: close (it is closed
	// with code 1008) or wait (the server reads more slowly, until the peer cannot send any
	// more). Danger of wait: the peer's pings are answered late too. Default close.
	OnExcess MessageExcess `koanf:"on_excess" default:"close" validate:"omitempty,oneof=close wait"`
}

// frameOverhead is how many bytes a message takes in addition to its payload, if it comes in
// one frame (RFC 6455, section 5.2).
const frameOverhead = 2 + 8 + 4

// withDefaults returns the limits with the defaults that depend on other settings. There 0
// means without limit. longest is the size of the longest message in bytes.
func (l MessageLimits) withDefaults(longest int64) MessageLimits {
	l.PerSecond, l.BytesPerSecond = max(0, l.PerSecond), max(0, l.BytesPerSecond)
	l.Burst = cmp.Or(l.Burst, l.PerSecond)
	l.BytesBurst = cmp.Or(l.BytesBurst, max(l.BytesPerSecond, int(longest)+frameOverhead))
	return l
}

// check adds problems of limits that do not fit together, or not the longest message.
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

// meter counts what a peer sends. Only the goroutine that reads uses it, except for owed.
type meter struct {
	messages, bytes bucket
	owed            atomic.Int32 // how many pongs are expected, as answers to our pings
}

// bucket is the moment when the whole burst is free again.
type bucket int64

// take counts n messages or bytes that come in now. It returns how much too early they come:
// 0 or less if they are within the limit.
func (b *bucket) take(n, perSecond, burst int, now int64) time.Duration {
	if perSecond == 0 {
		return 0
	}
	duration := func(n int) int64 { return int64(n) * int64(time.Second) / int64(perSecond) }
	*b = max(*b, bucket(now)) + bucket(duration(n))
	return time.Duration(int64(*b) - now - duration(burst))
}

// measure sets up the meter of a new WebSocket, if there are limits.
func (c *Conn) measure(ws *websocket.Conn) {
	limits := &c.gate.guard.cfg.Messages
	if limits.PerSecond == 0 && limits.BytesPerSecond == 0 {
		return // so that the connection needs no memory for it
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

// take counts what was read from the connection. Beyond the limits it closes the connection,
// or makes the reader wait.
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

// takePong counts a pong. One that answers our ping does not count as a message.
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

// owe records that a ping is being sent, which a pong will answer.
func (c *Conn) owe() {
	if m := c.limited(); m != nil {
		m.owed.Add(1)
	}
}

// pause makes the reader wait, at most until the connection ends. Meanwhile nobody reads what
// the peer sends, so the peer does not count as gone.
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
