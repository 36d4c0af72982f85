package live

import (
	"hash/maphash"
	"iter"

	"github.com/pasetokit/pasetokit/paseto"
)

// The index finds rights by what a revocation names, without a look at any other right. It
// belongs to the registry, which is locked whenever the index is used. Rights with the same
// name are linked in a ring. The index keeps hashes instead of names: that takes little
// memory, and keeps nothing of a token.

// The kinds of names that rights are found by.
const (
	byToken = iota
	bySession
	bySubject
	kinds
)

// links are the neighbours of a right in its rings, one ring for each kind. A ring has the
// rights whose names have the same hash, in the order in which they came.
type links [kinds]struct{ before, after *Right }

// names returns the names that a right with these claims is found by.
func names(c *paseto.Claims) [kinds]string {
	if c == nil {
		return [kinds]string{}
	}
	return [kinds]string{byToken: c.ID, bySession: c.Session, bySubject: c.Subject}
}

type index struct {
	seed maphash.Seed
	by   [kinds]map[uint64]*Right // the oldest of each ring
}

func newIndex() index {
	x := index{seed: maphash.MakeSeed()}
	for kind := range x.by {
		x.by[kind] = make(map[uint64]*Right)
	}
	return x
}

// of yields the rights with a name, the oldest first. It adds to visited how many rights it
// looks at.
func (x *index) of(kind int, name string, visited *int) iter.Seq[*Right] {
	return func(yield func(*Right) bool) {
		oldest := x.by[kind][maphash.String(x.seed, name)]
		if name == "" || oldest == nil {
			return
		}
		for r := oldest; ; r = r.links[kind].after {
			*visited++
			if names(r.bound)[kind] == name && !yield(r) || r.links[kind].after == oldest {
				return
			}
		}
	}
}

func (x *index) link(r *Right, kind int, name string) {
	if name == "" {
		return
	}
	hash := maphash.String(x.seed, name)
	oldest := x.by[kind][hash]
	if oldest == nil {
		x.by[kind][hash] = r
		r.links[kind].before, r.links[kind].after = r, r
		return
	}
	newest := oldest.links[kind].before
	newest.links[kind].after, r.links[kind].before = r, newest
	oldest.links[kind].before, r.links[kind].after = r, oldest
}

func (x *index) unlink(r *Right, kind int, name string) {
	link := r.links[kind]
	if link.after == nil {
		return
	}
	hash := maphash.String(x.seed, name)
	switch {
	case link.after == r:
		delete(x.by[kind], hash)
	case x.by[kind][hash] == r:
		x.by[kind][hash] = link.after
	}
	link.before.links[kind].after = link.after
	link.after.links[kind].before = link.before
	r.links[kind].before, r.links[kind].after = nil, nil
}
