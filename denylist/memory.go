package denylist

import (
	"context"
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Memory is a [Store] in the memory of one process. Its records are gone when
// the process ends, and no other process sees them: behind a load balancer, or
// where a logout must outlive a restart, use a shared or durable store.
//
// Revoked takes one read lock per identifier and allocates nothing. Memory
// starts no goroutine; expired records are swept while new ones are made.
type Memory struct {
	now      func() time.Time
	seed     maphash.Seed
	shards   [memoryShards]memoryShard
	watchers watchers
	closed   atomic.Bool
}

const (
	memoryShards = 64
	// sweepAtLeast is the number of records below which a shard is not worth
	// sweeping for its size, and sweepInterval how long it may otherwise keep
	// expired ones, in seconds.
	sweepAtLeast  = 64
	sweepInterval = 60
)

// forever is the expiry of a record that is kept for good.
const forever = math.MaxInt64

// memoryShard holds the records whose identifier hashes to it. Expiry times and
// cut-offs are Unix seconds. Tokens and sessions, by far the most numerous, are
// kept as bare expiry times.
type memoryShard struct {
	mu        sync.RWMutex
	tokens    map[string]int64
	sessions  map[string]int64
	subjects  map[string]cutoff
	consumed  map[string]consumption
	sweepSize int
	sweepTime int64
}

type cutoff struct{ until, issuedBefore int64 }

type consumption struct {
	until int64
	value string
}

// MemoryOption adjusts a [Memory] store.
type MemoryOption func(*Memory)

// WithClock makes the store tell the time by now instead of [time.Now].
func WithClock(now func() time.Time) MemoryOption {
	return func(m *Memory) {
		if now != nil {
			m.now = now
		}
	}
}

// NewMemory returns an empty store. Close ends its watches and empties it.
func NewMemory(opts ...MemoryOption) *Memory {
	m := &Memory{now: time.Now, seed: maphash.MakeSeed()}
	for _, opt := range opts {
		if opt != nil {
			opt(m)
		}
	}
	return m
}

func (m *Memory) shard(id string) *memoryShard {
	return &m.shards[maphash.String(m.seed, id)%memoryShards]
}

// ready reports why the store cannot serve a call.
func (m *Memory) ready(ctx context.Context) error {
	if m.closed.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

// seconds rounds t up to a whole second, so that nothing is forgotten early.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	s := t.Unix()
	if t.Nanosecond() > 0 {
		s++
	}
	return s
}

// Revoke implements [Store].
func (m *Memory) Revoke(ctx context.Context, r Revocation) error {
	if err := m.ready(ctx); err != nil {
		return err
	}
	if err := r.Validate(); err != nil {
		return err
	}
	until := seconds(r.Until)
	s := m.shard(r.TokenID + r.Session + r.Subject) // two of them are empty
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.closed.Load() { // since it was ready; the shards are emptied after
		return ErrClosed
	}
	now := m.now().Unix()
	s.sweep(now)
	switch {
	case r.TokenID != "":
		revokeID(&s.tokens, r.TokenID, until)
	case r.Session != "":
		revokeID(&s.sessions, r.Session, until)
	default:
		old := s.subjects[r.Subject]
		if old.until <= now { // and not yet swept
			old = cutoff{issuedBefore: math.MinInt64}
		}
		put(&s.subjects, r.Subject, cutoff{
			until:        max(until, old.until),
			issuedBefore: max(r.IssuedBefore.Unix(), old.issuedBefore),
		})
	}
	// Told inside the lock, so that the records of one identifier reach the
	// watchers in the order in which they took effect.
	m.watchers.tell(r)
	return nil
}

func revokeID(ids *map[string]int64, id string, until int64) {
	put(ids, id, max(until, (*ids)[id]))
}

func put[V any](m *map[string]V, id string, v V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	(*m)[id] = v
}

// Revoked implements [Store].
func (m *Memory) Revoked(ctx context.Context, t Token) (bool, error) {
	if err := m.ready(ctx); err != nil {
		return false, err
	}
	revoked := m.covers(t, m.now().Unix())
	if m.closed.Load() { // meanwhile, and what was looked into may be empty
		return false, ErrClosed
	}
	return revoked, nil
}

// covers reports whether a record that is alive at now covers t.
func (m *Memory) covers(t Token, now int64) bool {
	if t.ID != "" {
		s := m.shard(t.ID)
		s.mu.RLock()
		until := s.tokens[t.ID]
		s.mu.RUnlock()
		if until > now {
			return true
		}
	}
	if t.Session != "" {
		s := m.shard(t.Session)
		s.mu.RLock()
		until := s.sessions[t.Session]
		s.mu.RUnlock()
		if until > now {
			return true
		}
	}
	if t.Subject == "" {
		return false
	}
	s := m.shard(t.Subject)
	s.mu.RLock()
	c := s.subjects[t.Subject]
	s.mu.RUnlock()
	return c.until > now && t.IssuedAt.Unix() <= c.issuedBefore
}

// Consume implements [Store].
func (m *Memory) Consume(ctx context.Context, key, value string, until time.Time) (winner string, first bool, err error) {
	if err := m.ready(ctx); err != nil {
		return "", false, err
	}
	if key == "" {
		return "", false, invalid("a consumed key must not be empty")
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.closed.Load() { // as in Revoke
		return "", false, ErrClosed
	}
	now := m.now().Unix()
	if c, found := s.consumed[key]; found && c.until > now {
		return c.value, false, nil
	}
	s.sweep(now)
	put(&s.consumed, key, consumption{until: seconds(until), value: value})
	return value, true, nil
}

// Watch implements [Store].
func (m *Memory) Watch(ctx context.Context, fn func(Event)) error {
	if err := m.ready(ctx); err != nil {
		return err
	}
	return m.watchers.watch(ctx, fn)
}

// Close implements [Store].
func (m *Memory) Close() error {
	if m.closed.Swap(true) {
		return nil
	}
	m.watchers.close()
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		s.tokens, s.sessions, s.subjects, s.consumed = nil, nil, nil, nil
		s.mu.Unlock()
	}
	return nil
}

// Len returns the number of records held, expired ones that are not yet swept
// included.
func (m *Memory) Len() int {
	n := 0
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		n += s.len()
		s.mu.RUnlock()
	}
	return n
}

func (s *memoryShard) len() int {
	return len(s.tokens) + len(s.sessions) + len(s.subjects) + len(s.consumed)
}

// sweep drops expired records when the shard has doubled since the last sweep,
// or enough time has passed: a constant cost for each new record, and no
// goroutine.
func (s *memoryShard) sweep(now int64) {
	if s.len() < max(s.sweepSize, sweepAtLeast) && now < s.sweepTime {
		return
	}
	s.tokens = survivors(s.tokens, func(until int64) bool { return until > now })
	s.sessions = survivors(s.sessions, func(until int64) bool { return until > now })
	s.subjects = survivors(s.subjects, func(c cutoff) bool { return c.until > now })
	s.consumed = survivors(s.consumed, func(c consumption) bool { return c.until > now })
	s.sweepSize = 2 * s.len()
	s.sweepTime = now + sweepInterval
}

// survivors returns m without its expired records: m itself where none has
// expired, else a new map, for a Go map never shrinks.
func survivors[V any](m map[string]V, alive func(V) bool) map[string]V {
	n := 0
	for _, v := range m {
		if alive(v) {
			n++
		}
	}
	if n == len(m) {
		return m
	}
	kept := make(map[string]V, n)
	for id, v := range m {
		if alive(v) {
			kept[id] = v
		}
	}
	return kept
}
