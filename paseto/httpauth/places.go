package httpauth

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
)

const (
	// waitingPerPlace is how many logins may wait for each place.
	waitingPerPlace = 8
	// longestWait is how long they may.
	longestWait = 5 * time.Second
)

// places bounds how many login functions run at a time. Each that waits is given a
// place, or an error, exactly once: by being sent it after it was taken out of the
// queue.
type places struct {
	limit int // not bounded below 1

	mu      sync.Mutex
	taken   int
	takenBy map[netip.Prefix]int
	queue   []*waiting // the lowest rank first, and of each the one that came first
}

// waiting is a login that waits for a place.
type waiting struct {
	from netip.Prefix
	rank int
	turn chan error // of capacity one
}

func newPlaces(limit int) *places {
	return &places{limit: limit, takenBy: make(map[netip.Prefix]int)}
}

// enter takes a place for a login from a network, or waits for one. The place must be
// left.
func (p *places) enter(ctx context.Context, from netip.Prefix, rank int) (leave func(), err error) {
	if p.limit < 1 {
		return func() {}, nil
	}
	w := &waiting{from: from, rank: rank, turn: make(chan error, 1)}
	p.mu.Lock()
	err = p.join(w)
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(longestWait)
	defer timer.Stop()
	select {
	case err = <-w.turn:
	case <-ctx.Done():
		err = p.giveUp(w, ctx.Err())
	case <-timer.C:
		err = p.giveUp(w, refusal.New(errBusy))
	}
	if err != nil {
		return nil, err
	}
	return func() { p.leave(from) }, nil
}

// join puts w into the queue, and gives it a place if there is one for it. The last
// of a full queue makes room for one of a lower rank.
func (p *places) join(w *waiting) error {
	room, same := waitingPerPlace*p.limit, 0
	for _, other := range p.queue {
		if other.from == w.from {
			same++
		}
	}
	if same >= room/2 {
		return refusal.New(errBusy)
	}
	at, _ := slices.BinarySearchFunc(p.queue, w.rank+1, func(other *waiting, rank int) int { return other.rank - rank })
	p.queue = slices.Insert(p.queue, at, w)
	p.admit()
	if len(p.queue) <= room {
		return nil
	}
	last := p.queue[room]
	p.queue = slices.Delete(p.queue, room, room+1)
	if last == w {
		return refusal.New(errBusy)
	}
	last.turn <- refusal.New(errBusy)
	return nil
}

// admit gives free places to those that wait, but no network more than its share.
func (p *places) admit() {
	share := max(1, p.limit/2)
	p.queue = slices.DeleteFunc(p.queue, func(w *waiting) bool {
		if p.taken >= p.limit || p.takenBy[w.from] >= share {
			return false
		}
		p.taken++
		p.takenBy[w.from]++
		w.turn <- nil
		return true
	})
}

// giveUp takes w out of the queue and returns reason. If w has been told something
// meanwhile, it returns that.
func (p *places) giveUp(w *waiting, reason error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.queue, w); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		return reason
	}
	return <-w.turn
}

// leave gives a place back.
func (p *places) leave(from netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	p.takenBy[from]--
	if p.takenBy[from] == 0 {
		delete(p.takenBy, from)
	}
	p.admit()
}
