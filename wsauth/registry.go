package wsauth

import (
	"hash/maphash"
	"sync"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// registry knows the connections of a guard from before their handshake is answered
// until they are gone, and finds those that a revocation is about.
type registry struct {
	mu     sync.Mutex
	conns  map[*Conn]struct{}
	index  [kinds]map[uint64]*Conn // by the hash of a name, the oldest of those that have it
	seed   maphash.Seed
	limit  int // of connections; 0 for none
	wait   int // how many have yet to show a token
	open   int // how many are the application's
	closed bool
	empty  chan struct{} // closed when the last one is gone after close
}

func newRegistry(limit int) *registry {
	r := &registry{conns: make(map[*Conn]struct{}), seed: maphash.MakeSeed(), limit: limit}
	for kind := range r.index {
		r.index[kind] = make(map[uint64]*Conn)
	}
	return r
}

// What connections are found by.
const (
	byToken = iota
	bySession
	bySubject
	kinds
)

// links are the neighbours of a connection in the ring of those whose names have the
// same hash, in the order in which they came.
type links [kinds]struct{ before, after *Conn }

// names returns what connections with these claims are found by.
func names(c *paseto.Claims) [kinds]string {
	if c == nil {
		return [kinds]string{}
	}
	return [kinds]string{byToken: c.ID, bySession: c.Session, bySubject: c.Subject}
}

func (r *registry) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// reserve takes a place for a connection that may come to be. Whoever is given one
// removes the connection in the end.
func (r *registry) reserve(c *Conn) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return ErrShutdown
	case r.limit > 0 && len(r.conns) >= r.limit:
		return ErrOverload
	}
	r.conns[c] = struct{}{}
	return nil
}

// remove gives the place of a connection back.
func (r *registry) remove(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, name := range names(c.claims.Load()) {
		r.unlink(c, kind, name)
	}
	r.unpend(c)
	delete(r.conns, c)
	if c.isOpen {
		r.open--
	}
	if r.closed && len(r.conns) == 0 {
		close(r.empty)
	}
}

// pend counts a connection as one that has yet to show a token, if there are fewer
// than limit.
func (r *registry) pend(c *Conn, limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wait >= limit {
		return false
	}
	c.isPending = true
	r.wait++
	return true
}

// pended ends what pend began, once.
func (r *registry) pended(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unpend(c)
}

// bind gives a connection its claims, by which it is found from now on. Of one
// subject there may be limit connections, 0 for any number: beyond that it fails,
// or ends the oldest ones if it may displace them, and returns these.
func (r *registry) bind(c *Conn, claims *paseto.Claims, limit int, displace bool) (displaced []*Conn, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limit > 0 && claims != nil && claims.Subject != "" {
		live := r.live(bySubject, claims.Subject)
		excess := len(live) - limit + 1
		switch {
		case excess > 0 && !displace:
			return nil, false
		case excess > 0:
			for _, old := range live[:excess] {
				if old.beginClosing() {
					displaced = append(displaced, old)
				}
			}
		}
	}
	r.name(c, claims)
	return displaced, true
}

// rebind gives a connection newer claims.
func (r *registry) rebind(c *Conn, claims *paseto.Claims) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name(c, claims)
}

// opened makes a connection one of the application's.
func (r *registry) opened(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.isOpen = true
	r.open++
}

// isOpened reports whether a connection is, or was, the application's.
func (r *registry) isOpened(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return c.isOpen
}

// lease notes that a connection may have a lease.
func (r *registry) lease(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.leased = true
}

// leased returns the connections that may have a lease.
func (r *registry) leased() []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var conns []*Conn
	for c := range r.conns {
		if c.leased {
			conns = append(conns, c)
		}
	}
	return conns
}

// isLeased reports whether a connection may still have its lease.
func (r *registry) isLeased(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return c.leased
}

// unlease is lease's end. It reports whether there may be one to give back.
func (r *registry) unlease(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	leased := c.leased
	c.leased = false
	return leased
}

// covered returns the connections that have a name of what a revocation names.
func (r *registry) covered(revoked denylist.Revocation) []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case revoked.TokenID != "":
		return r.live(byToken, revoked.TokenID)
	case revoked.Session != "":
		return r.live(bySession, revoked.Session)
	}
	return r.live(bySubject, revoked.Subject)
}

// all returns every connection, those on their way included.
func (r *registry) all() []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	conns := make([]*Conn, 0, len(r.conns))
	for c := range r.conns {
		conns = append(conns, c)
	}
	return conns
}

// ofApplication returns the application's connections, or those of a subject, the
// oldest first.
func (r *registry) ofApplication(subject *string) []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var conns []*Conn
	if subject != nil {
		for _, c := range r.live(bySubject, *subject) {
			if c.isOpen {
				conns = append(conns, c)
			}
		}
		return conns
	}
	conns = make([]*Conn, 0, r.open)
	for c := range r.conns {
		if c.isOpen && !c.closing.Load() {
			conns = append(conns, c)
		}
	}
	return conns
}

func (r *registry) count() (open, pending int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open, r.wait
}

// close stops the taking of places. The channel it returns is closed when the last
// one is given back.
func (r *registry) close() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.empty = make(chan struct{})
		if len(r.conns) == 0 {
			close(r.empty)
		}
	}
	return r.empty
}

// The methods below are called with the registry locked.

func (r *registry) unpend(c *Conn) {
	if c.isPending {
		c.isPending = false
		r.wait--
	}
}

// live returns the connections with a name that are not being closed, the oldest
// first.
func (r *registry) live(kind int, name string) []*Conn {
	oldest := r.index[kind][maphash.String(r.seed, name)]
	if name == "" || oldest == nil {
		return nil
	}
	var conns []*Conn
	for c := oldest; ; c = c.links[kind].after {
		if names(c.claims.Load())[kind] == name && !c.closing.Load() {
			conns = append(conns, c)
		}
		if c.links[kind].after == oldest {
			return conns
		}
	}
}

// name has a connection found by its claims' names; where a name stays the same, so
// does its place among the others.
func (r *registry) name(c *Conn, claims *paseto.Claims) {
	old := names(c.claims.Swap(claims))
	for kind, name := range names(claims) {
		if name == old[kind] && c.links[kind].after != nil {
			continue
		}
		r.unlink(c, kind, old[kind])
		if name != "" {
			r.link(c, kind, name)
		}
	}
}

func (r *registry) link(c *Conn, kind int, name string) {
	hash := maphash.String(r.seed, name)
	oldest := r.index[kind][hash]
	if oldest == nil {
		r.index[kind][hash] = c
		c.links[kind].before, c.links[kind].after = c, c
		return
	}
	newest := oldest.links[kind].before
	newest.links[kind].after, c.links[kind].before = c, newest
	oldest.links[kind].before, c.links[kind].after = c, oldest
}

func (r *registry) unlink(c *Conn, kind int, name string) {
	link := c.links[kind]
	if link.after == nil {
		return
	}
	hash := maphash.String(r.seed, name)
	if r.index[kind][hash] == c {
		r.index[kind][hash] = link.after
	}
	if link.after == c {
		delete(r.index[kind], hash)
	}
	link.before.links[kind].after = link.after
	link.after.links[kind].before = link.before
	c.links[kind].before, c.links[kind].after = nil, nil
}
