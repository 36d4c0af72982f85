package throttle_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/throttle"
)

// TestConcurrentFailures: of 1,000 attempts at once no more begin than may fail,
// and what they leave is refused.
func TestConcurrentFailures(t *testing.T) {
	t.Parallel()
	const limit, attempts = 10, 1000
	for _, test := range []struct {
		name   string
		failed func(n int64) bool // whether the nth attempt that began does
		want   int64              // that fail
	}{
		{"all fail", func(int64) bool { return true }, limit},
		{"none fails", func(int64) bool { return false }, 0},
		{"half fail", func(n int64) bool { return n%2 == 0 }, limit / 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			table := newTable(limit, newClock().Now)
			var begun, failures atomic.Int64
			var asked, ended sync.WaitGroup
			asked.Add(attempts)
			for range attempts {
				ended.Go(func() {
					end, wait, ok := table.Begin(key(1))
					asked.Done()
					asked.Wait() // so that those that began are under way at once
					if !ok {
						if wait <= 0 {
							t.Errorf("refused, and to wait for %v", wait)
						}
						return
					}
					failed := test.failed(begun.Add(1))
					if failed {
						failures.Add(1)
					}
					var both sync.WaitGroup
					both.Go(func() { end(failed) })
					both.Go(func() { end(failed) })
					both.Wait()
				})
			}
			ended.Wait()
			if begun.Load() != limit || failures.Load() != test.want {
				t.Errorf("%d attempts began and %d failed, want %d and %d", begun.Load(), failures.Load(), limit, test.want)
			}
			mustAllow(t, table, key(1), limit-int(test.want))
		})
	}
}

// TestConcurrentUse: attempts of many keys come and go while time passes, and no
// key fails more often than its bucket allows.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	const limit, keys, workers, rounds = 10, 50, 8, 2000
	c := newClock()
	start := c.Now()
	table := throttle.NewSized[netip.Prefix](limit, c.Now, 4, keys) // room for all, or they would begin anew
	var failures [keys]atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range rounds {
				k := (n*(w+1) + w) % keys
				end, _, ok := table.Begin(key(k))
				if ok && n%3 > 0 {
					failures[k].Add(1)
				}
				end(n%3 > 0)
				if n%100 == 0 {
					c.Advance(time.Second / 4)
				}
			}
		})
	}
	wg.Wait()
	most := limit + int64(limit*c.Now().Sub(start)/time.Minute)
	for k := range keys {
		if got := failures[k].Load(); got < limit || got > most {
			t.Errorf("%v failed %d times, want %d to %d", key(k), got, limit, most)
		}
	}
}

// TestConcurrentFlood: attempts under way are remembered while others come in
// numbers for which there is no room.
func TestConcurrentFlood(t *testing.T) {
	t.Parallel()
	const keys, flood, workers = 100, 2000, 4
	table := throttle.NewSized[netip.Prefix](1, newClock().Now, 4, 8)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := range flood {
				table.Allow(key(keys + w*flood + n))
			}
		})
	}
	for k := range keys {
		wg.Go(func() {
			end := begin(t, table, key(k))
			for range flood / keys {
				mustRefuse(t, table, key(k))
			}
			end(true)
		})
	}
	wg.Wait()
	if got := table.Len(); got != 4*8 {
		t.Errorf("%d keys are remembered, and there is room for %d", got, 4*8)
	}
}
