package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// dialer opens the connections of a client. It makes an end of those that the
// client leaves behind, which may be in the midst of being opened when it is
// closed.
type dialer struct {
	timeout time.Duration
	life    context.Context // ends when there are to be no more connections

	mu   sync.Mutex
	open map[*conn]struct{}
	none chan struct{} // closed whenever none is open
}

func newDialer(life context.Context, timeout time.Duration) *dialer {
	d := &dialer{timeout: timeout, life: life, open: make(map[*conn]struct{}), none: make(chan struct{})}
	close(d.none)
	return d
}

// conn is a connection that its dialer knows of. A server that says nothing at
// all is given up soon, whatever deadline the client sets: it would wait for a
// second when it closes such a connection, and all calls with it.
type conn struct {
	net.Conn
	dialer *dialer
	limit  time.Time // for the first answer

	mu       sync.Mutex
	deadline time.Time // that the client set
	answered bool
}

// Read implements [net.Conn].
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && !c.answered {
		c.answered = true
		_ = c.Conn.SetDeadline(c.deadline) // If it fails, so will the next call.
	}
	return n, err
}

// SetDeadline implements [net.Conn].
func (c *conn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if !c.answered && (t.IsZero() || t.After(c.limit)) {
		t = c.limit
	}
	return c.Conn.SetDeadline(t)
}

// dial opens a connection for the call of a context. Several calls may wait for
// it, so that it is not given up with the context of the first. But it is not
// handed over then: the client would take a second to get rid of it.
func (d *dialer) dial(caller context.Context, address string, _ *net.Dialer, config *tls.Config) (net.Conn, error) {
	if err := caller.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(d.life, d.timeout)
	defer cancel()
	dial := new(net.Dialer).DialContext
	if config != nil {
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	c, err := dial(ctx, "tcp", address) //nolint:contextcheck // not the caller's, see above
	if err != nil {
		return nil, err
	}
	if err := caller.Err(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return d.keep(c)
}

func (d *dialer) keep(c net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.life.Err() != nil {
		return nil, errors.Join(net.ErrClosed, c.Close())
	}
	if len(d.open) == 0 {
		d.none = make(chan struct{})
	}
	kept := &conn{Conn: c, dialer: d, limit: time.Now().Add(d.timeout)}
	d.open[kept] = struct{}{}
	return kept, nil
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	d := c.dialer
	d.mu.Lock()
	if _, ok := d.open[c]; ok {
		delete(d.open, c)
		if len(d.open) == 0 {
			close(d.none)
		}
	}
	d.mu.Unlock()
	return c.Conn.Close()
}

// end waits for the client to close its connections, which it does on its own
// time, and closes what is left then. The dialer's life is over.
func (d *dialer) end(patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	d.mu.Lock()
	none := d.none
	d.mu.Unlock()
	select {
	case <-none:
		return
	case <-timer.C:
	}
	d.mu.Lock()
	left := make([]*conn, 0, len(d.open))
	for c := range d.open {
		left = append(left, c)
	}
	d.mu.Unlock()
	for _, c := range left {
		_ = c.Close()
	}
}
