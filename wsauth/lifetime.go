package wsauth

import (
	"cmp"
	"math/rand/v2"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// What ends a connection at a time of its own: its token's expiry, its greatest age,
// a peer that is not there any more. One schedule rings all connections of a guard
// when the next of these is due.
//
// A token expires by the Authorizer's clock, which jumps when it is set, or when the
// machine has slept. A second schedule goes by that clock. A connection ends by
// whichever comes first: the time that it had left when its token was shown has passed,
// or the Authorizer's clock says that its time has come.

// Connections keep their times as moments: nanoseconds since the guard was made, by
// a clock that nobody sets.

func (g *Guard) moment() int64 { return int64(time.Since(g.made)) }

// after returns the moment that is a time from now.
func (g *Guard) after(d time.Duration) int64 {
	return max(1, g.moment()+int64(min(d, farAway))) // 0 stands for never
}

// farAway is further than anything that is waited for. A token may say more.
const farAway = 100 * 365 * 24 * time.Hour

// Deadline returns when the connection will be closed unless its token is renewed:
// when that expires, the Authorizer's leeway added, or at [Config.MaxLifetime],
// whichever comes first; zero for never. A renewal moves it.
func (c *Conn) Deadline() time.Time {
	deadline, _ := c.deadline()
	return deadline
}

// deadline also returns what the connection is closed with.
func (c *Conn) deadline() (at time.Time, over paseto.Code) {
	g := c.gate.guard
	at, over = g.auth.Deadline(c.Claims()), paseto.ErrExpired
	if ends := c.endTime.Load(); ends != 0 {
		if end := g.born.Add(time.Duration(ends)); at.IsZero() || end.Before(at) {
			at, over = end, c.tooOld()
		}
	}
	return at, over
}

// tooOld returns what a connection is closed with that ends whatever its token says.
func (c *Conn) tooOld() paseto.Code {
	if c.pending.Load() {
		return ErrNoMessage
	}
	return ErrLifetime
}

// overdue returns what the connection should be closed with by the Authorizer's clock,
// nothing if its time has not come. The schedule alone would be late on a machine that slept.
func (c *Conn) overdue() paseto.Code {
	at, over := c.deadline()
	if at.IsZero() || c.gate.guard.auth.Now().Before(at) {
		return ""
	}
	return over
}

// live begins the connection's life as one that has yet to show a token, or as one
// of the application's.
func (c *Conn) live(pending bool) {
	g := c.gate.guard
	limit := g.cfg.MaxLifetime
	if pending {
		limit = g.cfg.MessageTimeout
	}
	c.pending.Store(pending)
	c.endAt.Store(0)
	c.endTime.Store(0)
	if limit > 0 {
		c.endAt.Store(g.after(limit))
		end := g.wall().Sub(g.born) + min(limit, farAway) // below 0 where the clock was set back
		c.endTime.Store(cmp.Or(int64(end), 1))            // 0 stands for never
	}
	if interval := g.cfg.PingInterval; interval != NoPing && c.beatAt.Load() == 0 {
		// Those that came together are not to be pinged together.
		c.beatAt.Store(g.after(interval/2 + rand.N(interval/2+1))) //nolint:gosec // No secret.
	}
	c.expireLater()
}

// expireLater has the connection closed when the token that it has now expires.
func (c *Conn) expireLater() {
	expireAt := int64(0)
	if deadline := c.gate.guard.auth.Deadline(c.Claims()); !deadline.IsZero() {
		expireAt = c.gate.guard.after(deadline.Sub(c.gate.guard.auth.Now()))
	}
	c.expireAt.Store(expireAt)
	c.schedule()
	c.scheduleExpiry()
}

// scheduleExpiry has the connection rung when its time has come by the Authorizer's
// clock.
func (c *Conn) scheduleExpiry() {
	g := c.gate.guard
	deadline := c.Deadline()
	if !deadline.IsZero() {
		g.expiries.Set(c, deadline)
	}
	if deadline.IsZero() || c.closing.Load() { // and perhaps taken out before
		g.expiries.Remove(c)
	}
}

// expire closes the connection, unless its token was renewed meanwhile, or the clock set
// back.
func (c *Conn) expire() {
	if c.closing.Load() {
		return
	}
	if over := c.overdue(); over != "" {
		go c.close(refusal.New(over))
		return
	}
	c.scheduleExpiry()
}

// next returns the moment when something is next due for the connection, 0 for
// never. Over says why it is to be closed then, and is empty for a ping.
func (c *Conn) next() (at int64, over paseto.Code) {
	at = c.beatAt.Load()
	if endAt := c.endAt.Load(); endAt != 0 && (at == 0 || endAt <= at) {
		at, over = endAt, c.tooOld()
	}
	if expireAt := c.expireAt.Load(); expireAt != 0 && (at == 0 || expireAt <= at) {
		at, over = expireAt, paseto.ErrExpired
	}
	return at, over
}

// schedule has the connection rung when something is due.
func (c *Conn) schedule() {
	at, _ := c.next()
	if at != 0 {
		c.gate.guard.schedule.Set(c, c.gate.guard.made.Add(time.Duration(at)))
	}
	if at == 0 || c.closing.Load() { // and perhaps taken out of the schedule before
		c.gate.guard.schedule.Remove(c)
	}
}

// ring does what is due. It holds up the schedule of all connections, and so leaves
// to others what may take time.
func (c *Conn) ring() {
	at, over := c.next()
	late := c.overdue()
	switch {
	case c.closing.Load(), at == 0:
		return
	case late != "":
		go c.close(refusal.New(late))
		return
	case at > c.gate.guard.moment(): // it was renewed
	case over != "":
		go c.close(refusal.New(over))
		return
	default:
		c.beat()
	}
	c.schedule()
}

// beat asks for the next sign of life if there was one since the last time, and
// gives up a peer that was silent.
func (c *Conn) beat() {
	c.beatAt.Store(c.gate.guard.after(c.gate.guard.cfg.PingInterval))
	if !c.heard.Swap(false) && c.listening.Load() {
		go c.cut(c.gate.guard.cfg.ending(refusal.New(ErrUnresponsive)))
		return
	}
	go c.ping()
}

// ping asks the peer for a sign of life (RFC 6455, section 5.5.2). A write that is
// under way makes it wait, and give up in the end: that write has a deadline too.
func (c *Conn) ping() {
	if !c.closing.Load() {
		c.owe()
		_ = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.gate.guard.cfg.WriteTimeout))
	}
}
