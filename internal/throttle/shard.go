package throttle

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// shard has the clients of some of the keys.
type shard[K comparable] struct {
	table   *Table[K]
	mu      sync.Mutex
	clients map[K]*client[K]
	idle    list.List // of those without attempts under way, the last used first
	read    time.Time // what the clock of the table last said
	at      time.Time // the time that has passed by it
}

// client is what is known of one key.
type client[K comparable] struct {
	key      K
	bucket   *rate.Limiter
	underWay int           // attempts
	idle     *list.Element // nil while there are any
}

// take takes a token, of which there must be one.
func (c *client[K]) take(at time.Time) { c.bucket.ReserveN(at, 1) }

// client returns the client with this key, and the time. Settle must follow.
func (s *shard[K]) client(key K) (*client[K], time.Time) {
	at := s.time()
	c := s.clients[key]
	if c == nil {
		c = &client[K]{key: key, bucket: rate.NewLimiter(s.table.rate, s.table.limit)}
		s.clients[key] = c
	}
	return c, at
}

// time returns the time that has passed. It is not what the clock says, for a
// [rate.Limiter] that is told an earlier time than before waits until that time
// comes again. The clock is asked under the lock: two readings that overtook
// each other would look like a clock that is set back.
func (s *shard[K]) time() time.Time {
	read := s.table.now()
	if passed := read.Sub(s.read); passed > 0 {
		s.at = s.at.Add(passed)
	}
	s.read = read
	return s.at
}

// end ends an attempt of c.
func (s *shard[K]) end(c *client[K], failed bool) {
	at := s.time()
	c.underWay--
	if failed {
		c.take(at)
	}
	s.settle(c, at)
}

// settle records that c was used, and forgets those that there is no need or no
// room to remember.
func (s *shard[K]) settle(c *client[K], at time.Time) {
	switch {
	case c.underWay > 0:
		s.unlist(c)
	case s.full(c, at):
		s.forget(c)
	case c.idle == nil:
		c.idle = s.idle.PushFront(c)
	default:
		s.idle.MoveToFront(c.idle)
	}
	for oldest := s.oldest(); oldest != nil && (s.idle.Len() > s.table.room || s.full(oldest, at)); oldest = s.oldest() {
		s.forget(oldest)
	}
}

// full reports whether c is as good as one that was never seen.
func (s *shard[K]) full(c *client[K], at time.Time) bool {
	return c.bucket.TokensAt(at) >= float64(s.table.limit)
}

// oldest returns the idle client that was not used for longest, nil if there is
// none.
func (s *shard[K]) oldest() *client[K] {
	e := s.idle.Back()
	if e == nil {
		return nil
	}
	c, _ := e.Value.(*client[K]) // as all are
	return c
}

// forget drops a client without attempts under way.
func (s *shard[K]) forget(c *client[K]) {
	s.unlist(c)
	delete(s.clients, c.key)
}

// unlist takes c off the list of idle clients, if it is on it.
func (s *shard[K]) unlist(c *client[K]) {
	if c.idle != nil {
		s.idle.Remove(c.idle)
		c.idle = nil
	}
}
