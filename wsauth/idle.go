package wsauth

import (
	"bufio"
	"io"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// Most connections are idle most of the time, and so an idle one is made small. It
// has no read buffer: it waits for a message's first bytes with room for a handful,
// and borrows a buffer for the rest. And it waits with so few calls under way that
// the 2 KiB of stack which its goroutine began with are enough. Within gorilla's
// NextReader they are not, and a stack that has grown hardly ever shrinks.

// readBuffers lends what messages are read through.
var readBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}

// inlet is what gorilla/websocket reads a connection's bytes from.
type inlet struct {
	buf  bufio.Reader  // gorilla's, without a buffer while the connection is idle
	lent *bufio.Reader // whose buffer that has, nil for none

	head   [frameHead]byte // read ahead of buf
	have   int8            // how many of these
	failed bool            // a read has, and no other may follow
	pinned atomic.Bool     // buf keeps its buffer
}

// frameHead is the size in bytes of a client's short frame up to its payload (RFC
// 6455, section 5.2).
const frameHead = 2 + 4

// borrow gives buf a buffer, if it has none, to read through from r.
func (in *inlet) borrow(r io.Reader) {
	if in.lent == nil {
		in.lent, _ = readBuffers.Get().(*bufio.Reader) // there is nothing else
		in.buf = *in.lent
		in.buf.Reset(r)
	}
}

// giveBack returns buf's buffer, unless there is something in it.
func (in *inlet) giveBack() {
	if in.lent != nil && in.buf.Buffered() == 0 && !in.pinned.Load() {
		readBuffers.Put(in.lent)
		in.buf, in.lent = bufio.Reader{}, nil
	}
}

// source is what the buffer of a connection's inlet is filled from. Whatever comes out
// of it is a sign of life.
type source Conn

// Read implements [io.Reader].
func (s *source) Read(p []byte) (int, error) {
	in := &s.in
	if in.have > 0 {
		n := copy(p, in.head[:in.have])
		in.have = int8(copy(in.head[:], in.head[n:in.have])) //nolint:gosec // At most frameHead.
		(*Conn)(s).take(0, n)
		return n, nil
	}
	n, err := s.ws.NetConn().Read(p)
	if n > 0 {
		s.heard.Store(true)
		(*Conn)(s).take(0, n)
	}
	return n, err
}

// await returns when a message has begun to come in, or nothing will any more. It
// notes that the peer was heard of. Pongs that answer our pings are taken in here,
// since NextReader would go on to wait for what follows them.
func (c *Conn) await() {
	in := &c.in
	for in.lent != nil && in.buf.Buffered() >= frameHead {
		if head, err := in.buf.Peek(frameHead); err != nil || !isPong(head) {
			return
		}
		_, _ = in.buf.Discard(frameHead) // it is there
		c.takePong(0)                    // whose bytes were counted when they came into buf
	}
	in.giveBack()
	for in.lent == nil && (in.have < 2 || isPong(in.head[:])) {
		if in.have == frameHead {
			in.have = 0
			c.takePong(frameHead)
		}
		n, err := c.ws.NetConn().Read(in.head[in.have:])
		in.have += int8(n) //nolint:gosec // At most frameHead.
		if err != nil {
			break // which buf will find again
		}
		c.heard.Store(true)
	}
	in.borrow((*source)(c))
}

// isPong reports whether a frame begins like one that answers an empty ping: the
// last frame of its message, of opcode 10, masked and without a payload.
func isPong(head []byte) bool {
	return head[0] == 0x80|websocket.PongMessage && head[1] == 0x80
}
