package denylist

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/pasetokit/pasetokit/denylist/internal/clock"
)

// consumed keeps the keys that are used up, and values that advance. Every question
// to it may be a change, so that it takes locks.
type consumed struct {
	seed   maphash.Seed
	shards [consumedShards]consumedShard
}

const (
	consumedShards = 64
	// sweepAtLeast is the number of keys below which a shard is not worth
	// sweeping for its size.
	sweepAtLeast = 64
)

type consumedShard struct {
	mu        sync.Mutex
	keys      map[string]consumption
	sweepSize int
	sweepAt   int64
}

// consumption is how a key was used up; until is in Unix seconds.
type consumption struct {
	until int64
	value string
}

// advance sets the value of key to to if it is from, which is empty for a key
// without a record. It returns the value that key then has.
func (c *consumed) advance(key, from, to string, until int64, now clock.Reading) (current string, advanced bool) {
	s := &c.shards[maphash.String(c.seed, key)%consumedShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	old, live := s.keys[key]
	live = live && old.until > now.Now
	if !live {
		old = consumption{}
	}
	// Empty stands for no record, and not for a key that is consumed with an empty
	// value.
	if old.value != from || live != (from != "") {
		return old.value, false
	}
	if !live && len(s.keys) >= max(s.sweepSize, sweepAtLeast) {
		s.sweep(now.Passed)
	}
	if s.keys == nil {
		s.keys = make(map[string]consumption)
	}
	s.keys[strings.Clone(key)] = consumption{until: until, value: strings.Clone(to)}
	return to, true
}

// sweep drops expired keys from the nth shard, if that was not done for a while.
func (c *consumed) sweep(n int, passed int64) {
	s := &c.shards[n%consumedShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) > 0 && passed >= s.sweepAt {
		s.sweep(passed)
	}
}

// sweep drops expired keys. It is due when the shard has doubled since the last
// time: a constant cost for each new key.
func (s *consumedShard) sweep(passed int64) {
	live := 0
	for _, c := range s.keys {
		if c.until > passed {
			live++
		}
	}
	if live < len(s.keys) { // into a new map, for a map never shrinks
		kept := make(map[string]consumption, live)
		for key, c := range s.keys {
			if c.until > passed {
				kept[key] = c
			}
		}
		s.keys = kept
	}
	s.sweepSize = 2 * live
	s.sweepAt = passed + sweepInterval
}

func (c *consumed) len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += len(s.keys)
		s.mu.Unlock()
	}
	return n
}

func (c *consumed) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.keys = nil
		s.mu.Unlock()
	}
}
