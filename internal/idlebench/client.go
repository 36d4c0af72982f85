package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/paseto"
)

// dialers is how many connections are opened at the same time.
const dialers = 64

// client is the process that opens connections. It issues the tokens as well:
// what that takes is no part of a connection.
type client struct {
	reporter reporter

	mu      sync.Mutex
	sockets []*socket
	serving sync.WaitGroup
	closing atomic.Bool
}

// runClient opens and closes connections, as the parent orders.
func runClient() error {
	c := new(client)
	return takeOrders(&c.reporter, c.carryOut)
}

func (c *client) carryOut(o order) (report, error) {
	switch o.Do {
	case doOpen:
		return report{}, c.open(o)
	case doClose:
		c.close()
		return report{}, nil
	}
	return report{}, errors.New("not something that a client does")
}

// open opens connections, to all targets in turn. It gives up when one fails.
func (c *client) open(o order) error {
	token, err := tokens(o.Key)
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	numbers := make(chan int)
	var dialing sync.WaitGroup
	for range dialers {
		dialing.Go(func() {
			for n := range numbers {
				if err := c.openOne(ctx, o.Targets[n%len(o.Targets)], n, token); err != nil {
					fail(fmt.Errorf("connection %d of %d: %w", n+1, o.Connections, err))
				}
			}
		})
	}
	for n := 0; n < o.Connections && ctx.Err() == nil; n++ {
		numbers <- n
	}
	close(numbers)
	dialing.Wait()
	return context.Cause(ctx)
}

// tokens returns what issues an access token for each connection, or none at
// all where there is no key.
func tokens(key string) (func(n int) (string, error), error) {
	if key == "" {
		return func(int) (string, error) { return "", nil }, nil
	}
	parsed, err := paseto.ParseKey(key)
	if err != nil {
		return nil, err
	}
	auth, err := newAuthorizer(parsed)
	if err != nil {
		return nil, err
	}
	return func(n int) (string, error) {
		pair, err := auth.IssuePair(paseto.Grant{Subject: fmt.Sprintf("user-%d", n), Scopes: scopes, Fresh: true})
		return pair.Access.Token.Reveal(), err
	}, nil
}

func (c *client) openOne(ctx context.Context, target string, n int, token func(int) (string, error)) error {
	t, err := token(n)
	if err != nil {
		return err
	}
	s, err := dial(ctx, target, t)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.sockets = append(c.sockets, s)
	c.mu.Unlock()
	c.serving.Go(func() {
		if err := s.serve(); !c.closing.Load() {
			c.reporter.send(report{Error: fmt.Sprintf("connection %d was lost: %v", n+1, err)})
		}
	})
	return nil
}

// close closes all connections.
func (c *client) close() {
	c.closing.Store(true)
	for _, s := range c.sockets {
		_ = s.conn.Close()
	}
	c.serving.Wait()
	c.sockets = nil
	c.closing.Store(false)
}
