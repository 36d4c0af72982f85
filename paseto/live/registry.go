package live

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// registry knows the rights of a keeper from the time that they have a place until they are
// released, and finds those that a revocation is about. What it does with its lock held is
// bounded by the rights that were named; it never goes over all of them.
type registry struct {
	mu      sync.Mutex
	all     []*Right // in no order; each knows its place
	index   index
	counted map[string]int // how many rights count towards the limit of a subject
	limit   int            // of places
	open    int
	closed  bool
	done    chan struct{} // closed by close
	empty   chan struct{} // closed when the last right is released after close

	visited int // how many rights it has looked at, for tests
}

// newRegistry returns a registry with so many places, 0 for as many as there can be.
func newRegistry(limit int) *registry {
	return &registry{
		index: newIndex(), counted: make(map[string]int), limit: cmp.Or(limit, math.MaxInt32),
		done: make(chan struct{}), empty: make(chan struct{}),
	}
}

// reserve takes a place for a right.
func (s *registry) reserve(r *Right) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return refusal.New(ErrShutdown)
	case len(s.all) >= s.limit:
		return refusal.New(ErrOverload)
	}
	s.all = append(s.all, r)
	r.place = int32(len(s.all)) //nolint:gosec // The limit is no more.
	return nil
}

// release gives the place of a right back, and reports whether it was open once. The last
// right takes its place in the list: one that goes over the list from its end to its
// beginning meets all that stay.
func (s *registry) release(r *Right) (wasOpen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.place == 0 {
		return false
	}
	last := len(s.all) - 1
	s.all[r.place-1] = s.all[last]
	s.all[r.place-1].place = r.place
	s.all[last] = nil
	s.all = s.all[:last]
	r.place = 0
	s.closeEmpty()
	return r.isOpened
}

// bind has a right found by the names of claims, unless it has ended. Where a name stays the
// same, so does its place among the others.
func (s *registry) bind(r *Right, claims *paseto.Claims) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if claims != nil && r.Ended() { // and unbound for good
		return false
	}
	old, now := names(r.bound), names(claims)
	for kind := range kinds {
		if now[kind] != old[kind] || r.links[kind].after == nil {
			s.index.unlink(r, kind, old[kind])
		}
	}
	if old[bySubject] != now[bySubject] {
		s.uncount(r)
	}
	r.bound = claims
	for kind := range kinds {
		if r.links[kind].after == nil {
			s.index.link(r, kind, now[kind])
		}
	}
	return true
}

// count has a right count towards those of its subject, of which there may be limit. Beyond
// that it fails, or returns the oldest ones, which do not count any more and are to be ended.
func (s *registry) countIn(r *Right, limit int, displace bool) (displaced []*Right, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	subject := names(r.bound)[bySubject]
	if subject == "" || r.Ended() {
		return nil, true
	}
	excess := s.counted[subject] - limit + 1
	if excess > 0 && !displace {
		return nil, false
	}
	if excess > 0 {
		for oldest := range s.index.of(bySubject, subject, &s.visited) { // others before it are on their way in or out
			if oldest.isCounted {
				s.uncount(oldest)
				displaced = append(displaced, oldest)
			}
			if len(displaced) == excess {
				break
			}
		}
	}
	r.isCounted = true
	s.counted[subject]++
	return displaced, true
}

// uncount is called with the registry locked.
func (s *registry) uncount(r *Right) {
	if !r.isCounted {
		return
	}
	r.isCounted = false
	subject := names(r.bound)[bySubject]
	s.counted[subject]--
	if s.counted[subject] == 0 {
		delete(s.counted, subject)
	}
}

// opened has a right that has not ended count as open.
func (s *registry) opened(r *Right) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Ended() || r.isOpened {
		return false
	}
	r.isOpened = true
	s.open++
	return true
}

// ended takes a right out of the index, and out of those that are open.
func (s *registry) ended(r *Right) {
	s.bind(r, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.isOpened {
		s.open--
	}
}

// returned notes that the handler of a right has returned.
func (s *registry) returned(r *Right) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.hasReturned = true
}

// isRunning reports whether the handler of a right runs.
func (s *registry) isRunning(r *Right) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.isOpened && !r.hasReturned
}

// isOpen reports whether a right is open.
func (s *registry) isOpen(r *Right) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.isOpened && !r.Ended()
}

// claimsOf returns the claims by which a right is found.
func (s *registry) claimsOf(r *Right) *paseto.Claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.bound
}

// covered returns the rights that a revocation names and ends.
func (s *registry) covered(revoked denylist.Revocation, ends func(*paseto.Claims) bool) []*Right {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, name := bySubject, revoked.Subject
	switch {
	case revoked.TokenID != "":
		kind, name = byToken, revoked.TokenID
	case revoked.Session != "":
		kind, name = bySession, revoked.Session
	}
	return slices.DeleteFunc(s.of(kind, name), func(r *Right) bool { return !ends(r.bound) })
}

// openOf returns the open rights with a name, the oldest first.
func (s *registry) openOf(kind int, name string) []*Right {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(s.of(kind, name), func(r *Right) bool { return !r.isOpened || r.Ended() })
}

// find returns the oldest right with a name that is the one looked for, or nil.
func (s *registry) find(kind int, name string, is func(*Right) bool) *Right {
	s.mu.Lock()
	defer s.mu.Unlock()
	for r := range s.index.of(kind, name, &s.visited) {
		if is(r) {
			return r
		}
	}
	return nil
}

// of is called with the registry locked.
func (s *registry) of(kind int, name string) []*Right {
	return slices.Collect(s.index.of(kind, name, &s.visited))
}

// walk calls visit for every right that has a place now and keeps it meanwhile, until visit
// returns false. It holds no lock but to copy the next few.
func (s *registry) walk(visit func(*Right) bool) {
	var few [256]*Right
	next := s.size()
	for {
		var n int
		n, next = s.copyBefore(next, few[:])
		if n == 0 {
			return
		}
		for _, r := range few[:n] {
			if !visit(r) {
				return
			}
		}
	}
}

func (s *registry) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// copyBefore copies the rights before a place, the last one first.
func (s *registry) copyBefore(place int, to []*Right) (n, next int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for next = min(place, len(s.all)); next > 0 && n < len(to); n++ {
		next--
		to[n] = s.all[next]
	}
	s.visited += n
	return n, next
}

func (s *registry) count() (open, places int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, len(s.all)
}

// close stops the taking of places. The channel it returns is closed when the last
// one is given back.
func (s *registry) close() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.done)
		s.closeEmpty()
	}
	return s.empty
}

// closeEmpty is called with the registry locked, by what closes it, and by what takes the
// last right out of it.
func (s *registry) closeEmpty() {
	if s.closed && len(s.all) == 0 {
		close(s.empty)
	}
}
