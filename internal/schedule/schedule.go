// Package schedule rings things when their time has come, with one goroutine and
// one timer for all of them.
package schedule

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Alarm is what a thing keeps for a [Schedule]. Its zero value is not set.
type Alarm struct {
	at    time.Duration // since the schedule's start
	place int           // in the queue, from 1; 0 if it is not set
}

// Schedule rings items of type T. It is safe for concurrent use.
type Schedule[T any] struct {
	now   func() time.Time
	start time.Time
	wake  chan struct{} // of capacity one: the first item has changed

	mu    sync.Mutex
	queue queue[T] // the earliest item first
}

// New returns a schedule without items, whose clock is now. That may be set: an item
// whose time a jump of the clock passes over is rung within a second. Each item has one
// alarm, which no one else touches.
func New[T any](now func() time.Time, alarm func(T) *Alarm) *Schedule[T] {
	return &Schedule[T]{now: now, start: now(), wake: make(chan struct{}, 1), queue: queue[T]{alarm: alarm}}
}

// Set has the item rung at a time of the schedule's clock, and at no other.
func (s *Schedule[T]) Set(item T, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	alarm := s.queue.alarm(item)
	alarm.at = min(at.Sub(s.start), farAway)
	if alarm.place == 0 {
		heap.Push(&s.queue, item)
	} else {
		heap.Fix(&s.queue, alarm.place-1)
	}
	if s.queue.alarm(s.queue.items[0]) == alarm {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Remove has the item rung no more.
func (s *Schedule[T]) Remove(item T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.alarm(item).place > 0 {
		heap.Remove(&s.queue, s.queue.alarm(item).place-1)
	}
}

// Run calls ring for each item whose time has come, which is not set any more
// then, until ctx ends. A ring that takes its time holds up all others.
func (s *Schedule[T]) Run(ctx context.Context, ring func(T)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		for item, wait := s.next(); ; item, wait = s.next() {
			if wait > 0 {
				timer.Reset(wait)
				break
			}
			ring(item)
		}
	}
}

const (
	// idle is how long a schedule sleeps that has nothing to ring.
	idle = time.Hour
	// longestSleep is how long one sleeps that has. Its clock may be set meanwhile, or
	// the machine may sleep, and timers notice neither.
	longestSleep = time.Second
	// farAway is later than anything is rung, by far enough that nothing overflows.
	farAway = 1 << 62
)

// next takes out the first item if its time has come. Otherwise it returns when to
// look again.
func (s *Schedule[T]) next() (item T, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue.Len() == 0 {
		return item, idle
	}
	first := s.queue.items[0]
	if wait = s.queue.alarm(first).at - s.now().Sub(s.start); wait > 0 {
		return item, min(wait, longestSleep)
	}
	heap.Pop(&s.queue)
	return first, 0
}

// queue is a heap that keeps its items' places. It implements [heap.Interface].
type queue[T any] struct {
	items []T
	alarm func(T) *Alarm
}

func (q *queue[T]) Len() int           { return len(q.items) }
func (q *queue[T]) Less(i, j int) bool { return q.alarm(q.items[i]).at < q.alarm(q.items[j]).at }

func (q *queue[T]) Swap(i, j int) {
	q.items[i], q.items[j] = q.items[j], q.items[i]
	q.alarm(q.items[i]).place, q.alarm(q.items[j]).place = i+1, j+1
}

func (q *queue[T]) Push(x any) {
	item, _ := x.(T) // nothing else is pushed
	q.items = append(q.items, item)
	q.alarm(item).place = len(q.items)
}

func (q *queue[T]) Pop() any {
	last := len(q.items) - 1
	item := q.items[last]
	var none T
	q.items[last] = none
	q.items = q.items[:last]
	q.alarm(item).place = 0
	return item
}
