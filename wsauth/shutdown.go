package wsauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
)

// Shutdown ends the guard and the HTTP servers in front of it, all at the same time:
// a request that takes long delays no close, and a handler that hangs no request. A
// program calls it instead of [http.Server.Shutdown], which knows nothing of
// connections that have become WebSockets. What the handlers need, such as the
// denylist, is closed after it.
//
// New handshakes are refused with status 503. Every connection is closed with
// [Config.ShutdownCode], a few at a time so that their clients do not all come back
// in one moment (see [Config.ShutdownRate]). The servers take no new connections
// and answer the requests that they have. Shutdown returns when all handlers have
// returned and all servers are done.
//
// When ctx ends first, Shutdown cuts all that is left, of the servers too, and its
// error wraps the context's. One line in the log then names handlers that have not
// returned; see [WithLogger]. Shutdown ends what the guard has running; a program
// calls it even if it has no time to lose, with a context that has ended.
func (g *Guard) Shutdown(ctx context.Context, servers ...*http.Server) error {
	empty := g.conns.close()
	defer g.clientLog.Flush(ctx)
	defer g.stop()
	waitForServers := shutDown(ctx, servers)
	g.closeAll(ctx)
	return errors.Join(g.waitForHandlers(ctx, empty), waitForServers())
}

// shutDown begins to end HTTP servers. The function that it returns waits for them.
func shutDown(ctx context.Context, servers []*http.Server) (wait func() error) {
	errs := make([]error, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		if server == nil {
			continue
		}
		all.Go(func() {
			if err := server.Shutdown(ctx); err != nil {
				_ = server.Close() // cuts the requests that are left
				errs[i] = fmt.Errorf("wsauth: shutdown of the HTTP server: %w", err)
			}
		})
	}
	return func() error {
		all.Wait()
		return errors.Join(errs...)
	}
}

// waitForHandlers returns when empty is closed, or cuts the connections that are left
// when ctx ends.
func (g *Guard) waitForHandlers(ctx context.Context, empty <-chan struct{}) error {
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
	g.logRunning(ctx)
	for _, c := range g.conns.all() {
		c.sever()
	}
	for _, conn := range g.conns.held() {
		_ = conn.Close()
	}
	return fmt.Errorf("wsauth: shutdown: connections were cut: %w", ctx.Err())
}

// maxNamed is how many handlers the log names at the end of a shutdown.
const maxNamed = 20

// logRunning names handlers that have not returned, those of the oldest connections
// first.
func (g *Guard) logRunning(ctx context.Context) {
	running := g.conns.running()
	if len(running) == 0 {
		return
	}
	slices.SortFunc(running, func(a, b *Conn) int { return cmp.Compare(a.number, b.number) })
	named := make([]string, min(len(running), maxNamed))
	for i := range named {
		c, subject := running[i], "anonymous"
		if claims := c.Claims(); claims != nil {
			subject = strconv.Quote(clientlog.Cut(claims.Subject))
		}
		age := time.Duration(g.moment()/int64(time.Second)-int64(c.began)) * time.Second
		named[i] = fmt.Sprintf("%s of %s, open for %s", clientlog.Cut(c.gate.route), subject, age)
	}
	g.log.LogAttrs(ctx, slog.LevelWarn, "shutdown cuts connections whose handlers have not returned",
		slog.Int("handlers", len(running)), slog.Any("oldest", named), slog.Int("not_named", len(running)-len(named)))
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
		go c.close(refusal.New(ErrShutdown))
	}
}

// sever ends a connection that was given its time.
func (c *Conn) sever() {
	go c.close(refusal.New(ErrShutdown)) // its context ends, and it stays closed if it has yet to open
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
