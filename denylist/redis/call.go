package redis

import (
	"context"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// ready reports why the store cannot serve a call. Every call asks it first: while the
// server has a fault, nothing is answered, from memory neither.
func (s *Store) ready(ctx context.Context) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	if fault := s.servers.barred.Load(); fault != nil {
		return unavailable(*fault)
	}
	return nil
}

// alive reports that the store, or the caller's context, has ended.
func (s *Store) alive(ctx context.Context) error {
	if s.closed() {
		return denylist.ErrClosed
	}
	return ctx.Err()
}

func (s *Store) closed() bool { return s.life.Err() != nil }

// turns bounds how many calls do something at a time. Those that come later wait
// in line.
type turns chan struct{}

// take waits for a turn, which is to be given back.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) give() { <-t }

// callContext is what [context.WithTimeout] would return, but starts no timer
// before somebody waits: a question that the cache can answer needs none.
type callContext struct {
	context.Context // the caller's
	limit           time.Time

	mu     sync.Mutex
	ended  bool
	timed  context.Context // nil until somebody waits
	cancel context.CancelFunc
}

// call returns the context of a call, which ends with ctx, after the Timeout, and
// by the returned function.
func (s *Store) call(ctx context.Context) (context.Context, context.CancelFunc) {
	c := &callContext{Context: ctx, limit: time.Now().Add(s.timeout)}
	return c, c.end
}

// Deadline implements [context.Context].
func (c *callContext) Deadline() (time.Time, bool) {
	if deadline, ok := c.Context.Deadline(); ok && deadline.Before(c.limit) {
		return deadline, true
	}
	return c.limit, true
}

// Done implements [context.Context].
func (c *callContext) Done() <-chan struct{} { return c.wait().Done() }

// Err implements [context.Context].
func (c *callContext) Err() error { return c.wait().Err() }

func (c *callContext) wait() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timed == nil {
		c.timed, c.cancel = context.WithDeadline(c.Context, c.limit)
		if c.ended {
			c.cancel()
		}
	}
	return c.timed
}

func (c *callContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}
