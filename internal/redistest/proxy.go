package redistest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes TCP connections on to a server until told otherwise. Its methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	target string
	cut    bool
	open   chan struct{} // closed while bytes may pass
	conns  map[net.Conn]struct{}
}

// StartProxy starts a proxy before the server at the target address.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()

	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It waits for nothing.
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, open: make(chan struct{}), conns: make(map[net.Conn]struct{})}
	close(p.open)
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Addr returns the address to connect to instead of the server's.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lead makes new connections lead to the server at another address. Those that are open stay.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Cut ends all connections, and every new one at once, until Restore.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	p.cut = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// Hang leaves all connections open and takes new ones, but lets no byte pass in either direction until Restore or Cut.
// What was sent meanwhile arrives late.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	p.cut = false
	p.open = make(chan struct{})
}

// Restore undoes Cut and Hang.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	p.cut = false
}

// pass lets bytes pass again. p.mu is held.
func (p *Proxy) pass() {
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

// serve passes one connection on.
func (p *Proxy) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	<-p.gate()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target) //nolint:noctx // A loopback address answers at once.
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)

	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			p.copy(way[1], way[0])
			_, _ = client.Close(), server.Close()
		})
	}
	both.Wait()
}

func (p *Proxy) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-p.gate()
		if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

// gate returns a channel that is closed as soon as bytes may pass.
func (p *Proxy) gate() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// keep notes a connection for Cut, or closes it if that has happened.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		_ = conn.Close()
		return false
	}
	p.conns[conn] = struct{}{}
	return true
}

func (p *Proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = conn.Close()
	delete(p.conns, conn)
}
