package hub_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist/internal/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const gap = -1

var errClosed = errors.New("closed")

// watching is a watch whose events come one by one.
type watching struct {
	events chan int
	ended  chan error
}

func watch(ctx context.Context, h *hub.Hub[int]) watching {
	w := watching{events: make(chan int), ended: make(chan error, 1)}
	go func() { w.ended <- h.Watch(ctx, func(e int) { w.events <- e }) }()
	return w
}

func (w watching) want(t *testing.T, events ...int) {
	t.Helper()
	for _, want := range events {
		if got := <-w.events; got != want {
			t.Fatalf("event %d, want %d", got, want)
		}
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	h := hub.New(gap, errClosed)
	one, two := watch(t.Context(), h), watch(t.Context(), h)
	one.want(t, gap)
	two.want(t, gap)
	for i := range 100 {
		h.Tell(i)
	}
	h.TellGap()
	for i := range 100 {
		one.want(t, i)
		two.want(t, i)
	}
	one.want(t, gap)
	two.want(t, gap)
	h.Close()
	h.Close()
	for _, w := range []watching{one, two, watch(t.Context(), h)} {
		if err := <-w.ended; !errors.Is(err, errClosed) {
			t.Errorf("Watch = %v", err)
		}
	}
}

// TestSlow: what a watcher cannot keep up with is a gap, and what comes after it
// is told.
func TestSlow(t *testing.T) {
	t.Parallel()
	h := hub.New(gap, errClosed)
	defer h.Close()
	ctx, cancel := context.WithCancel(t.Context())
	w := watch(ctx, h)
	w.want(t, gap)
	h.Tell(0)
	w.want(t, 0) // and now the watcher waits for the next to be taken
	const n = 100_000
	for i := range n {
		h.Tell(i)
	}
	told, gaps, last := 0, 0, 0
	for last != n-1 {
		last = <-w.events
		if last == gap {
			gaps++
		}
		told++
	}
	if gaps == 0 || told > n/2 {
		t.Errorf("told %d events with %d gaps among them", told, gaps)
	}
	cancel()
	if err := <-w.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	h := hub.New(gap, errClosed)
	ctx, cancel := context.WithCancel(t.Context())
	var told []int
	err := h.Watch(ctx, func(e int) {
		h.Tell(7)
		cancel()
		told = append(told, e)
	})
	if !errors.Is(err, context.Canceled) || len(told) != 1 {
		t.Errorf("Watch = %v after %d events", err, len(told))
	}
}
