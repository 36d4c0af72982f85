package denylisttest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// callers is how many goroutines meet in the tests of concurrency.
const callers = 1000

func testConsumeConcurrently(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	winners := make([]string, callers)
	var firsts atomic.Int32
	together(callers, func(i int) {
		winner, first, err := s.Consume(t.Context(), "k", fmt.Sprint(i), until)
		if err != nil {
			t.Errorf("Consume: %v", err)
		}
		if first {
			firsts.Add(1)
		}
		winners[i] = winner
	})
	if n := firsts.Load(); n != 1 {
		t.Errorf("%d of %d callers were first, want 1", n, callers)
	}
	for i, winner := range winners {
		if winner != winners[0] {
			t.Fatalf("callers 0 and %d were told different winners: %q and %q", i, winners[0], winner)
		}
	}
}

func testRevokeConcurrently(t *testing.T, h Harness, s denylist.Store) {
	until := h.Now().Add(time.Hour)
	together(callers, func(i int) {
		id := fmt.Sprint(i)
		if err := s.Revoke(t.Context(), denylist.Revocation{TokenID: id, Until: until}); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if ok, err := s.Revoked(t.Context(), denylist.Token{ID: id}); !ok || err != nil {
			t.Errorf("Revoked right after Revoke = %t, %v", ok, err)
		}
	})
	for i := range callers {
		wantRevoked(t, s, denylist.Token{ID: fmt.Sprint(i)}, true)
	}
}

// testClosing closes the store while it is in use: whoever asks is told the
// truth or that the store is closed, never that nothing was revoked.
func testClosing(t *testing.T, h Harness, s denylist.Store) {
	ctx := context.WithoutCancel(t.Context())
	revoke(t, s, denylist.Revocation{TokenID: "a"})
	consume(t, s, "k", "v", time.Time{}, "v", true)
	asked := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for range cap(asked) {
		wg.Go(func() {
			for n := 0; ; n++ {
				if ok, err := s.Revoked(ctx, denylist.Token{ID: "a"}); err == nil && !ok {
					t.Error("a revoked token counts as valid")
				}
				_, first, err := s.Consume(ctx, "k", "w", time.Time{})
				if err == nil && first {
					t.Error("a consumed key is free")
				}
				if n == 0 {
					asked <- struct{}{}
				}
				if err != nil {
					return
				}
			}
		})
	}
	for range cap(asked) {
		<-asked
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
}

// together runs n calls of fn as close to one moment as goroutines can.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}
