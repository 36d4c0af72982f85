package live_test

import (
	"context"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// onCall has before called at the beginning of each call for leases, nil for nothing.
func (s *store) onCall(before func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

// onAnswer has Acquire answer with an error when it is done, nil for none.
func (s *store) onAnswer(answer func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// onRelease has before called before leases are given back.
func (s *store) onRelease(before func(ctx context.Context)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freeing = before
}

// begin is the beginning of every call for leases, and locks. What ends by itself has ended.
func (s *store) begin(ctx context.Context, call string) error {
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
func (s *store) hold(want denylist.Lease, limit int, ttl time.Duration) bool {
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

func (s *store) Acquire(ctx context.Context, a denylist.Acquisition) (bool, error) {
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
		s.tell(denylist.Event{Kind: denylist.EventDisplaced, Lease: d.Lease})
	}
	if answer != nil {
		return false, answer()
	}
	return ok, nil
}

func (s *store) Renew(ctx context.Context, r denylist.Renewal) (lost []denylist.Lease, err error) {
	if err := s.begin(ctx, "renew"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.Leases), func(want denylist.Lease) bool { return s.hold(want, r.Limit, r.TTL) }), nil
}

// Release implements [denylist.Leases].
func (s *store) Release(ctx context.Context, leases ...denylist.Lease) error {
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

// leases returns what is held, in no order.
func (s *store) leases() (all []denylist.Lease) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, held := range s.held {
		for _, h := range held {
			all = append(all, h.Lease)
		}
	}
	return all
}

// replaceAll has others hold what is held, or nobody.
func (s *store) replaceAll(holder string) {
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
