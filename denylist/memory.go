package denylist

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/denylist/internal/clock"
	"github.com/pasetokit/pasetokit/denylist/internal/hub"
)

// Memory is a [Store] in the memory of one process. Its records are gone when
// the process ends, and no other process sees them: behind a load balancer, or
// where a logout must outlive a restart, use a shared or durable store.
//
// Revoked takes no lock and allocates nothing. Memory starts no goroutine;
// expired records are swept while new ones are made.
//
// A clock that jumps ahead and back revives no revoked token and no used one: a
// record vanishes when its time has come by the wall clock, and as much time has
// passed by the monotonic clock as well. A machine that sleeps, or whose clock is
// set ahead, so keeps records longer; after a day or two the wall clock is believed.
type Memory struct {
	now      func() time.Time // nil for the machine's clock
	clock    *clock.Clock
	tokens   set
	sessions set
	subjects set
	consumed consumed
	turn     atomic.Uint64
	watchers *hub.Hub[Event]
	closed   atomic.Bool
}

// MemoryOption adjusts a [Memory] store.
type MemoryOption func(*Memory)

// WithClock makes the store tell the time by now instead of [time.Now]. A record
// whose time has come by it does not count any more. It counts again if the clock
// goes back, as its memory is freed only when as much time has passed by the
// machine's monotonic clock as well.
func WithClock(now func() time.Time) MemoryOption {
	return func(m *Memory) {
		if now != nil {
			m.now = now
		}
	}
}

// NewMemory returns an empty store. Close ends its watches and empties it.
func NewMemory(opts ...MemoryOption) *Memory {
	m := &Memory{watchers: hub.New(Event{Kind: EventMissed}, ErrClosed)}
	for _, s := range []*set{&m.tokens, &m.sessions, &m.subjects} {
		s.seed = maphash.MakeSeed()
	}
	m.consumed.seed = maphash.MakeSeed()
	for _, opt := range opts {
		if opt != nil {
			opt(m)
		}
	}
	m.clock = clock.New(m.now)
	return m
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
	until, now := seconds(r.Until), m.clock.Read()
	m.sweep(now.Passed)
	// Told under the identifier's lock, so that its records reach the watchers
	// in the order in which they took effect.
	tell := func() { m.watchers.Tell(Event{Kind: EventRevoked, Revocation: r}) }
	switch {
	case r.TokenID != "":
		m.tokens.add(record{id: r.TokenID, until: until, cutoff: noCutoff}, now, tell)
	case r.Session != "":
		m.sessions.add(record{id: r.Session, until: until, cutoff: noCutoff}, now, tell)
	default:
		m.subjects.add(record{id: r.Subject, until: until, cutoff: r.IssuedBefore.Unix(), except: r.Except}, now, tell)
	}
	if m.closed.Load() { // meanwhile, and the record may be gone
		return ErrClosed
	}
	return nil
}

// Revoked implements [Store].
func (m *Memory) Revoked(ctx context.Context, t Token) (bool, error) {
	if err := m.ready(ctx); err != nil {
		return false, err
	}
	revoked := t.ID != "" && m.tokens.covers(t.ID, Token{}, m.clock) ||
		t.Session != "" && m.sessions.covers(t.Session, Token{}, m.clock) ||
		t.Subject != "" && m.subjects.covers(t.Subject, t, m.clock)
	if m.closed.Load() { // meanwhile, and what was looked into may be empty
		return false, ErrClosed
	}
	return revoked, nil
}

// Consume implements [Store].
func (m *Memory) Consume(ctx context.Context, key, value string, until time.Time) (winner string, first bool, err error) {
	return m.advance(ctx, ValidateConsumption(key, value), key, "", value, until)
}

// Advance implements [Store].
func (m *Memory) Advance(ctx context.Context, key, from, to string, until time.Time) (current string, advanced bool, err error) {
	return m.advance(ctx, ValidateAdvance(key, from, to), key, from, to, until)
}

func (m *Memory) advance(ctx context.Context, invalid error, key, from, to string, until time.Time) (current string, advanced bool, err error) {
	if err := m.ready(ctx); err != nil {
		return "", false, err
	}
	if invalid != nil {
		return "", false, invalid
	}
	now := m.clock.Read()
	m.sweep(now.Passed)
	current, advanced = m.consumed.advance(key, from, to, seconds(until), now)
	if m.closed.Load() { // as in Revoked
		return "", false, ErrClosed
	}
	return current, advanced, nil
}

// sweep drops what has expired from some of the shards: with every record made,
// from the next ones.
func (m *Memory) sweep(passed int64) {
	n := int(m.turn.Add(1) % setShards)
	for _, s := range []*set{&m.tokens, &m.sessions, &m.subjects} {
		s.sweep(n, passed)
	}
	m.consumed.sweep(n, passed)
}

// Watch implements [Store].
func (m *Memory) Watch(ctx context.Context, fn func(Event)) error {
	if err := m.ready(ctx); err != nil {
		return err
	}
	return m.watchers.Watch(ctx, fn)
}

// Close implements [Store].
func (m *Memory) Close() error {
	if m.closed.Swap(true) {
		return nil
	}
	m.watchers.Close()
	m.tokens.clear()
	m.sessions.clear()
	m.subjects.clear()
	m.consumed.clear()
	return nil
}

// Len returns the number of records held, expired ones that are not yet swept
// included.
func (m *Memory) Len() int {
	return m.tokens.len() + m.sessions.len() + m.subjects.len() + m.consumed.len()
}
