package redis

import (
	"context"
	"sync"
	"time"
)

const (
	// reviewInterval is how often the servers in use are asked what they are, beside
	// whenever a connection is made, and reviewLimit how long one is used that cannot be
	// asked.
	reviewInterval = 4 * time.Second
	reviewLimit    = 10 * time.Second
	// reviewTimeout bounds what a server may take to answer.
	reviewTimeout = 3 * time.Second
)

// supervise reviews the servers in use until the store is closed. While one has a fault,
// or cannot be asked, it looks again soon, as it does when a call finds something wrong.
func (s *Store) supervise() {
	wait, delay := reviewInterval, minDelay
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.servers.review:
		case <-s.life.Done():
		}
		timer.Stop()
		if s.closed() {
			return
		}
		if s.review() {
			wait, delay = reviewInterval, minDelay
		} else {
			wait, delay = delay, min(2*delay, maxDelay)
		}
	}
}

// review asks the servers in use, and those with a fault, what they are, each over a new
// connection since the address may lead elsewhere by now. It drops the connections that
// lead to a server with a fault, to one that was replaced, or to one that could not be
// asked for too long. It reports whether all is well.
func (s *Store) review() bool {
	addresses := make(map[string]bool)
	for _, address := range append(s.conns.addresses(), s.servers.faulty()...) {
		addresses[address] = true
	}
	s.servers.forget(addresses)
	answers := s.askAll(s.life, addresses, reviewTimeout)
	well := true
	for address, answer := range answers {
		if answer.err != nil {
			well = false
			if s.servers.stale(address) {
				s.conns.drop(address, "")
			}
		}
	}
	for _, good := range []bool{false, true} { // so that a good one has the last word
		for address, answer := range answers {
			if answer.err != nil || good != (s.servers.broken(answer.server) == nil) {
				continue
			}
			if s.servers.judge(address, answer.server) != nil {
				s.conns.drop(address, "")
				well = false
			} else if answer.server.run != "" {
				s.conns.drop(address, answer.server.run)
			}
		}
	}
	return well
}

// answer is what a server says of itself, or why it does not.
type answer struct {
	server server
	err    error
}

// askAll asks the servers at some addresses what they are.
func (s *Store) askAll(ctx context.Context, addresses map[string]bool, timeout time.Duration) map[string]answer {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answers := make(map[string]answer, len(addresses))
	var mu sync.Mutex
	var all sync.WaitGroup
	for address := range addresses {
		all.Go(func() {
			c, err := s.conns.connect(ctx, address, false)
			var a answer
			if err == nil {
				a.server = c.server
				err = c.Conn.Close()
			}
			a.err = err
			mu.Lock()
			defer mu.Unlock()
			answers[address] = a
		})
	}
	all.Wait()
	return answers
}
