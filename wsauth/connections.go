package wsauth

import (
	"iter"

	"github.com/pasetokit/pasetokit/paseto/live"
)

// ConnOf returns the connection of a right, nil if the right is not of a connection. It is for
// observers (see [live.WithObserver]), and for what [live.Keeper.Rights] yields.
func ConnOf(right *live.Right) *Conn {
	if right == nil {
		return nil
	}
	h, _ := right.Holder().(*holder)
	return (*Conn)(h)
}

// Connections yields the open connections of this guard, in no order. Connections that are
// opened or end meanwhile may be among them. Connections of other guards, on this machine or
// another, are not known.
func (g *Guard) Connections() iter.Seq[*Conn] { return g.own(g.keeper.Rights()) }

// ConnectionsOf yields the open connections of a subject on this guard, the oldest
// first.
func (g *Guard) ConnectionsOf(subject string) iter.Seq[*Conn] {
	return g.own(g.keeper.RightsOf(subject))
}

// own yields the connections of this guard among rights.
func (g *Guard) own(rights iter.Seq[*live.Right]) iter.Seq[*Conn] {
	return func(yield func(*Conn) bool) {
		for right := range rights {
			if c := ConnOf(right); c != nil && c.gate.guard == g && !yield(c) {
				return
			}
		}
	}
}

// Broadcast sends a message, as [Conn.Send] does, to every open connection for which to returns
// true, or to all if to is nil. It returns for how many it was queued, and waits for no peer.
// Connections of other guards get nothing. It returns an error only if kind is not valid.
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
