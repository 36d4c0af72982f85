package denylist

import (
	"hash/maphash"
	"strings"
	"sync"
)

// consumed keeps the keys that are used up. Every question to it may be a
// change, so that it does with locks.
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

// take marks key as used up, or returns with what value it was before.
func (c *consumed) take(key, value string, until, now int64) (winner string, first bool) {
	s := &c.shards[maphash.String(c.seed, key)%consumedShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, found := s.keys[key]; found && old.until > now {
		return old.value, false
	}
	if len(s.keys) >= max(s.sweepSize, sweepAtLeast) {
		s.sweep(now)
	}
	if s.keys == nil {
		s.keys = make(map[string]consumption)
	}
	s.keys[strings.Clone(key)] = consumption{until: until, value: strings.Clone(value)}
	return value, true
}

// sweep drops expired keys from the nth shard, if that was not done for a while.
func (c *consumed) sweep(n int, now int64) {
	s := &c.shards[n%consumedShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) > 0 && now >= s.sweepAt {
		s.sweep(now)
	}
}

// sweep drops expired keys. It is due when the shard has doubled since the last
// time: a constant cost for each new key.
func (s *consumedShard) sweep(now int64) {
	live := 0
	for _, c := range s.keys {
		if c.until > now {
			live++
		}
	}
	if live < len(s.keys) { // into a new map, for a map never shrinks
		kept := make(map[string]consumption, live)
		for key, c := range s.keys {
			if c.until > now {
				kept[key] = c
			}
		}
		s.keys = kept
	}
	s.sweepSize = 2 * live
	s.sweepAt = now + sweepInterval
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
