package wsauth

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// serve runs the application's handler and ends the connection after it.
func (g *Guard) serve(c *Conn, serve Handler) {
	defer g.conns.remove(c)
	defer c.finish()
	defer func() {
		if cause := recover(); cause != nil {
			g.log.Error("handler of a connection panicked", "panic", fmt.Sprint(cause), "claims", c.claims,
				"stack", string(debug.Stack()))
			c.closeWith(CloseInternalError, "Internal error", fmt.Errorf("wsauth: handler panicked: %v", cause))
		}
	}()
	serve(c.ctx, c)
}

// registry keeps track of the connections of a guard, those under way to being
// refused included.
type registry struct {
	mu     sync.Mutex
	conns  map[*Conn]struct{}
	places int // taken: connections, and handshakes that may become one
	closed bool
	empty  chan struct{} // closed when the last place is given back after close
}

func (r *registry) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// reserve takes a place, unless the registry is closed.
func (r *registry) reserve() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.places++
	return true
}

// giveBack returns a place.
func (r *registry) giveBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places--
	if r.closed && r.places == 0 {
		close(r.empty)
	}
}

// add puts a connection into its reserved place, and ends it at once if the
// registry was closed since.
func (r *registry) add(c *Conn) {
	r.mu.Lock()
	if r.conns == nil {
		r.conns = make(map[*Conn]struct{})
	}
	r.conns[c] = struct{}{}
	closed := r.closed
	r.mu.Unlock()
	if closed {
		go c.closeWith(CloseGoingAway, ErrShutdown.Message, ErrShutdown)
	}
}

// remove takes a connection out and gives its place back.
func (r *registry) remove(c *Conn) {
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
	r.giveBack()
}

func (r *registry) all() []*Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	conns := make([]*Conn, 0, len(r.conns))
	for c := range r.conns {
		conns = append(conns, c)
	}
	return conns
}

// close stops the taking of places. The channel it returns is closed when the
// last one is given back.
func (r *registry) close() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.closed = true
		r.empty = make(chan struct{})
		if r.places == 0 {
			close(r.empty)
		}
	}
	return r.empty
}
