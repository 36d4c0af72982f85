package wsauth

import (
	"iter"
	"slices"
)

// Connections yields the connections that are open on this guard at the moment of
// the call, in no order. Other guards' are not known, on this machine or another.
func (g *Guard) Connections() iter.Seq[*Conn] {
	return slices.Values(g.conns.ofApplication(nil))
}

// ConnectionsOf yields the open connections of a subject on this guard, the oldest
// first.
func (g *Guard) ConnectionsOf(subject string) iter.Seq[*Conn] {
	return slices.Values(g.conns.ofApplication(&subject))
}

// Broadcast sends a message, as [Conn.Send] does, to every open connection that to
// returns true for, or to all if to is nil, and returns how many those were. It
// waits for no peer. Other guards' connections get nothing. It returns an error only if
// kind is not valid.
func (g *Guard) Broadcast(kind MessageKind, data []byte, to func(*Conn) bool) (int, error) {
	message, err := prepare(kind, data)
	if err != nil {
		return 0, err
	}
	n := 0
	for c := range g.Connections() {
		if to != nil && !to(c) {
			continue
		}
		if c.enqueue(message) == nil {
			n++
		}
	}
	return n, nil
}

// Stats counts what a [Guard] has at the moment and has seen.
type Stats struct {
	// Connections are those that are open.
	Connections int
	// Pending are those that have yet to show a token; see [httpauth.LocationMessage].
	Pending int
	// Panics of handlers, since the guard was made.
	Panics uint64
}

// Stats returns the counts of this moment.
func (g *Guard) Stats() Stats {
	open, pending := g.conns.count()
	return Stats{Connections: open, Pending: pending, Panics: g.panics.Load()}
}
