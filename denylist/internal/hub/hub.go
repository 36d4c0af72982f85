// Package hub passes events to any number of watchers. Whoever tells an event
// never waits for one of them: a watcher that does not keep up is told of a gap
// in the place of what it missed.
package hub

import (
	"context"
	"sync"
)

// backlog is how many events a watcher may lag behind before it is told that it
// has missed some.
const backlog = 1024

// Hub passes events of type E to its watchers. It starts no goroutine.
type Hub[E any] struct {
	gap    E
	closed error

	mu    sync.Mutex
	err   error // closed, once the hub is
	all   map[*watcher[E]]struct{}
	ended chan struct{}
}

// New returns a hub without watchers. Gap is the event that stands for those
// that a watcher missed, and closed the error of a watch that ends with the
// hub.
func New[E any](gap E, closed error) *Hub[E] {
	return &Hub[E]{
		gap:    gap,
		closed: closed,
		all:    make(map[*watcher[E]]struct{}),
		ended:  make(chan struct{}),
	}
}

// watcher is the backlog of one watch.
type watcher[E any] struct {
	mu     sync.Mutex
	events []E
	wake   chan struct{} // of capacity one: events is not empty
}

// Tell adds e to every watcher's backlog.
func (h *Hub[E]) Tell(e E) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.all {
		w.push(e, h.gap)
	}
}

// TellGap tells every watcher that it may have missed events.
func (h *Hub[E]) TellGap() { h.Tell(h.gap) }

// Watch calls fn for the gap first and then for every event told, one at a time
// and in their order, until ctx ends or the hub is closed. It returns the
// context's error or the one given to [New].
func (h *Hub[E]) Watch(ctx context.Context, fn func(E)) error {
	w := &watcher[E]{wake: make(chan struct{}, 1)}
	w.push(h.gap, h.gap)

	h.mu.Lock()
	if h.err != nil {
		h.mu.Unlock()
		return h.err
	}
	h.all[w] = struct{}{}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.all, w)
		h.mu.Unlock()
	}()

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.ended:
			return h.closed
		case <-w.wake:
		}
		for _, e := range w.take() {
			if err := ctx.Err(); err != nil {
				return err
			}
			fn(e)
		}
	}
}

// Close ends every watch. A second call does nothing.
func (h *Hub[E]) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		h.err = h.closed
		close(h.ended)
	}
}

// push adds e, or, at a full backlog, puts the gap in the place of all that
// waits.
func (w *watcher[E]) push(e, gap E) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) >= backlog {
		w.events = append(w.events[:0], gap)
	} else {
		w.events = append(w.events, e)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take returns what has gathered.
func (w *watcher[E]) take() []E {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}
