package wsauth

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
)

// A handshake may bring more than it should: data that the client sent without waiting
// for the answer. net/http shows that only to the one who takes the connection over.
// So it is taken over before a ticket is used up for it or a subject's oldest
// connection is closed for it. Nothing but the network can then keep it from becoming a
// WebSocket. From there on net/http answers nothing any more; a refusal is written by
// hand, and the wrappers of middleware do not see it.

// answer is the ResponseWriter of a handshake. It implements [http.Hijacker], through
// the wrappers that middleware puts around a ResponseWriter.
type answer struct {
	http.ResponseWriter

	conn    net.Conn          // nil before takeOver
	buffers *bufio.ReadWriter // of conn
	in      *inlet            // which gorilla/websocket will read from
	isGiven bool              // gorilla/websocket has the connection

	status int // of the refusal that is written by hand, 0 for none; body is its body
	body   bytes.Buffer
}

// takeOver takes the connection from net/http, unless that was done before. The error
// is why it cannot become a WebSocket.
func (a *answer) takeOver() (err error) {
	if a.conn == nil {
		a.conn, a.buffers, err = http.NewResponseController(a.ResponseWriter).Hijack()
	}
	if err != nil {
		a.conn = nil
		return hijackError(a.ResponseWriter, err)
	}
	if n := a.buffers.Reader.Buffered(); n > 0 {
		return refusal.Newf(errHandshake, "the client did not wait for the answer; it has sent %d bytes or more", n)
	}
	return nil
}

// hijackError says which ResponseWriter does not let go of its connection, and what to
// do about it.
func hijackError(rw http.ResponseWriter, err error) error {
	for {
		inner, ok := rw.(interface{ Unwrap() http.ResponseWriter })
		if _, isHijacker := rw.(http.Hijacker); isHijacker || !ok {
			break
		}
		rw = inner.Unwrap()
	}
	name := fmt.Sprintf("%.100s", fmt.Sprintf("%T", rw))
	if named := reflect.Indirect(reflect.ValueOf(rw)); named.IsValid() && named.Type().PkgPath() != "" {
		name += fmt.Sprintf(" of package %.100s", named.Type().PkgPath())
	}
	_, isHijacker := rw.(http.Hijacker)
	cure := "its middleware hides the method Hijack: give it a method Unwrap() http.ResponseWriter, or put the guard outside of that middleware"
	switch {
	case isHijacker && !errors.Is(err, http.ErrNotSupported):
		cure = "its method Hijack failed"
	case strings.HasPrefix(name, "*http.timeoutWriter "):
		cure = "http.TimeoutHandler cannot carry WebSockets: put the guard outside of it"
	case strings.HasPrefix(name, "*httptest.ResponseRecorder "):
		cure = "it has no connection: test with httptest.NewServer"
	}
	return fmt.Errorf("wsauth: the connection cannot be taken over: %w; the ResponseWriter is a %s; %s", err, name, cure)
}

// Hijack implements [http.Hijacker] for gorilla/websocket, which has the connection
// read from the inlet.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := a.takeOver(); err != nil {
		return nil, nil, err
	}
	a.isGiven = true
	a.in.borrow(a.conn) // gorilla reads from a buffer that is given to it if it has more than 256 bytes
	return a.conn, bufio.NewReadWriter(&a.in.buf, a.buffers.Writer), nil
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if a.conn == nil {
		a.ResponseWriter.WriteHeader(status)
		return
	}
	a.status = status
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(p []byte) (int, error) {
	if a.conn == nil {
		return a.ResponseWriter.Write(p)
	}
	return a.body.Write(p)
}

// finish sends the refusal if it is to be written by hand, and ends the connection if
// it did not become a WebSocket. The client is given some time to end it first, unless
// too many are given that already.
func (a *answer) finish(g *Guard) {
	if a.conn == nil || a.isGiven {
		return
	}
	isHeld := g.lobby.hold(a.conn)
	if isHeld {
		defer g.lobby.letGo(a.conn)
	}
	defer func() { _ = a.conn.Close() }()
	if a.status == 0 { // there was a panic
		return
	}
	a.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	refused := http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Close: true, Header: a.Header(),
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()),
	}
	_ = a.conn.SetDeadline(time.Now().Add(g.cfg.CloseTimeout))
	if refused.Write(a.buffers) == nil && a.buffers.Flush() == nil && isHeld {
		hangUp(a.conn)
	}
}

// hangUp has a peer know that it is sent nothing more, and waits for it to end the
// connection. With the rest of what it sent unread, closing would reset the connection,
// and the peer might never see what it was told last.
func hangUp(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}
