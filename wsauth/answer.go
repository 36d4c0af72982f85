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

// A client may send data after its handshake without waiting for the answer, which it must
// not. net/http shows such data only after Hijack. So the guard takes the connection over
// early: before it uses up a ticket, and before it closes the oldest connection of a subject.
// After that, only a failure of the network can keep the connection from becoming a WebSocket.
// net/http does not answer any more then. The guard writes a refusal itself, and middleware
// does not see it.

// answer is the ResponseWriter of a handshake. It implements [http.Hijacker], through
// the wrappers that middleware puts around a ResponseWriter.
type answer struct {
	http.ResponseWriter

	conn    net.Conn          // nil before takeOver
	buffers *bufio.ReadWriter // of conn
	in      *inlet            // what gorilla/websocket will read from
	isGiven bool              // gorilla/websocket has the connection

	status int          // of a refusal that finish has to write, 0 for none
	body   bytes.Buffer // of that refusal
}

// takeOver takes the connection from net/http, unless that was done before. The error says why
// the connection cannot become a WebSocket.
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

// hijackError says which ResponseWriter does not give its connection away, and how to mend it.
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

// Hijack implements [http.Hijacker] for gorilla/websocket, which will read from the inlet.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := a.takeOver(); err != nil {
		return nil, nil, err
	}
	a.isGiven = true
	a.in.borrow(a.conn) // gorilla reads from the buffer that it gets here, if that has more than 256 bytes
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

// finish writes the refusal if net/http cannot, and closes the connection if it did not become
// a WebSocket. It first waits some time for the client to close the connection, unless too many
// clients are waited for already.
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

// hangUp tells the peer that nothing more will be sent, and waits until the peer closes the
// connection. Closing at once, with unread data of the peer, would reset the connection, and
// the peer might never see the last message.
func hangUp(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_, _ = io.Copy(io.Discard, conn)
}
