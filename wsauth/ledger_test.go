package wsauth_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// ledger is a denylist that has leases, as one has that many machines share.
type ledger struct {
	*relay

	mu       sync.Mutex
	before   func(call string) error // nil: nothing
	held     map[string][]lease      // by key, what was acquired first in front
	watchers map[*sync.Mutex]func(denylist.Event)
}

type lease struct {
	denylist.Lease
	until time.Time
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	return &ledger{relay: newRelay(t), held: map[string][]lease{}, watchers: map[*sync.Mutex]func(denylist.Event){}}
}

// onCall has before called at the beginning of each call, nil for nothing.
func (l *ledger) onCall(before func(call string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = before
}

// begin is the beginning of every call, and locks. What ends by itself has ended.
func (l *ledger) begin(ctx context.Context, call string) error {
	l.mu.Lock()
	before := l.before
	l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if before != nil {
		if err := before(call); err != nil {
			return err
		}
	}
	l.mu.Lock()
	for key, held := range l.held {
		l.held[key] = slices.DeleteFunc(held, func(h lease) bool { return !h.until.After(time.Now()) })
	}
	return nil
}

// hold renews a lease, or acquires it if there are fewer than limit.
func (l *ledger) hold(want denylist.Lease, limit int, ttl time.Duration) bool {
	held, until := l.held[want.Key], time.Now().Add(ttl)
	if i := slices.IndexFunc(held, func(h lease) bool { return h.Lease == want }); i >= 0 {
		held[i].until = until
		return true
	}
	if len(held) >= limit {
		return false
	}
	l.held[want.Key] = append(held, lease{want, until})
	return true
}

func (l *ledger) Acquire(ctx context.Context, a denylist.Acquisition) (bool, error) {
	if err := l.begin(ctx, "acquire"); err != nil {
		return false, err
	}
	want := a.Lease
	ok := l.hold(want, a.Limit, a.TTL)
	var displaced []lease
	if held := l.held[want.Key]; !ok && a.Displace {
		excess := len(held) - a.Limit + 1
		displaced, l.held[want.Key] = held[:excess], held[excess:]
		ok = l.hold(want, a.Limit, a.TTL)
	}
	l.mu.Unlock()
	for _, d := range displaced {
		l.tell(denylist.Event{Kind: denylist.EventDisplaced, Lease: d.Lease})
	}
	return ok, nil
}

func (l *ledger) Renew(ctx context.Context, r denylist.Renewal) (lost []denylist.Lease, err error) {
	if err := l.begin(ctx, "renew"); err != nil {
		return nil, err
	}
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.Leases), func(want denylist.Lease) bool { return l.hold(want, r.Limit, r.TTL) }), nil
}

func (l *ledger) Release(ctx context.Context, leases ...denylist.Lease) error {
	if err := l.begin(ctx, "release"); err != nil {
		return err
	}
	defer l.mu.Unlock()
	for _, gone := range leases {
		l.held[gone.Key] = slices.DeleteFunc(l.held[gone.Key], func(h lease) bool { return h.Lease == gone })
	}
	return nil
}

// tell tells every watcher.
func (l *ledger) tell(e denylist.Event) {
	l.mu.Lock()
	var all []func(denylist.Event)
	for _, fn := range l.watchers {
		all = append(all, fn)
	}
	l.mu.Unlock()
	for _, fn := range all {
		fn(e)
	}
}

func (l *ledger) Watch(ctx context.Context, fn func(denylist.Event)) error {
	var one sync.Mutex
	inTurn := func(e denylist.Event) {
		one.Lock()
		defer one.Unlock()
		fn(e)
	}
	l.mu.Lock()
	l.watchers[&one] = inTurn
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers, &one)
	}()
	return l.Store.Watch(ctx, inTurn)
}

// leases returns what is held, in no order.
func (l *ledger) leases() (all []denylist.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, held := range l.held {
		for _, h := range held {
			all = append(all, h.Lease)
		}
	}
	return all
}

// replaceAll has others hold what is held, or nobody.
func (l *ledger) replaceAll(holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, held := range l.held {
		for i := range held {
			held[i] = lease{denylist.Lease{Key: key, Holder: holder + held[i].Holder}, time.Now().Add(24 * time.Hour)}
		}
		if holder == "" {
			l.held[key] = nil
		}
	}
}
