package httpauth

import (
	"cmp"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// How a response is cut. The code relies on these properties of net/http, as of Go 1.26:
//
//   - A write deadline in the past makes a Write or Flush that hangs return, in any goroutine.
//     Over HTTP/1.1 it is the deadline of the connection: nothing is sent after it, not even
//     what net/http has buffered. Over HTTP/2 it resets the stream at once. It may be set
//     while a Write runs, and does not wait for the client.
//   - A read deadline in the past makes a Read of the body return. Over HTTP/1.1 net/http then
//     also believes that the client has gone, so that the connection serves no other request.
//   - Hijack works while the handler runs, only over HTTP/1.1, and from another goroutine too
//     if nobody writes meanwhile. It makes a Read of the body return, and waits for it. After
//     Hijack the return of the handler does not end the response.
//   - If a handler panics with http.ErrAbortHandler, its response is not completed: the
//     connection is closed, or the stream is reset.
//
// Nothing of a ResponseWriter may be used after the handler has returned: the connection may
// already serve another request.

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
		_ = s.server().SetWriteDeadline(time.Now().Add(grace)) // the last event is to go out
		go s.alone(s.events.end)
	} else {
		s.freeAll()
	}
	s.cutting = time.AfterFunc(grace, func() { s.alone(s.cut) })
}

// freeAll makes every read and write return, now and later. It is called with mu held.
func (s *stream) freeAll() {
	_ = s.server().SetWriteDeadline(past)
	_ = s.server().SetReadDeadline(past)
}

// server controls the response of net/http itself. Middleware around it may refuse to end a
// response that has begun, as gin does.
func (s *stream) server() *http.ResponseController {
	w := s.inner
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return http.NewResponseController(w)
		}
		w = outer.Unwrap()
	}
}

// alone runs f on a goroutine that is not the request's, and logs a panic. There a panic of
// middleware that f calls would end the program.
func (s *stream) alone(f func()) {
	defer func() {
		if panicked := recover(); panicked != nil {
			s.web.clientLog.Write(s.life, s.client, slog.LevelError, "ResponseWriter of middleware panicked",
				"panic", panicked, "path", s.path, "stack", clientlog.Stack(debug.Stack()))
		}
	}()
	f()
}

// Cut implements [live.Cutter].
func (s *stream) Cut() { go s.alone(s.cut) }

// cut ends the response of a handler that has not returned within the grace.
func (s *stream) cut() {
	s.mu.Lock()
	runs := s.started && !s.returned && s.hijacked == nil // which has been closed
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
	if !s.sever() {
		s.web.clientLog.Write(s.life, s.client, slog.LevelError,
			"stream cannot be cut before its handler returns: a ResponseWriter around that of net/http has no method Unwrap",
			"path", s.path, "err", s.ended())
	}
}

// sever closes the connection of an HTTP/1 response, and reports whether it could. Over HTTP/2
// the deadline has already reset the stream. It is called with writing held.
func (s *stream) sever() bool {
	if s.request.ProtoMajor > 1 {
		return true
	}
	conn, _, err := s.server().Hijack()
	if err != nil {
		return false
	}
	s.severed = true
	sever(conn, s.endsWithConnection())
	return true
}

// endsWithConnection reports whether the body ends where the connection ends. Then an orderly
// close would make the body look complete.
func (s *stream) endsWithConnection() bool {
	return !s.request.ProtoAtLeast(1, 1) || s.identity
}

// sever closes a connection. It does not send the last message of TLS, which could take time.
// With reset, the client sees a failure instead of an orderly close.
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

// finish ends the stream after its handler has returned or panicked.
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
	_ = s.right.Err() // ends it if it is over
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
	inTime := ending == nil && s.cause == nil
	if s.cause == nil {
		s.cause = cmp.Or(ending, error(refusal.New(live.ErrClosed)))
	}
	switch {
	case s.hijacked != nil:
		sever(s.hijacked, false)
		return true // net/http does nothing more
	case inTime, ordered && ending != nil:
		return true
	case s.severed:
	case s.endsWithConnection():
		s.sever()
	default: // nothing more goes out even if middleware recovers the panic that is to abort it
		s.freeAll()
	}
	return false
}
