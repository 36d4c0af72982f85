package wsauth

import (
	"hash/maphash"

	"github.com/pasetokit/pasetokit/paseto"
)

// The index finds connections by what a revocation names. It is the registry's, which
// is locked for all that follows. Connections with one name are a ring, so that an
// index of many names costs each of them little.

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
