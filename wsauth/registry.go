package wsauth

import (
	"hash/maphash"
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// registry knows the connections of a guard from before their handshake is answered
// until they are gone, and finds those that a revocation is about.
type registry struct {
	mu      sync.Mutex
	conns   map[*Conn]struct{}
	index   [kinds]map[uint64]*Conn // by the hash of a name, the oldest of those that have it
	seed    maphash.Seed
	limit   int                   // of connections; 0 for none
	wait    int                   // how many have yet to show a token
	waiting map[netip.Prefix]int  // the same, by client
	open    int                   // how many are the application's
	refused int                   // how many are opened only to be closed
	told    map[net.Conn]struct{} // no WebSockets: taken over, told why not, and yet to be ended by the client
	closed  bool
	empty   chan struct{} // closed when the last one is gone after close, of those that were told as well
}

func newRegistry(limit int) *registry {
	r := &registry{conns: make(map[*Conn]struct{}), waiting: make(map[netip.Prefix]int), told: make(map[net.Conn]struct{}), seed: maphash.MakeSeed(), limit: limit}
	for kind := range r.index {
		r.index[kind] = make(map[uint64]*Conn)
	}
	return r
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
		return refusal.New(ErrShutdown)
	case r.limit > 0 && len(r.conns)-r.refused >= r.limit:
		return refusal.New(ErrOverload)
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
	if c.isRefused {
		r.refused--
	}
	r.closeEmpty()
}

// pend counts a connection as one that has yet to show a token, unless there are too
// many, or too many of its client.
func (r *registry) pend(c *Conn, cfg Config) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch limits := cfg.Limits; {
	case r.wait >= limits.Pending:
		return refusal.Newf(ErrOverload, "%d connections have yet to show a token", limits.Pending)
	case r.waiting[c.addresses] >= limits.PendingPerAddress:
		return refusal.Later(ErrThrottled, cfg.MessageTimeout) // when they have shown one, or are gone
	}
	c.isPending = true
	r.wait++
	r.waiting[c.addresses]++
	return nil
}

// pended ends what pend began, once.
func (r *registry) pended(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unpend(c)
}

// bind gives a connection its claims, by which it is found from now on.
func (r *registry) bind(c *Conn, claims *paseto.Claims) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.name(c, claims)
}

// admit lets a connection count towards those of its subject, of which there may be
// limit, 0 for any number. Beyond that it fails, or begins to close the oldest ones
// if it may displace them, and returns these.
func (r *registry) admit(c *Conn, limit int, displace bool) (displaced []*Conn, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limit > 0 && c.Claims() != nil {
		admitted := slices.DeleteFunc(r.live(bySubject, c.Claims().Subject), func(other *Conn) bool { return !other.isAdmitted })
		excess := len(admitted) - limit + 1
		if excess > 0 && !displace {
			return nil, false
		}
		for _, oldest := range admitted[:max(0, excess)] {
			if oldest.beginClosing() {
				displaced = append(displaced, oldest)
			}
		}
	}
	c.isAdmitted = true
	return displaced, true
}

// rebind gives a connection newer claims, unless it is over.
func (r *registry) rebind(c *Conn, claims *paseto.Claims) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, here := r.conns[c]; !here || c.closing.Load() {
		return false
	}
	r.name(c, claims)
	return true
}

// opened makes a connection one of the application's.
func (r *registry) opened(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.isOpen = true
	r.open++
}

// returned ends what opened began: the connection's handler has returned. It reports
// whether the connection was the application's.
func (r *registry) returned(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.hasReturned = true
	return c.isOpen
}

// running returns the connections whose handlers have not returned.
func (r *registry) running() []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var conns []*Conn
	for c := range r.conns {
		if c.isOpen && !c.hasReturned {
			conns = append(conns, c)
		}
	}
	return conns
}

// lease notes that a connection may have a lease.
func (r *registry) lease(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.lease = new(lease)
}

// leaseHeld marks the lease as held, so that it is renewed.
func (r *registry) leaseHeld(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.renewable = true
}

// leased returns the connections whose leases are to be renewed.
func (r *registry) leased() []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var conns []*Conn
	for c := range r.conns {
		if c.renewable {
			conns = append(conns, c)
		}
	}
	return conns
}

// isLeased reports whether a connection may have a lease, and whether that is to be
// renewed.
func (r *registry) isLeased(c *Conn) (l *lease, renewable bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return c.lease, c.renewable
}

// unlease is leaseHeld's end.
func (r *registry) unlease(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.renewable = false
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
		r.closeEmpty()
	}
	return r.empty
}

// The methods below are called with the registry locked.

// closeEmpty is called by what closes the registry, and by what takes the last
// connection out of it.
func (r *registry) closeEmpty() {
	if r.closed && len(r.conns)+len(r.told) == 0 {
		close(r.empty)
	}
}

func (r *registry) unpend(c *Conn) {
	if c.isPending {
		c.isPending = false
		r.wait--
		r.waiting[c.addresses]--
		if r.waiting[c.addresses] == 0 {
			delete(r.waiting, c.addresses)
		}
	}
}
