package wsauth

import "github.com/pasetokit/pasetokit/paseto/live"

// KeeperOf returns what holds the rights of a guard.
func KeeperOf(g *Guard) *live.Keeper { return g.keeper }

// Stats counts connections.
type Stats struct {
	Connections, Pending int
	Panics               uint64
}

// Stats counts the connections of a guard that shares its keeper with no other.
func (g *Guard) Stats() Stats {
	stats := g.keeper.Stats()
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	return Stats{Connections: int(stats.Opened - stats.Ended), Pending: g.lobby.pending, Panics: stats.Panicked}
}

// ParseAuth is parseAuth: the token of a message, whether the message is one that
// should carry one, and what is wrong with it then.
func ParseAuth(data []byte) (token string, ours bool, err error) {
	return parseAuth(TextMessage, data)
}
