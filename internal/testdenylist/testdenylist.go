// Package testdenylist has a denylist of which a test decides what it is asked and what it
// tells.
package testdenylist

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// Store is a denylist with leases of which a test decides what it is asked and what it tells.
type Store struct {
	denylist.Store

	mu       sync.Mutex
	look     func(ctx context.Context, token denylist.Token) (bool, error) // nil: the Store's
	watch    func(ctx context.Context, fn func(denylist.Event)) error      // nil: the Store's
	tells    func(denylist.Event) bool                                     // nil: everything
	before   func(call string) error                                       // each call for leases; nil: nothing
	answer   func() error                                                  // in place of one to Acquire
	freeing  func(ctx context.Context)                                     // each Release
	held     map[string][]lease                                            // by key, what was acquired first in front
	watchers map[*sync.Mutex]func(denylist.Event)
}

type lease struct {
	denylist.Lease
	until time.Time
}

// New returns a Store over one in memory, which ends with the test.
func New(t testing.TB, opts ...denylist.MemoryOption) *Store {
	t.Helper()
	memory := denylist.NewMemory(opts...)
	t.Cleanup(func() { _ = memory.Close() })
	return &Store{Store: memory, held: map[string][]lease{}, watchers: map[*sync.Mutex]func(denylist.Event){}}
}

// OnLook has look answer from now on, nil for the store itself.
func (s *Store) OnLook(look func(ctx context.Context, token denylist.Token) (bool, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look = look
}

// Revoked implements [denylist.Store].
func (s *Store) Revoked(ctx context.Context, token denylist.Token) (bool, error) {
	s.mu.Lock()
	look := s.look
	s.mu.Unlock()
	if look == nil {
		look = s.Store.Revoked
	}
	return look(ctx, token)
}

// OnWatch has the next watches be that, nil for the store's own.
func (s *Store) OnWatch(watch func(ctx context.Context, fn func(denylist.Event)) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = watch
}

// OnTell has watches tell only what chosen returns true for, nil for everything.
func (s *Store) OnTell(chosen func(denylist.Event) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tells = chosen
}

// Watch implements [denylist.Store].
func (s *Store) Watch(ctx context.Context, fn func(denylist.Event)) error {
	var one sync.Mutex
	inTurn := func(e denylist.Event) {
		s.mu.Lock()
		tells := s.tells
		s.mu.Unlock()
		if tells != nil && !tells(e) {
			return
		}
		one.Lock()
		defer one.Unlock()
		fn(e)
	}
	s.mu.Lock()
	watch := s.watch
	s.watchers[&one] = inTurn
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, &one)
	}()
	if watch == nil {
		watch = s.Store.Watch
	}
	return watch(ctx, inTurn)
}

// Tell tells every watcher.
func (s *Store) Tell(e denylist.Event) {
	s.mu.Lock()
	var all []func(denylist.Event)
	for _, fn := range s.watchers {
		all = append(all, fn)
	}
	s.mu.Unlock()
	for _, fn := range all {
		fn(e)
	}
}

// OnCall has before called at the beginning of each call for leases, nil for nothing.
func (s *Store) OnCall(before func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

// OnAnswer has Acquire answer with an error when it is done, nil for none.
func (s *Store) OnAnswer(answer func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// OnRelease has before called before leases are given back.
func (s *Store) OnRelease(before func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freeing = before
}

// begin is the beginning of every call for leases, and locks. What ends by itself has ended.
func (s *Store) begin(ctx context.Context, call string) error {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(call); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	for key, held := range s.held {
		s.held[key] = slices.DeleteFunc(held, func(h lease) bool { return !h.until.After(time.Now()) })
	}
	return nil
}

// hold renews a lease, or acquires it if there are fewer than limit.
func (s *Store) hold(want denylist.Lease, limit int, ttl time.Duration) bool {
	held, until := s.held[want.Key], time.Now().Add(ttl)
	if i := slices.IndexFunc(held, func(h lease) bool { return h.Lease == want }); i >= 0 {
		held[i].until = until
		return true
	}
	if len(held) >= limit {
		return false
	}
	s.held[want.Key] = append(held, lease{want, until})
	return true
}

// Acquire implements [denylist.Leases].
func (s *Store) Acquire(ctx context.Context, a denylist.Acquisition) (bool, error) {
	if err := a.Validate(); err != nil {
		return false, err
	}
	if err := s.begin(ctx, "acquire"); err != nil {
		return false, err
	}
	want := a.Lease
	ok := s.hold(want, a.Limit, a.TTL)
	var displaced []lease
	if held := s.held[want.Key]; !ok && a.Displace {
		excess := len(held) - a.Limit + 1
		displaced, s.held[want.Key] = held[:excess], held[excess:]
		ok = s.hold(want, a.Limit, a.TTL)
	}
	answer := s.answer
	s.mu.Unlock()
	for _, d := range displaced {
		s.Tell(denylist.Event{Kind: denylist.EventDisplaced, Lease: d.Lease})
	}
	if answer != nil {
		return false, answer()
	}
	return ok, nil
}

// Renew implements [denylist.Leases].
func (s *Store) Renew(ctx context.Context, r denylist.Renewal) (lost []denylist.Lease, err error) {
	if err := s.begin(ctx, "renew"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.Leases), func(want denylist.Lease) bool { return s.hold(want, r.Limit, r.TTL) }), nil
}

// Release implements [denylist.Leases].
func (s *Store) Release(ctx context.Context, leases ...denylist.Lease) error {
	s.mu.Lock()
	before := s.freeing
	s.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	if err := s.begin(ctx, "release"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, gone := range leases {
		s.held[gone.Key] = slices.DeleteFunc(s.held[gone.Key], func(h lease) bool { return h.Lease == gone })
	}
	return nil
}

// Leases returns what is held, in no order.
func (s *Store) Leases() (all []denylist.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, held := range s.held {
		for _, h := range held {
			all = append(all, h.Lease)
		}
	}
	return all
}

// ReplaceAll has others hold what is held, or nobody.
func (s *Store) ReplaceAll(holder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, held := range s.held {
		for i := range held {
			held[i] = lease{denylist.Lease{Key: key, Holder: holder + held[i].Holder}, time.Now().Add(24 * time.Hour)}
		}
		if holder == "" {
			s.held[key] = nil
		}
	}
}
