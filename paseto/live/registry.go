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

// registry has the rights of a keeper, from when they get a place until they are released. It
// finds those that a revocation covers. While it holds its lock it looks only at rights that
// were named, never at all of them.
type registry struct {
	mu      sync.Mutex
	all     []*Right // in no order; the field place of each is its index plus one
	index   index
	counted map[string]int // how many rights count towards the limit of a subject
	limit   int            // of places
	open    int
	closed  bool
	done    chan struct{} // closed by close
	empty   chan struct{} // closed when the last right is released after close

	visited int // how many rights it has looked at, for tests
}

// newRegistry returns a registry with that many places. 0 means without limit.
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

// release gives the place of a right back, and reports whether the right was ever open. The
// last right of the list takes its place. So walk, which goes from the end of the list to its
// beginning, meets every right that stays.
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

// bind makes the index find a right by the names of claims, unless it has ended. Where a name
// does not change, the right keeps its place in the ring.
func (s *registry) bind(r *Right, claims *paseto.Claims) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if claims != nil && r.Ended() { // the index must not find it any more
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

// countIn counts a right for its subject, which may have limit of them. Beyond that it returns
// false, or, with displace, the oldest ones: they do not count any more, and the caller has to
// end them.
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
		for oldest := range s.index.of(bySubject, subject, &s.visited) { // some in the ring are not counted: yet, or any more
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

// opened counts a right as open, and returns false if it has ended or is open already.
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

// ended takes a right out of the index, and out of the count of open rights.
func (s *registry) ended(r *Right) {
	s.bind(r, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.isOpened {
		s.open--
	}
}

// returned records that the handler of a right has returned.
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

// claimsOf returns the claims that the index finds a right by.
func (s *registry) claimsOf(r *Right) *paseto.Claims {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.bound
}

// covered returns the rights that a revocation names and that it ends.
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

// find returns the oldest right with a name for which is returns true, or nil.
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
// returns false. It holds the lock only while it copies the next few rights.
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

// copyBefore copies rights from before a place, the last one first. It returns how many, and
// the place to go on from.
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

// close lets nobody take a place any more. The channel that it returns is closed when the last
// place is given back.
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

// closeEmpty closes the channel empty if the registry is closed and has no right. It is called
// with the registry locked, after either may have changed.
func (s *registry) closeEmpty() {
	if s.closed && len(s.all) == 0 {
		close(s.empty)
	}
}
