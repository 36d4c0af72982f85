package denylist

import (
	"context"
	"sync"
)

// watchBacklog is how many records a watcher may lag behind before it is told
// that it has missed some.
const watchBacklog = 1024

// watchers passes records to the watches of a store.
type watchers struct {
	mu     sync.Mutex
	all    map[*watcher]struct{}
	closed bool
}

// watcher is the backlog of one watch.
type watcher struct {
	mu     sync.Mutex
	events []Event
	wake   chan struct{} // of capacity one: events is not empty
	closed chan struct{}
}

// tell appends r to every watcher's backlog and never waits.
func (ws *watchers) tell(r Revocation) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.push(Event{Revocation: r})
	}
}

// push adds e, or, at a full backlog, puts a gap in the place of all that
// waits.
func (w *watcher) push(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) >= watchBacklog {
		w.events = append(w.events[:0], Event{Missed: true})
	} else {
		w.events = append(w.events, e)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// take returns what has gathered.
func (w *watcher) take() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// watch runs one watch until ctx ends or the watchers are closed.
func (ws *watchers) watch(ctx context.Context, fn func(Event)) error {
	w := &watcher{wake: make(chan struct{}, 1), closed: make(chan struct{})}
	w.push(Event{Missed: true})

	ws.mu.Lock()
	if ws.closed {
		ws.mu.Unlock()
		return ErrClosed
	}
	if ws.all == nil {
		ws.all = make(map[*watcher]struct{})
	}
	ws.all[w] = struct{}{}
	ws.mu.Unlock()
	defer func() {
		ws.mu.Lock()
		delete(ws.all, w)
		ws.mu.Unlock()
	}()

	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.closed:
			return ErrClosed
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

func (ws *watchers) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.closed = true
	for w := range ws.all {
		close(w.closed)
	}
}
