package wsauth

import (
	"math/rand/v2"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
)

// A peer that has vanished without a word is found by pings. One schedule does that for all
// connections of a guard.

// keepAlive begins to ask the peer for signs of life.
func (c *Conn) keepAlive() {
	if interval := c.gate.guard.cfg.PingInterval; interval != NoPing {
		// Those that came together are not to be pinged together.
		c.pingAfter(interval/2 + rand.N(interval/2+1)) //nolint:gosec // No secret.
	}
}

func (c *Conn) pingAfter(d time.Duration) {
	pings := c.gate.guard.pings
	pings.Set(c, time.Now().Add(d))
	if c.right.Ended() { // and perhaps taken out before
		pings.Remove(c)
	}
}

// beat asks for the next sign of life if there was one since the last time, and
// gives up a peer that was silent. It holds up the schedule of all connections, and so
// leaves to others what may take time.
func (c *Conn) beat() {
	if c.right.Ended() {
		return
	}
	if !c.heard.Swap(false) && c.listening.Load() {
		go c.cut(c.gate.guard.cfg.ending(refusal.New(ErrUnresponsive)))
		return
	}
	go c.ping()
	c.pingAfter(c.gate.guard.cfg.PingInterval)
}

// ping asks the peer for a sign of life (RFC 6455, section 5.5.2). A write that is
// under way makes it wait, and give up in the end: that write has a deadline too.
func (c *Conn) ping() {
	if !c.right.Ended() {
		c.owe()
		_ = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.gate.guard.cfg.WriteTimeout))
	}
}
