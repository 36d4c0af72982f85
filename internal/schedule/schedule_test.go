package schedule_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// item is a thing that is rung.
type item struct {
	name  string
	alarm schedule.Alarm
	set   time.Time // for the model: when it is to be rung, zero for never
}

func (i *item) ring() *schedule.Alarm { return &i.alarm }

// bell is a schedule that runs in the time of a synctest bubble, and what it rang.
type bell struct {
	*schedule.Schedule[*item]
	t     *testing.T
	start time.Time

	mu   sync.Mutex  // of what follows, and of the items' set
	rung []string    // "name at time since start", in order
	then func(*item) // done at every ring
}

// inBubble runs a test with a schedule whose time passes as the test sleeps.
func inBubble(t *testing.T, test func(b *bell)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bell{Schedule: schedule.New(time.Now, (*item).ring), t: t, start: time.Now(), then: func(*item) {}}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Run(ctx, func(i *item) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.rung = append(b.rung, i.name+" at "+time.Since(b.start).String())
				b.then(i)
			})
		}()
		test(b)
		stop()
		<-done
	})
}

// in sets an item for a time from the start.
func (b *bell) in(i *item, d time.Duration) { b.Set(i, b.start.Add(d)) }

// check lets time pass and checks what was rung since the start.
func (b *bell) check(pass time.Duration, want ...string) {
	b.t.Helper()
	time.Sleep(pass)
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.rung, want) {
		b.t.Errorf("at %s rung are\n%q, want\n%q", time.Since(b.start), b.rung, want)
	}
}

func newItem(name string) *item { return &item{name: name} }

// TestOrder rings each item at its time, whatever the order in which they are set.
func TestOrder(t *testing.T) {
	inBubble(t, func(b *bell) {
		for _, at := range []int{5, 1, 4, 9, 2, 8, 3, 7, 6} {
			b.in(newItem(fmt.Sprint(at)), time.Duration(at)*time.Minute)
		}
		b.check(3*time.Minute, "1 at 1m0s", "2 at 2m0s", "3 at 3m0s")
		b.check(time.Minute-1, "1 at 1m0s", "2 at 2m0s", "3 at 3m0s")
		b.check(1, "1 at 1m0s", "2 at 2m0s", "3 at 3m0s", "4 at 4m0s")
		b.check(24*time.Hour, "1 at 1m0s", "2 at 2m0s", "3 at 3m0s", "4 at 4m0s", "5 at 5m0s", "6 at 6m0s", "7 at 7m0s", "8 at 8m0s", "9 at 9m0s")
	})
}

// TestSetAgain moves an item, and rings it once.
func TestSetAgain(t *testing.T) {
	for _, test := range []struct {
		name string
		at   []time.Duration // when the item is set for, one after the other
		want []string
	}{
		{"later", []time.Duration{time.Minute, 3 * time.Minute}, []string{"other at 2m0s", "item at 3m0s"}},
		{"earlier", []time.Duration{3 * time.Minute, time.Minute}, []string{"item at 1m0s", "other at 2m0s"}},
		{"to the same time", []time.Duration{time.Minute, time.Minute}, []string{"item at 1m0s", "other at 2m0s"}},
		{"there and back", []time.Duration{time.Minute, 3 * time.Minute, time.Minute}, []string{"item at 1m0s", "other at 2m0s"}},
		{"into the past", []time.Duration{3 * time.Minute, -time.Minute}, []string{"item at 0s", "other at 2m0s"}},
		{"to now", []time.Duration{3 * time.Minute, 0}, []string{"item at 0s", "other at 2m0s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(b *bell) {
				moved := newItem("item")
				b.in(newItem("other"), 2*time.Minute)
				for _, at := range test.at {
					b.in(moved, at)
				}
				b.check(time.Hour, test.want...)
			})
		})
	}
}

// TestSetWhileAsleep wakes a schedule that has nothing to do for long.
func TestSetWhileAsleep(t *testing.T) {
	inBubble(t, func(b *bell) {
		b.check(10 * time.Hour)
		b.in(newItem("far"), 30*time.Hour)
		b.check(time.Hour) // 11 h
		b.in(newItem("near"), 11*time.Hour+time.Second)
		b.check(time.Second, "near at 11h0m1s")
		b.check(19*time.Hour, "near at 11h0m1s", "far at 30h0m0s")
	})
}

// TestRemove rings what is left, in order, wherever in the queue the removed item
// was.
func TestRemove(t *testing.T) {
	for removed := range 7 {
		t.Run(fmt.Sprint(removed), func(t *testing.T) {
			inBubble(t, func(b *bell) {
				var items []*item
				var want []string
				for n := range 7 {
					at := time.Duration(n+1) * time.Second
					items = append(items, newItem(fmt.Sprint(n)))
					b.in(items[n], at)
					if n != removed {
						want = append(want, fmt.Sprintf("%d at %s", n, at))
					}
				}
				b.Remove(items[removed])
				b.Remove(items[removed]) // which is not set any more
				b.check(time.Hour, want...)
			})
		})
	}
}

// TestRemoveOfWhatIsNotSet changes nothing, neither before the item was set nor
// after it was rung; and the item can be set again.
func TestRemoveOfWhatIsNotSet(t *testing.T) {
	inBubble(t, func(b *bell) {
		again := newItem("again")
		b.Remove(again)
		b.in(newItem("other"), 2*time.Second)
		b.in(again, time.Second)
		b.check(time.Second, "again at 1s")
		b.Remove(again)
		b.check(time.Second, "again at 1s", "other at 2s")
		b.in(again, 3*time.Second)
		b.Remove(again)
		b.in(again, 4*time.Second)
		b.check(time.Hour, "again at 1s", "other at 2s", "again at 4s")
	})
}

// TestRingSets lets a ring set items, its own and others, and remove some.
func TestRingSets(t *testing.T) {
	inBubble(t, func(b *bell) {
		tick, echo, never := newItem("tick"), newItem("echo"), newItem("never")
		b.then = func(i *item) { // before anything is set, and so before any ring
			if i != tick {
				return
			}
			b.Set(tick, time.Now().Add(time.Minute))
			b.Set(echo, time.Now()) // rung before Run sleeps again
			b.Remove(never)
		}
		b.in(tick, time.Minute)
		b.in(never, time.Minute+1)
		b.check(3*time.Minute, "tick at 1m0s", "echo at 1m0s", "tick at 2m0s", "echo at 2m0s", "tick at 3m0s", "echo at 3m0s")
		b.Remove(tick)
		b.mu.Lock()
		b.rung = nil
		b.mu.Unlock()
		b.check(time.Hour)
	})
}

// TestRunEnds with its context, and rings nothing afterwards. Another Run goes on
// where it ended.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := schedule.New(time.Now, (*item).ring)
		rung := make(chan string, 10)
		run := func(d time.Duration) {
			ctx, stop := context.WithTimeout(t.Context(), d)
			defer stop()
			s.Run(ctx, func(i *item) { rung <- i.name })
		}
		run(time.Second) // with nothing to do
		s.Set(newItem("first"), time.Now().Add(time.Minute))
		s.Set(newItem("second"), time.Now().Add(2*time.Minute))
		began := time.Now()
		run(time.Minute + time.Second)
		if took := time.Since(began); took != time.Minute+time.Second {
			t.Errorf("Run ended after %s", took)
		}
		time.Sleep(time.Hour)
		if len(rung) != 1 || <-rung != "first" {
			t.Error("another item than the first was rung")
		}
		run(time.Second)
		if len(rung) != 1 || <-rung != "second" {
			t.Error("the second Run did not ring the second item")
		}
	})
}

// TestAgainstModel sets, moves and removes thousands of items at random, and rings
// what a model says, when it says so.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, func(b *bell) {
				m := &model{bell: b, random: rand.New(rand.NewPCG(seed, 0))}
				for n := range 2000 {
					m.items = append(m.items, newItem(fmt.Sprint(n)))
				}
				b.then = m.check
				for range 100 {
					for range m.random.IntN(400) {
						m.change()
					}
					time.Sleep(time.Duration(m.random.IntN(100)))
					synctest.Wait()
					m.checkLate()
				}
				if m.rings < 1000 {
					t.Errorf("%d items were rung, too few to tell", m.rings)
				}
			})
		})
	}
}

// model knows when each item is to be rung.
type model struct {
	*bell
	items  []*item
	random *rand.Rand
	rings  int
}

// change sets an item for a time between now and a microsecond from now, or removes
// it.
func (m *model) change() {
	i := m.items[m.random.IntN(len(m.items))]
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.random.IntN(3) == 0 {
		i.set = time.Time{}
		m.Remove(i)
		return
	}
	i.set = time.Now().Add(time.Duration(1 + m.random.IntN(1000)))
	m.Set(i, i.set)
}

// check is called for each ring. Some items are set again there.
func (m *model) check(i *item) {
	m.rings++
	now := time.Now()
	if !i.set.Equal(now) {
		m.t.Errorf("%s is rung at %s, instead of %s", i.name, now.Sub(m.start), i.set.Sub(m.start))
	}
	i.set = time.Time{}
	if m.rings%4 == 0 {
		i.set = now.Add(time.Duration(m.rings % 1000))
		m.Set(i, i.set)
	}
}

// checkLate finds what should have been rung.
func (m *model) checkLate() {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.items {
		if now := time.Now(); !i.set.IsZero() && !i.set.After(now) {
			m.t.Fatalf("%s was to be rung at %s, and at %s is not", i.name, i.set.Sub(m.start), now.Sub(m.start))
		}
	}
}

// TestConcurrentUse sets and removes items from many goroutines, which Run rings
// meanwhile. What each sets last is rung.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	const workers, rounds = 8, 2000
	s := schedule.New(time.Now, (*item).ring)
	ctx, stop := context.WithCancel(t.Context())
	last := make(chan struct{}, workers)
	var running, setting sync.WaitGroup
	running.Go(func() {
		s.Run(ctx, func(i *item) {
			if i.name == "last" {
				last <- struct{}{}
			}
		})
	})
	for range workers {
		setting.Go(func() {
			mine := make([]*item, 50)
			for n := range mine {
				mine[n] = newItem("any")
			}
			for n := range rounds {
				i := mine[n%len(mine)]
				s.Set(i, time.Now().Add(time.Duration(rand.IntN(2_000_000)-1_000_000)))
				if n%3 == 0 {
					s.Remove(i)
				}
			}
			for _, i := range mine {
				s.Remove(i)
			}
			s.Set(newItem("last"), time.Now())
		})
	}
	setting.Wait()
	for n := range workers {
		select {
		case <-last:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of the %d last items were rung", n, workers)
		}
	}
	stop()
	running.Wait()
}
