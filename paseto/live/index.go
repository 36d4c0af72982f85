package live

import "github.com/pasetokit/pasetokit/paseto"

// The index finds rights by what a revocation names, and those that count for a subject,
// without a look at any other right. It is the registry's, which is locked for all that
// follows. Rights with one name are a ring, so that an index of many names costs each of
// them little.

// What rights are found by.
const (
	byToken = iota
	bySession
	bySubject
	kinds
	counted = kinds // by subject, those that count towards its limit
)

// links are the neighbours of a right in the rings of those with the same names, in the
// order in which they came.
type links [kinds + 1]struct{ before, after *Right }

// ring is the rights with one name.
type ring struct {
	oldest *Right
	size   int
}

// names returns what rights with these claims are found by.
func names(c *paseto.Claims) [kinds]string {
	if c == nil {
		return [kinds]string{}
	}
	return [kinds]string{byToken: c.ID, bySession: c.Session, bySubject: c.Subject}
}

// boundName returns the name that a right is found by in the rings of a kind.
func (r *Right) boundName(kind int) string { return names(r.bound)[min(kind, bySubject)] }

type index [kinds + 1]map[string]ring

// of returns the rights with a name, the oldest first.
func (x *index) of(kind int, name string) []*Right {
	found := x[kind][name]
	rights := make([]*Right, found.size)
	for i, r := 0, found.oldest; i < found.size; i, r = i+1, r.links[kind].after {
		rights[i] = r
	}
	return rights
}

func (x *index) link(r *Right, kind int, name string) {
	if name == "" {
		return
	}
	found := x[kind][name]
	if found.oldest == nil {
		found.oldest = r
		r.links[kind].before, r.links[kind].after = r, r
	} else {
		oldest, newest := found.oldest, found.oldest.links[kind].before
		newest.links[kind].after, r.links[kind].before = r, newest
		oldest.links[kind].before, r.links[kind].after = r, oldest
	}
	found.size++
	x[kind][name] = found
}

func (x *index) unlink(r *Right, kind int, name string) {
	link := r.links[kind]
	if link.after == nil {
		return
	}
	found := x[kind][name]
	found.size--
	if found.oldest == r {
		found.oldest = link.after
	}
	link.before.links[kind].after = link.after
	link.after.links[kind].before = link.before
	r.links[kind].before, r.links[kind].after = nil, nil
	if found.size == 0 {
		delete(x[kind], name)
		return
	}
	// The key is one of those that stay: another would keep its token's text in memory.
	x[kind][found.oldest.boundName(kind)] = found
}
