package wsauth

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// lobby counts and bounds two kinds of connections: those that have not shown a token yet, and
// those that were refused and are being closed.
type lobby struct {
	mu       sync.Mutex
	pending  int                   // how many connections have not shown a token yet
	by       map[netip.Prefix]int  // the same, by client
	refused  map[net.Conn]struct{} // refused, and not yet closed by the client
	isClosed bool
	empty    chan struct{} // closed when refused is empty after close
}

func newLobby() *lobby {
	return &lobby{by: make(map[netip.Prefix]int), refused: make(map[net.Conn]struct{}), empty: make(chan struct{})}
}

// pend counts a connection that has not shown a token yet, unless there are too many, or too
// many of its client. The caller ends the count with pended.
func (l *lobby) pend(client netip.Prefix, cfg Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch limits := cfg.Limits; {
	case l.pending >= limits.Pending:
		return refusal.Newf(live.ErrOverload, "%d connections have not shown a token yet", limits.Pending)
	case l.by[client] >= limits.PendingPerAddress:
		return refusal.Later(ErrThrottled, cfg.MessageTimeout) // by then they have shown a token, or are closed
	}
	l.pending++
	l.by[client]++
	return nil
}

func (l *lobby) pended(client netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending--
	l.by[client]--
	if l.by[client] == 0 {
		delete(l.by, client)
	}
}

// maxRefused is how many refused clients may be waited for at a time, after a close frame or
// after an answer that net/http did not write.
const maxRefused = 1000

// hold takes one of the maxRefused places for a connection that was taken over. The caller
// gives it back with letGo.
func (l *lobby) hold(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed || len(l.refused) >= maxRefused {
		return false
	}
	l.refused[conn] = struct{}{}
	return true
}

func (l *lobby) letGo(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.refused, conn)
	l.closeEmpty()
}

// held returns the connections that have a place of hold.
func (l *lobby) held() []net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.refused))
}

// close lets nobody take a place any more. The channel that it returns is closed when the last
// place is given back.
func (l *lobby) close() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isClosed {
		l.isClosed = true
		l.closeEmpty()
	}
	return l.empty
}

// closeEmpty closes the channel empty if the lobby is closed and nobody has a place. It is
// called with the lobby locked, after either may have changed.
func (l *lobby) closeEmpty() {
	if l.isClosed && len(l.refused) == 0 {
		close(l.empty)
	}
}
