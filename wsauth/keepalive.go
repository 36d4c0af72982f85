package wsauth

import (
	"math/rand/v2"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
)

// Pings find peers that have vanished without closing. One schedule sends them for all
// connections of a guard.

// keepAlive starts the pings of a connection.
func (c *Conn) keepAlive() {
	if interval := c.gate.guard.cfg.PingInterval; interval != NoPing {
		// The random time spreads the pings of connections that were opened together.
		c.pingAfter(interval/2 + rand.N(interval/2+1)) //nolint:gosec // No secret.
	}
}

func (c *Conn) pingAfter(d time.Duration) {
	pings := c.gate.guard.pings
	pings.Set(c, time.Now().Add(d))
	if c.right.Ended() { // it may have ended, and been removed, before Set
		pings.Remove(c)
	}
}

// checkPeer sends a ping if the peer has sent something since the last one, and otherwise cuts
// the connection. All connections of the guard wait for it, so other goroutines do what may
// take time.
func (c *Conn) checkPeer() {
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

// ping sends a ping (RFC 6455, section 5.5.2). It waits for a write that is under way, which
// has a deadline too.
func (c *Conn) ping() {
	if !c.right.Ended() {
		c.owe()
		_ = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.gate.guard.cfg.WriteTimeout))
	}
}
