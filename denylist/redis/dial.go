package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// dialer opens the connections of a client, to servers that may be used alone. It makes
// an end of those that the client leaves behind, which may be in the midst of being
// opened when it is closed.
type dialer struct {
	timeout             time.Duration
	credentials         Credentials
	sentinelCredentials Credentials
	tls                 func(context.Context) (*tls.Config, error)
	servers             *servers
	life                context.Context // ends when there are to be no more connections

	mu   sync.Mutex
	open map[*conn]struct{}
	none chan struct{} // closed whenever none is open
}

func newDialer(life context.Context, cfg Config, servers *servers) *dialer {
	d := &dialer{
		timeout: cfg.Timeout / 2, credentials: cfg.Credentials, sentinelCredentials: cfg.SentinelCredentials, tls: cfg.TLS,
		servers: servers, life: life, open: make(map[*conn]struct{}), none: make(chan struct{}),
	}
	close(d.none)
	return d
}

// conn is a connection that its dialer knows of.
type conn struct {
	net.Conn
	dialer             *dialer
	address            string // that was dialled
	server             server // that it leads to
	sentinel           bool
	username, password string
}

// toSentinels marks the connections to Sentinels, by the dialer that the client hands on
// for them. It resolves nothing.
var toSentinels = new(net.Resolver)

// dial opens a connection for the call of a context. Several calls may wait for
// it, so that it is not given up with the context of the first. But it is not
// handed over then: the client would take a second to get rid of it.
func (d *dialer) dial(caller context.Context, address string, by *net.Dialer, _ *tls.Config) (net.Conn, error) {
	if err := caller.Err(); err != nil {
		return nil, err
	}
	sentinel := by.Resolver == toSentinels
	if !sentinel {
		if err := d.servers.fault(address); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(d.life, d.timeout)
	defer cancel()
	c, err := d.connect(ctx, address, sentinel) //nolint:contextcheck // not the caller's, see above
	if err != nil {
		return nil, err
	}
	if !sentinel {
		err = d.servers.judge(address, c.server)
	}
	if err == nil {
		err = caller.Err()
	}
	if err != nil {
		return nil, errors.Join(err, c.Conn.Close())
	}
	return d.keep(c)
}

// connect opens a connection, over which the server has said what it is.
func (d *dialer) connect(ctx context.Context, address string, sentinel bool) (*conn, error) {
	dial := new(net.Dialer).DialContext
	if d.tls != nil {
		config, err := d.tls(ctx)
		if err == nil && config == nil {
			err = errors.New("it is nil")
		}
		if err != nil {
			return nil, fmt.Errorf("there is no configuration of TLS: %w", err)
		}
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	c := &conn{dialer: d, address: address, sentinel: sentinel}
	credentials := d.credentials
	if sentinel {
		credentials = d.sentinelCredentials
	}
	var err error
	if credentials != nil {
		if c.username, c.password, err = credentials(ctx); err != nil {
			return nil, fmt.Errorf("there are no credentials: %w", err)
		}
	}
	if c.Conn, err = dial(ctx, "tcp", address); err != nil {
		return nil, err
	}
	if c.server, err = greet(ctx, c.Conn, c.username, c.password, sentinel); err != nil {
		return nil, errors.Join(err, c.Conn.Close())
	}
	return c, nil
}

// keep hands a connection over to the client.
func (d *dialer) keep(c *conn) (net.Conn, error) {
	d.mu.Lock()
	if d.life.Err() != nil {
		d.mu.Unlock()
		return nil, errors.Join(net.ErrClosed, c.Conn.Close())
	}
	if len(d.open) == 0 {
		d.none = make(chan struct{})
	}
	d.open[c] = struct{}{}
	d.mu.Unlock()
	// A fault may have been found meanwhile, by who did not see this connection.
	if err := d.servers.fault(c.address); err != nil && !c.sentinel {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// remote is the address of a connection, by which the client's question for credentials
// finds it.
type remote struct {
	net.Addr
	conn *conn
}

// RemoteAddr implements [net.Conn].
func (c *conn) RemoteAddr() net.Addr { return remote{c.Conn.RemoteAddr(), c} }

// authenticate returns the credentials that a connection was greeted with.
func authenticate(of rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
	r, ok := of.Address.(remote)
	if !ok {
		return rueidis.AuthCredentials{}, errors.New("the client has a connection that it did not dial")
	}
	return rueidis.AuthCredentials{Username: r.conn.username, Password: r.conn.password}, nil
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	c.dialer.forget(c)
	return c.Conn.Close()
}

func (d *dialer) forget(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.open[c]; ok {
		delete(d.open, c)
		if len(d.open) == 0 {
			close(d.none)
		}
	}
}

// addresses returns those of the servers that connections lead to.
func (d *dialer) addresses() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for c := range d.open {
		if !c.sentinel {
			list = append(list, c.address)
		}
	}
	return list
}

// drop breaks the connections to an address that do not lead to a certain process,
// without a word: who hangs would not listen. The client notices, and closes them.
func (d *dialer) drop(address, but string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		if c.address != address || c.sentinel || but != "" && c.server.run == but {
			continue
		}
		raw := c.Conn
		if t, ok := raw.(*tls.Conn); ok {
			raw = t.NetConn()
		}
		_ = raw.Close()
	}
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
