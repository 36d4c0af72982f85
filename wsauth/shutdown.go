package wsauth

import (
	"context"
	"fmt"

	"github.com/pasetokit/pasetokit/paseto/live"
)

// Shutdown ends the guard, with its Keeper and all that this holds, and the servers in
// front of it: it is [live.Keeper.Shutdown], and waits besides for the clients that were
// refused and are being told why. New handshakes are refused with status 503. Every connection
// is closed with [Config.ShutdownCode]. When ctx ends first, connections are cut.
func (g *Guard) Shutdown(ctx context.Context, servers ...live.Server) error {
	empty := g.lobby.close()
	defer g.clientLog.Flush(ctx)
	err := g.keeper.Shutdown(ctx, servers...)
	select {
	case <-empty:
		return err
	case <-ctx.Done():
	}
	held := g.lobby.held()
	for _, conn := range held {
		_ = conn.Close()
	}
	if err == nil && len(held) > 0 {
		err = fmt.Errorf("wsauth: shutdown: connections were cut: %w", ctx.Err())
	}
	return err
}
