package wsauth

import (
	"iter"

	"github.com/pasetokit/pasetokit/paseto/live"
)

// ConnOf returns the connection that a right is for, nil if it is for something else. It is
// for observers (see [live.WithObserver]), and for what [live.Keeper.Rights] yields.
func ConnOf(right *live.Right) *Conn {
	if right == nil {
		return nil
	}
	h, _ := right.Holder().(*holder)
	return (*Conn)(h)
}

// Connections yields the connections that are open on this guard, in no order; those that
// are opened or end meanwhile may be among them. Other guards' are not known, on this machine
// or another.
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
