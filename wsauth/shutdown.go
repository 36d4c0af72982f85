package wsauth

import (
	"context"
	"math/rand/v2"
	"time"
)

// Shutdown refuses new handshakes with status 503, closes every connection with
// [Config.ShutdownCode], a few at a time so that their clients do not all come back
// in one moment (see [Config.ShutdownRate]), and waits until all handlers have
// returned. When ctx ends first it cuts the connections that are left and returns
// the context's error. It ends what the guard has running; a program calls it even
// if it has no time to lose, with a context that has ended.
//
// [http.Server.Shutdown] does not do this: it knows nothing of connections that
// have become WebSockets.
func (g *Guard) Shutdown(ctx context.Context) error {
	empty := g.conns.close()
	defer g.clientLog.Flush(ctx)
	defer g.stop()
	g.closeAll(ctx)
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-empty: // both at once: nothing is left
		return nil
	default:
	}
	for _, c := range g.conns.all() {
		c.sever()
	}
	for _, conn := range g.conns.held() {
		_ = conn.Close()
	}
	return ctx.Err()
}

// shutdownPause is the time between two batches of closes, give or take a half.
const shutdownPause = 100 * time.Millisecond

// closeAll begins to close every connection: at [Config.ShutdownRate], or faster if
// ctx would end before half of its time is left for them.
func (g *Guard) closeAll(ctx context.Context) {
	conns := g.conns.all()
	batch := max(1, g.cfg.ShutdownRate/int(time.Second/shutdownPause))
	if deadline, ok := ctx.Deadline(); ok {
		pauses := max(1, int(time.Until(deadline)/2/shutdownPause))
		batch = max(batch, (len(conns)+pauses-1)/pauses)
	}
	for i, c := range conns {
		if i > 0 && i%batch == 0 {
			select {
			case <-time.After(shutdownPause/2 + rand.N(shutdownPause)): //nolint:gosec // No secret.
			case <-ctx.Done():
				return
			}
		}
		go c.close(ErrShutdown)
	}
}

// sever ends a connection that was given its time.
func (c *Conn) sever() {
	go c.close(ErrShutdown) // its context ends, and it stays closed if it has yet to open
	c.mu.Lock()
	ws := c.ws
	c.mu.Unlock()
	if ws != nil {
		_ = ws.NetConn().Close() // its handler sees the error
	}
}

// start begins what the guard does by itself, when it first has something to do it
// for. Stop ends it.
func (g *Guard) start() {
	g.started.Do(func() {
		g.work.Go(func() { g.schedule.Run(g.life, (*Conn).ring) })
		g.work.Go(func() { g.expiries.Run(g.life, (*Conn).expire) })
		if g.auth.CanRevoke() {
			g.work.Go(g.watch)
		}
		g.work.Go(g.recheck)
		if g.leases != nil && g.cfg.Limits.PerSubject > 0 {
			g.work.Go(g.renewLeases)
		}
	})
}

func (g *Guard) stop() {
	g.started.Do(func() {}) // too late to start
	g.end()
	g.work.Wait()
}
