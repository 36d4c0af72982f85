package httpauth

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// Header implements [http.ResponseWriter].
func (s *stream) Header() http.Header { return s.header }

// WriteHeader implements [http.ResponseWriter].
func (s *stream) WriteHeader(status int) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.inForce() != nil {
		return
	}
	if status >= http.StatusOK { // else another one follows
		s.begin()
	}
	s.inner.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (s *stream) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.inForce(); err != nil {
		return 0, err
	}
	s.begin()
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
	s.begin()
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
	if err := s.inForce(); err != nil {
		return err
	}
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
