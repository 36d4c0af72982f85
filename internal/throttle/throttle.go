// Package throttle bounds how often something may happen for each client, in
// bounded memory.
package throttle

import (
	"hash/maphash"
	"math"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxKeys bounds the keys without attempts under way that a Table remembers.
	maxKeys = 1 << 16
	// shardCount is the number of parts that do not wait for each other.
	shardCount = 16
)

// Table has a token bucket for each key. A nil Table allows everything. A Table
// is safe for concurrent use, and starts no goroutine.
//
// It remembers 65,536 keys, and forgets first the one that was not used for
// longest. Those with attempts under way are remembered beside these, and never
// forgotten: there are never more of them than of the attempts, each of which
// costs the program more than its key. What is forgotten begins anew, with a
// full bucket: someone who has more addresses than the Table has room for can
// make it forget, and is not bounded by it. A key whose bucket is full again is
// forgotten too, which makes no difference to anyone.
type Table[K comparable] struct {
	limit  int
	rate   rate.Limit // tokens in a second
	now    func() time.Time
	seed   maphash.Seed
	shards []shard[K]
	room   int // for keys without attempts under way, in each shard
}

// New returns a Table whose buckets hold limit tokens, at first and at most, and
// are refilled evenly, from empty to full in the time per. If limit is not
// positive, there is no limit: the Table is nil.
//
// It tells the time by now, [time.Now] if that is nil, and asks it while it
// holds a lock: now must not use the Table. Time that a clock is set back by has
// not passed, and is not waited for either.
func New[K comparable](limit int, per time.Duration, now func() time.Time) *Table[K] {
	return newTable[K](limit, per, now, shardCount, maxKeys/shardCount)
}

func newTable[K comparable](limit int, per time.Duration, now func() time.Time, shards, room int) *Table[K] {
	if limit <= 0 {
		return nil
	}
	if now == nil {
		now = time.Now
	}
	t := &Table[K]{
		limit:  limit,
		rate:   rate.Limit(float64(limit) / per.Seconds()),
		now:    now,
		seed:   maphash.MakeSeed(),
		shards: make([]shard[K], shards),
		room:   room,
	}
	for i := range t.shards {
		t.shards[i].table = t
		t.shards[i].clients = make(map[K]*client[K])
	}
	return t
}

// shard returns the part of the Table that key belongs to. Nobody outside can
// tell which, and crowd one of them.
func (t *Table[K]) shard(key K) *shard[K] {
	return &t.shards[maphash.Comparable(t.seed, key)%uint64(len(t.shards))]
}

// Allow takes a token of key. If there is none, ok is false, and wait is how
// long it takes until there is one: always more than zero.
func (t *Table[K]) Allow(key K) (wait time.Duration, ok bool) {
	if t == nil {
		return 0, true
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, at := s.client(key)
	defer s.settle(c, at)
	if wait := t.lacking(c, at); wait > 0 {
		return wait, false
	}
	c.take(at)
	return 0, true
}

// Begin asks whether an attempt of key, which may fail, may begin: whether there
// is a token for it beside those that other attempts under way may take. End
// tells how it went: if it failed it takes the token, else none. So attempts
// never fail more often than the bucket allows, however many there are at once.
//
// End is never nil and must be called, also when the attempt panics: until then
// it counts as one under way, and the key is not forgotten. A second call does
// nothing. If ok is false, end does nothing at all, and wait is how long it
// takes until an attempt may begin, even if all that are under way fail: always
// more than zero.
func (t *Table[K]) Begin(key K) (end func(failed bool), wait time.Duration, ok bool) {
	if t == nil {
		return nothing, 0, true
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, at := s.client(key)
	defer s.settle(c, at)
	if wait := t.lacking(c, at); wait > 0 {
		return nothing, wait, false
	}
	c.underWay++
	ended := false
	return func(failed bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !ended {
			ended = true
			s.end(c, failed)
		}
	}, 0, true
}

// Used returns how many tokens of key are taken and not refilled yet, those that
// attempts under way may take included. It is no use of the key, and is 0 for a
// nil Table.
func (t *Table[K]) Used(key K) int {
	if t == nil {
		return 0
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[key]
	if c == nil {
		return 0
	}
	taken := float64(t.limit) - c.bucket.TokensAt(s.time())
	return int(math.Ceil(taken)) + c.underWay
}

// Has reports whether there is a token of key, be it one that an attempt under way may
// take. It is no use of the key, and is true for a nil Table.
func (t *Table[K]) Has(key K) bool {
	if t == nil {
		return true
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[key]
	return c == nil || c.bucket.TokensAt(s.time()) >= 1
}

// Drain takes all tokens of key, so that the bucket is full again after the whole time
// per, and not before.
func (t *Table[K]) Drain(key K) {
	if t == nil {
		return
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, at := s.client(key)
	defer s.settle(c, at)
	c.bucket = rate.NewLimiter(s.table.rate, s.table.limit)
	c.bucket.ReserveN(at, s.table.limit)
}

// nothing is the end of an attempt that does not count.
func nothing(failed bool) {}

// lacking returns how long it takes until c has a token for one more attempt
// than are under way, 0 if it has. As for a [rate.Limiter], less than a
// nanosecond is nothing.
func (t *Table[K]) lacking(c *client[K], at time.Time) time.Duration {
	missing := float64(c.underWay+1) - c.bucket.TokensAt(at)
	wait := time.Duration(missing / float64(t.rate) * float64(time.Second))
	if wait <= 0 {
		return 0
	}
	return wait + 1 // rounded up, so that it suffices
}
