package httpauth

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// How a response is cut. What follows relies on these properties of net/http, as of Go 1.26:
//
//   - A write deadline in the past frees a Write or Flush that is stuck, from any goroutine.
//     Over HTTP/1.1 it is the deadline of the connection, and nothing goes out after it, not
//     what net/http has buffered either. Over HTTP/2 it resets the stream at once. Setting it
//     is safe beside a Write; it does not wait for the client.
//   - A read deadline in the past frees a Read of the body. Over HTTP/1.1 it also makes
//     net/http take the client for gone, so that the connection serves no other request.
//   - Hijack works while the handler runs, over HTTP/1.1 alone, and from another goroutine too
//     if nobody writes meanwhile. It frees a Read of the body, and waits for it. The handler's
//     return then ends nothing more.
//   - A handler that panics with http.ErrAbortHandler has its response end without its end:
//     the connection is closed, or the stream reset.
//
// Nothing of a ResponseWriter may be used after the handler has returned: the connection may
// serve another request by then.

// stream is the response to a request whose right may end meanwhile. It has no Unwrap and no
// ReadFrom: what they would give is not asked whether the right is in force.
type stream struct {
	web     *Web
	inner   http.ResponseWriter
	header  http.Header
	request *http.Request
	right   *live.Right
	forget  func() // of the context

	// writing is held while inner is used, but for deadlines. Who holds it is freed by the
	// write deadline.
	writing sync.Mutex
	severed bool // Hijack has taken inner's connection to close it

	// mu is held for moments, and may be locked after writing.
	mu       sync.Mutex
	cause    error // why the right has ended
	started  bool  // the handler
	returned bool  // the handler; changes with writing held too
	hijacked net.Conn
	events   *EventStream
	writeBy  time.Time   // when the client must have taken the event that is being written
	cutting  *time.Timer // runs from the end of the right on
}

// streamKey is the key of a stream in the context of its request.
type streamKey struct{}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

func (s *stream) control() *http.ResponseController { return http.NewResponseController(s.inner) }

// context returns that of the request, which the right's derives from. Net/http ends it when
// a write fails, before that tells why: the cause is then [live.ErrSlow] already.
func (s *stream) context() context.Context {
	from := s.request.Context()
	ctx, cancel := context.WithCancelCause(context.WithValue(context.WithoutCancel(from), streamKey{}, s))
	unwatch := context.AfterFunc(from, func() {
		cause := s.slow()
		if cause == nil {
			cause = context.Cause(from)
		}
		cancel(cause)
	})
	s.forget = func() {
		unwatch()
		cancel(nil)
	}
	return ctx
}

// slow returns [live.ErrSlow] if the client should have taken an event by now.
func (s *stream) slow() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeBy.IsZero() || time.Now().Before(s.writeBy) {
		return nil
	}
	return refusal.New(live.ErrSlow)
}

// writeUntil sets the time by which the client must have taken an event, zero if there is none.
func (s *stream) writeUntil(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.writeBy = at
		_ = s.control().SetWriteDeadline(at)
	}
}

// start gives the stream its right and begins it, or returns why it has ended already.
func (s *stream) start(right *live.Right) error {
	if !right.Start() {
		return context.Cause(right.Context())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return s.cause
	}
	s.right, s.started = right, true
	return nil
}

// guarded returns r with a body that ends with the right.
func (s *stream) guarded(r *http.Request) *http.Request {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &streamBody{r.Body, s}
	}
	return r
}

// RightEnded implements [live.Holder].
func (s *stream) RightEnded(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cause = cause
	if !s.started || s.returned {
		return
	}
	if s.hijacked != nil {
		sever(s.hijacked, false)
		return
	}
	grace := s.web.cfg.Stream.Grace
	if s.events != nil {
		_ = s.control().SetWriteDeadline(time.Now().Add(grace)) // the last event is to go out
		go s.events.end()
	} else {
		s.freeAll()
	}
	s.cutting = time.AfterFunc(grace, s.cut)
}

// freeAll frees whoever reads or writes, for good. It is called with mu held.
func (s *stream) freeAll() {
	_ = s.control().SetWriteDeadline(past)
	_ = s.control().SetReadDeadline(past)
}

// Cut implements [live.Cutter].
func (s *stream) Cut() { go s.cut() }

// cut ends the response of a handler that has not returned within the grace.
func (s *stream) cut() {
	s.mu.Lock()
	runs := s.started && !s.returned
	if runs {
		s.freeAll()
	}
	s.mu.Unlock()
	if !runs {
		return
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isOver() {
		return
	}
	// Over HTTP/2 the deadline has reset the stream.
	if !s.sever() && s.request.ProtoMajor < 2 {
		s.web.clientLog.Write(s.right.Context(), s.web.client(s.request), slog.LevelError,
			"stream cannot be cut before its handler returns: a ResponseWriter around that of net/http has no method Unwrap",
			"path", s.request.URL.Path, "err", s.ended())
	}
}

// sever closes the connection of an HTTP/1 response. It is called with writing held.
func (s *stream) sever() bool {
	conn, _, err := s.control().Hijack()
	if err != nil {
		return false
	}
	s.severed = true
	sever(conn, s.endsWithConnection())
	return true
}

// endsWithConnection reports whether nothing but the end of the connection tells the client
// where the body ends: an orderly end would complete it.
func (s *stream) endsWithConnection() bool {
	return !s.request.ProtoAtLeast(1, 1) || s.header.Get("Transfer-Encoding") == "identity"
}

// sever closes a connection without a word, which TLS would need time for; by reset, it
// fails for the client.
func sever(conn net.Conn, reset bool) {
	for {
		wrapped, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		conn = wrapped.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// finish ends the stream when its handler has returned or panicked.
func (s *stream) finish() {
	panicked := recover()
	if panicked != nil && panicked != http.ErrAbortHandler { //nolint:errorlint // net/http compares so too.
		err := refusal.Newf(live.ErrPanic, "%v", panicked)
		s.web.keeper.Report(live.Event{Kind: live.EventPanicked, Right: s.right, Claims: s.right.Claims(), Err: err})
		s.right.GiveUp(err)
	}
	complete := s.close()
	s.right.Release()
	s.forget()
	switch {
	case panicked != nil:
		panic(panicked) // its stack is still below
	case !complete:
		panic(http.ErrAbortHandler)
	}
}

// close ends the use of the response, and reports whether it may look complete.
func (s *stream) close() bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.right.Live() // ends it if it is over
	ending := s.ended()
	s.mu.Lock()
	events := s.events
	s.mu.Unlock()
	ordered := events != nil && events.close(ending)

	s.mu.Lock()
	defer s.mu.Unlock()
	s.returned = true
	if s.cutting != nil {
		s.cutting.Stop()
	}
	switch {
	case s.hijacked != nil:
		sever(s.hijacked, false)
		return true // net/http does nothing more
	case s.cause == nil:
		s.cause = refusal.New(live.ErrClosed)
		return true
	case ordered && ending != nil:
		return true
	case s.endsWithConnection() && !s.severed:
		s.sever()
	}
	return false
}

// isOver reports whether inner must not be used any more. It is called with writing held.
func (s *stream) isOver() bool { return s.returned || s.severed }

// ended returns why the stream has ended, nil if it has not.
func (s *stream) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// inForce returns nil while the right is in force, and the cause afterwards. It ends a right
// whose time has come.
func (s *stream) inForce() error {
	s.right.Live()
	return s.ended()
}

// orCause returns the cause if a use of the response has failed because the right ended.
func (s *stream) orCause(err error) error {
	if err == nil {
		return nil
	}
	if cause := s.ended(); cause != nil {
		return cause
	}
	return err
}

// Header implements [http.ResponseWriter].
func (s *stream) Header() http.Header { return s.header }

// WriteHeader implements [http.ResponseWriter].
func (s *stream) WriteHeader(status int) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.inForce() == nil {
		s.inner.WriteHeader(status)
	}
}

// Write implements [http.ResponseWriter].
func (s *stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.inForce(); err != nil {
		return 0, err
	}
	n, err := s.inner.Write(p)
	return n, s.orCause(err)
}

// Flush implements [http.Flusher].
func (s *stream) Flush() { _ = s.FlushError() }

// FlushError is what [http.ResponseController] calls.
func (s *stream) FlushError() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.inForce(); err != nil {
		return err
	}
	return s.orCause(s.control().Flush())
}

// EnableFullDuplex is what [http.ResponseController] calls.
func (s *stream) EnableFullDuplex() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.inForce(); err != nil {
		return err
	}
	return s.control().EnableFullDuplex()
}

// SetWriteDeadline is what [http.ResponseController] calls.
func (s *stream) SetWriteDeadline(at time.Time) error {
	return s.setDeadline((*http.ResponseController).SetWriteDeadline, at)
}

// SetReadDeadline is what [http.ResponseController] calls.
func (s *stream) SetReadDeadline(at time.Time) error {
	return s.setDeadline((*http.ResponseController).SetReadDeadline, at)
}

// setDeadline sets a deadline, unless the right has ended: then it stands.
func (s *stream) setDeadline(set func(*http.ResponseController, time.Time) error, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return s.cause
	}
	return set(s.control(), at)
}

// Hijack implements [http.Hijacker].
func (s *stream) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.inForce(); err != nil {
		return nil, nil, err
	}
	conn, buffered, err := s.control().Hijack()
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hijacked = conn
	if s.cause != nil { // it has ended meanwhile
		sever(conn, false)
		return nil, nil, s.cause
	}
	return conn, buffered, nil
}

// streamBody is the body of a request whose right may end meanwhile.
type streamBody struct {
	io.ReadCloser
	stream *stream
}

// Read implements [io.Reader].
func (b *streamBody) Read(p []byte) (int, error) {
	if err := b.stream.inForce(); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if !errors.Is(err, io.EOF) {
		err = b.stream.orCause(err)
	}
	return n, err
}
