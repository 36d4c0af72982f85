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

// lobby counts the clients that have yet to show a token, and those that were refused and
// are told why. It bounds both.
type lobby struct {
	mu       sync.Mutex
	pending  int                   // how many have yet to show a token
	by       map[netip.Prefix]int  // the same, by client
	refused  map[net.Conn]struct{} // taken over, told why not, and yet to be ended by the client
	isClosed bool
	empty    chan struct{} // closed when the last refused one is gone after close
}

func newLobby() *lobby {
	return &lobby{by: make(map[netip.Prefix]int), refused: make(map[net.Conn]struct{}), empty: make(chan struct{})}
}

// pend counts a connection as one that has yet to show a token, unless there are too
// many, or too many of its client. Pended ends it.
func (l *lobby) pend(client netip.Prefix, cfg Config) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch limits := cfg.Limits; {
	case l.pending >= limits.Pending:
		return refusal.Newf(live.ErrOverload, "%d connections have yet to show a token", limits.Pending)
	case l.by[client] >= limits.PendingPerAddress:
		return refusal.Later(ErrThrottled, cfg.MessageTimeout) // when they have shown one, or are gone
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

// maxRefused is how many refused clients are told why by a close frame, or are waited
// for after an answer that was written by hand, at a time.
const maxRefused = 1000

// hold takes a place among the refused for a connection that was taken over. It is not one
// of those that others have. LetGo gives it back.
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

// held returns the connections that hold took a place for.
func (l *lobby) held() []net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.refused))
}

// close stops the taking of places. The channel it returns is closed when the last
// one is given back.
func (l *lobby) close() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isClosed {
		l.isClosed = true
		l.closeEmpty()
	}
	return l.empty
}

// closeEmpty is called with the lobby locked, by what closes it, and by what takes the last
// one out of it.
func (l *lobby) closeEmpty() {
	if l.isClosed && len(l.refused) == 0 {
		close(l.empty)
	}
}
