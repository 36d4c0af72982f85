package wsauth

import (
	"context"
	"fmt"

	"github.com/pasetokit/pasetokit/paseto/live"
)

// Shutdown ends the Keeper of the guard with all its rights, and shuts down the servers in front
// of it: it calls [live.Keeper.Shutdown]. It also waits for refused clients that are being told
// why. New handshakes are refused with status 503. Every connection is closed with
// [Config.ShutdownCode]. If ctx ends before that, the connections that are left are cut.
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
