package denylist

import (
	"hash/maphash"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/denylist/internal/clock"
)

// set keeps the revocations of one kind. A reader takes no lock and allocates
// nothing: it walks a table of immutable records that writers replace one by
// one, or as a whole when it is full or holds what has expired.
type set struct {
	seed   maphash.Seed
	shards [setShards]setShard
}

// setShards bounds what one rebuilding of a table costs: a shard of a million
// records has 16,000.
const setShards = 64

type setShard struct {
	table   atomic.Pointer[table] // nil while the shard has never held a record
	mu      sync.Mutex            // held by writers
	used    int                   // slots of the table
	sweepAt int64
}

// table is a hash table with open addressing. The number of its slots is a power
// of two, and at least a quarter of them are free. The filter tells at the cost
// of one word, small enough to stay in a processor's cache, that an identifier
// is not in the table: the answer to nearly every question.
type table struct {
	slots      []slot
	filter     []atomic.Uint64
	mask       uint64 // of an index of slots
	filterMask uint64 // of an index of filter
}

// slot holds a record once its hash, which is never zero, has been stored.
type slot struct {
	hash   atomic.Uint64
	record atomic.Pointer[record]
}

func newTable(size int) *table {
	return &table{
		slots:      make([]slot, size),
		filter:     make([]atomic.Uint64, size/slotsPerWord),
		mask:       uint64(size - 1),              //nolint:gosec // size is positive
		filterMask: uint64(size/slotsPerWord - 1), //nolint:gosec // and at least slotsPerWord
	}
}

// bits returns the word of the filter that an identifier belongs to, and its
// three bits there: a Bloom filter in words, with over 10 bits for each record.
func (t *table) bits(hash uint64) (word *atomic.Uint64, bits uint64) {
	word = &t.filter[(hash>>6)&t.filterMask]
	return word, 1<<(hash>>46&63) | 1<<(hash>>52&63) | 1<<(hash>>58)
}

// record is one revocation; times are Unix seconds. Where there is no cut-off it
// is noCutoff.
type record struct {
	id            string
	until, cutoff int64
	except        string // the session that the cut-off does not cover, empty for none
}

const (
	smallestTable = 8
	slotsPerWord  = 8
	// sweepInterval is how long a shard that is written to may keep expired
	// records, in seconds.
	sweepInterval = 60

	// forever is the expiry of a record that is kept for good.
	forever = math.MaxInt64
	// noCutoff covers whatever was issued.
	noCutoff = math.MaxInt64
)

func (s *set) hash(id string) uint64 {
	return max(1, maphash.String(s.seed, id))
}

// covers reports whether a live record with this identifier covers a token. The time
// is asked for only where there is a record: that costs more than all the rest.
func (s *set) covers(id string, t Token, clock *clock.Clock) bool {
	hash := s.hash(id)
	r := s.shards[hash%setShards].table.Load().find(hash, id)
	return r != nil && t.IssuedAt.Unix() <= r.cutoff && (r.except == "" || r.except != t.Session) &&
		(r.until == forever || r.until > clock.Now())
}

// find returns the record with this identifier, nil if there is none.
func (t *table) find(hash uint64, id string) *record {
	if t == nil {
		return nil
	}
	if word, bits := t.bits(hash); word.Load()&bits != bits {
		return nil
	}
	for i := hash / setShards; ; i++ {
		slot := &t.slots[i&t.mask]
		switch slot.hash.Load() {
		case 0:
			return nil
		case hash:
			if r := slot.record.Load(); r.id == id {
				return r
			}
		}
	}
}

// put stores r, or replaces the record with its identifier.
func (t *table) put(hash uint64, r *record) (added bool) {
	for i := hash / setShards; ; i++ {
		slot := &t.slots[i&t.mask]
		switch slot.hash.Load() {
		case 0:
			slot.record.Store(r)
			slot.hash.Store(hash)
			word, bits := t.bits(hash)
			word.Or(bits) // now readers may see it
			return true
		case hash:
			if slot.record.Load().id == r.id {
				slot.record.Store(r)
				return false
			}
		}
	}
}

// add makes a record; of two records of one identifier the later expiry and the
// later cut-off hold, and of two cut-offs in one second the new one. Told is called
// before other records of the identifier can take effect.
func (s *set) add(made record, now clock.Reading, told func()) {
	hash := s.hash(made.id)
	shard := &s.shards[hash%setShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	r := &made
	r.except = strings.Clone(r.except) // which may be part of something larger
	old := shard.table.Load().find(hash, r.id)
	switch {
	case old == nil:
		r.id = strings.Clone(r.id) // as above
	case old.until <= now.Now:
		r.id = old.id
	default:
		r.id, r.until = old.id, max(r.until, old.until)
		if old.cutoff > r.cutoff {
			r.cutoff, r.except = old.cutoff, old.except
		}
	}
	t := shard.table.Load()
	if t == nil || 4*(shard.used+1) > 3*len(t.slots) {
		t = shard.rebuild(now.Passed)
	}
	if t.put(hash, r) {
		shard.used++
	}
	told()
}

// sweep drops what has expired from the nth shard, if that was not done for a
// while.
func (s *set) sweep(n int, passed int64) {
	shard := &s.shards[n%setShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.used > 0 && passed >= shard.sweepAt {
		shard.rebuild(passed)
	}
}

// rebuild returns the table without the records that have expired and with room
// for others.
func (shard *setShard) rebuild(passed int64) *table {
	t := shard.table.Load()
	shard.sweepAt = passed + sweepInterval
	live := 0
	t.each(func(_ uint64, r *record) {
		if r.until > passed {
			live++
		}
	})
	size := smallestTable
	for 2*(live+1) > size {
		size *= 2
	}
	if t != nil && size == len(t.slots) && live == shard.used {
		return t
	}
	swept := newTable(size)
	t.each(func(hash uint64, r *record) {
		if r.until > passed {
			swept.put(hash, r)
		}
	})
	shard.used = live
	shard.table.Store(swept)
	return swept
}

// each calls fn for every record.
func (t *table) each(fn func(hash uint64, r *record)) {
	if t == nil {
		return
	}
	for i := range t.slots {
		slot := &t.slots[i]
		if hash := slot.hash.Load(); hash != 0 {
			fn(hash, slot.record.Load())
		}
	}
}

// len returns the number of records, expired ones that are not yet swept
// included.
func (s *set) len() int {
	n := 0
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		n += shard.used
		shard.mu.Unlock()
	}
	return n
}

// clear drops every record.
func (s *set) clear() {
	for i := range s.shards {
		shard := &s.shards[i]
		shard.mu.Lock()
		shard.table.Store(nil)
		shard.used = 0
		shard.mu.Unlock()
	}
}
