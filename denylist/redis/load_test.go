package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// load calls a store from many goroutines and remembers what it was promised.
type load struct {
	t       *testing.T
	store   denylist.Store
	peer    denylist.Store
	stop    chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	revoked []string
	winners map[string]string // of the consumed keys
	firsts  map[string]bool   // the consumed keys of which a caller was first
	errors  int
	last    error
}

// startLoad starts goroutines that call the store. The peer is asked for every token before it is revoked, so that it
// may have cached that it was not. Every key is consumed by two callers.
func startLoad(t *testing.T, store, peer denylist.Store) *load {
	t.Helper()
	l := &load{
		t: t, store: store, peer: peer, stop: make(chan struct{}),
		winners: make(map[string]string), firsts: make(map[string]bool),
	}
	for g := range 16 {
		l.running.Go(func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; i++ {
				l.revoke(fmt.Sprintf("%d/%d", g, i))
				l.consume(fmt.Sprintf("%d/%d", g/2, i), fmt.Sprintf("%d/%d", g, i))
				select {
				case <-l.stop:
					return
				case <-tick.C:
				}
			}
		})
	}
	t.Cleanup(l.end)
	return l
}

// end ends the load.
func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.running.Wait()
}

func (l *load) revoke(id string) {
	_ = l.call("Revoked", func(ctx context.Context) error {
		_, err := l.peer.Revoked(ctx, denylist.Token{ID: id})
		return err
	})
	err := l.call("Revoke", func(ctx context.Context) error {
		return l.store.Revoke(ctx, denylist.Revocation{TokenID: id, Until: time.Now().Add(time.Hour)})
	})
	if err != nil {
		return
	}
	_ = l.call("Revoked", func(ctx context.Context) error {
		revoked, err := l.store.Revoked(ctx, denylist.Token{ID: id})
		if err == nil && !revoked {
			l.t.Errorf("token %s is not revoked right after Revoke", id)
		}
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revoked = append(l.revoked, id)
}

func (l *load) consume(key, value string) {
	var winner string
	var first bool
	err := l.call("Consume", func(ctx context.Context) (err error) {
		winner, first, err = l.store.Consume(ctx, key, value, time.Now().Add(time.Hour))
		return err
	})
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if first != (winner == value) {
		l.t.Errorf("Consume(%s, %s) = %s, %t", key, value, winner, first)
	}
	if first && l.firsts[key] {
		l.t.Errorf("two callers were first with the key %s", key)
	}
	if known, ok := l.winners[key]; ok && known != winner {
		l.t.Errorf("the key %s was won by %s and by %s", key, known, winner)
	}
	l.winners[key] = winner
	l.firsts[key] = l.firsts[key] || first
}

// call makes a call that ends well, or with an error that says that the store is away.
func (l *load) call(name string, fn func(context.Context) error) error {
	ctx := context.WithoutCancel(l.t.Context())
	err := fn(ctx)
	if err == nil {
		return nil
	}
	if !errors.Is(err, denylist.ErrUnavailable) {
		l.t.Errorf("%s: %v, want an error that wraps ErrUnavailable", name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errors, l.last = l.errors+1, err
	return err
}

// made returns how many records were promised.
func (l *load) made() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.revoked) + len(l.winners)
}

// failed returns how many calls failed.
func (l *load) failed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors
}

// verifyRevoked checks, after the end, that stores keep the promised revocations.
func (l *load) verifyRevoked(stores ...denylist.Store) {
	l.t.Helper()
	l.t.Logf("%d revocations to verify; %d calls had failed, the last with: %v", len(l.revoked), l.errors, l.last)
	for i, store := range stores {
		for _, id := range l.revoked {
			what := fmt.Sprintf("token %s is revoked, says store %d", id, i)
			testtool.Eventually(l.t, what, func() bool {
				revoked, err := store.Revoked(l.t.Context(), denylist.Token{ID: id})
				if err == nil && !revoked && store != l.peer { // for that one the news may take a moment
					l.t.Fatalf("not so: %s", what)
				}
				return revoked
			})
		}
	}
}

// verifyConsumed checks, after the end, that stores keep the promised keys.
func (l *load) verifyConsumed(stores ...denylist.Store) {
	l.t.Helper()
	l.t.Logf("%d consumed keys to verify", len(l.winners))
	for i, store := range stores {
		for key, want := range l.winners {
			testtool.Eventually(l.t, "an answer comes", func() bool {
				winner, first, err := store.Consume(l.t.Context(), key, "late", time.Now().Add(time.Hour))
				if err == nil && (first || winner != want) {
					l.t.Errorf("store %d: Consume(%s) = %s, %t; it was won by %s", i, key, winner, first, want)
				}
				return err == nil
			})
		}
	}
}
