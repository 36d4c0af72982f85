package httpauth

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// stream is the response to a request whose right may end meanwhile. It has no Unwrap and no
// ReadFrom: through them a handler could write without a check of the right.
type stream struct {
	web     *Web
	inner   http.ResponseWriter
	header  http.Header
	request *http.Request // of the handler's goroutine
	client  netip.Prefix
	path    string
	right   *live.Right
	life    context.Context // the right's
	forget  func()          // of the context

	// writing is held while inner is used, except to set deadlines. A write deadline makes a
	// holder that hangs return.
	writing  sync.Mutex
	severed  bool // Hijack has taken inner's connection to close it
	begun    bool // the response; its headers count no more
	identity bool // and they say that nothing but the connection's end ends the body

	// mu is held for moments, and may be locked after writing.
	mu       sync.Mutex
	cause    error // why the right has ended
	started  bool  // the handler
	returned bool  // the handler; it changes only with writing held too
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

// context returns the context that the right's derives from. It ends with that of the request.
// net/http ends that one when a write fails, before the write returns its error. So for a slow
// client the cause is set to [live.ErrSlow] here.
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

// writeUntil sets the time by which the client must have taken an event; zero for none.
func (s *stream) writeUntil(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.writeBy = at
		_ = s.control().SetWriteDeadline(at)
	}
}

// start gives the stream its right and starts it, or returns why the right has ended already.
func (s *stream) start(right *live.Right) error {
	if !right.Start() {
		return context.Cause(right.Context())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause != nil {
		return s.cause
	}
	s.right, s.life, s.started = right, right.Context(), true
	return nil
}

// guarded returns r with a body that ends with the right.
func (s *stream) guarded(r *http.Request) *http.Request {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &streamBody{r.Body, s}
	}
	return r
}

// begin notes what the headers say when the response begins: the handler alone may read them,
// and what cuts the response is not the handler. It is called with writing held.
func (s *stream) begin() {
	if !s.begun {
		s.begun, s.identity = true, s.header.Get("Transfer-Encoding") == "identity"
	}
}

// isOver reports whether inner must not be used any more. It is called with writing held.
func (s *stream) isOver() bool { return s.returned || s.severed }

// ended returns why the stream has ended, nil if it has not. It also asks the right, which may
// have ended a moment before [stream.RightEnded] is called.
func (s *stream) ended() error {
	s.mu.Lock()
	cause := s.cause
	s.mu.Unlock()
	if cause == nil && s.right.Ended() {
		<-s.life.Done() // right after
		cause = context.Cause(s.life)
	}
	return cause
}

// inForce returns nil while the right is in force, and the cause afterwards. It ends a right
// whose time has come.
func (s *stream) inForce() error {
	_ = s.right.Err()
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
