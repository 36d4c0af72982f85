package wsauth

import (
	"bufio"
	"io"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"
)

// Most connections are idle most of the time, so an idle one must be small. It has no read
// buffer: it waits for the first bytes of a message with room for six bytes, and borrows a
// buffer when they come. And it waits in few nested calls, so that the 2 KiB of stack that a
// goroutine begins with are enough. In NextReader of gorilla they are not, and a stack that
// has grown hardly ever shrinks.

// readBuffers lends what messages are read through.
var readBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}

// inlet is what gorilla/websocket reads the bytes of a connection from.
type inlet struct {
	buf  bufio.Reader  // what gorilla reads from; it has no buffer while the connection is idle
	lent *bufio.Reader // the pool's reader whose buffer buf has, nil for none

	head   [frameHead]byte // the bytes that were read before buf had a buffer
	have   int8            // how many bytes head has
	failed bool            // a read has failed, and no other may follow
	pinned atomic.Bool     // buf keeps its buffer
}

// frameHead is how many bytes come before the payload of a client's short frame (RFC 6455,
// section 5.2).
const frameHead = 2 + 4

// borrow gives buf a buffer, if it has none, and makes it read from r.
func (in *inlet) borrow(r io.Reader) {
	if in.lent == nil {
		in.lent, _ = readBuffers.Get().(*bufio.Reader) // there is nothing else
		in.buf = *in.lent
		in.buf.Reset(r)
	}
}

// giveBack returns the buffer of buf to the pool, unless something is in it.
func (in *inlet) giveBack() {
	if in.lent != nil && in.buf.Buffered() == 0 && !in.pinned.Load() {
		readBuffers.Put(in.lent)
		in.buf, in.lent = bufio.Reader{}, nil
	}
}

// source is what the inlet of a connection reads from. Every byte from it shows that the peer
// is there.
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

// await returns when a message has begun to come in, or when the connection has failed. It
// records that the peer has sent something. It reads pongs that answer our pings itself:
// NextReader would read them and then wait for the next frame.
func (c *Conn) await() {
	in := &c.in
	for in.lent != nil && in.buf.Buffered() >= frameHead {
		if head, err := in.buf.Peek(frameHead); err != nil || !isPong(head) {
			return
		}
		_, _ = in.buf.Discard(frameHead) // Peek has seen it
		c.takePong(0)                    // its bytes were counted when they came into buf
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
			break // the next read will return the error again
		}
		c.heard.Store(true)
	}
	in.borrow((*source)(c))
}

// isPong reports whether a frame begins like the answer to an empty ping: the last frame of
// its message, with opcode 10, masked, without payload.
func isPong(head []byte) bool {
	return head[0] == 0x80|websocket.PongMessage && head[1] == 0x80
}
