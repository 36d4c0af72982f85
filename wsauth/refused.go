package wsauth

import (
	"maps"
	"net"
	"slices"
)

// reserveRefused takes a place for a connection that is opened only to be closed, which
// takes none from the others.
func (r *registry) reserveRefused(c *Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasRoomForRefused() {
		return false
	}
	c.isRefused = true
	r.refused++
	r.conns[c] = struct{}{}
	return true
}

// maxRefused is how many refused clients are told why by a close frame, or are waited
// for after an answer that was written by hand, at a time.
const maxRefused = 1000

// hold takes a place among the refused for a connection that was taken over and is no
// WebSocket. letGo gives it back.
func (r *registry) hold(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasRoomForRefused() {
		return false
	}
	r.told[conn] = struct{}{}
	return true
}

func (r *registry) letGo(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.told, conn)
	r.closeEmpty()
}

// held returns the connections that hold took a place for.
func (r *registry) held() []net.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.told))
}

// hasRoomForRefused is called with the registry locked.
func (r *registry) hasRoomForRefused() bool {
	return !r.closed && r.refused+len(r.told) < maxRefused
}
