package httpauth_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// protocols are those that streams are tested with.
var protocols = []string{"HTTP/1.0", "HTTP/1.1", "HTTP/2"}

// streamSite is a program that serves one stream.
type streamSite struct {
	*site
	t      testing.TB
	server *httptest.Server
	proto  string
	dial   func(context.Context, string, string) (net.Conn, error)
}

// newStream serves handler as a stream by a protocol.
func newStream(t testing.TB, proto string, how setup, handler http.HandlerFunc) *streamSite {
	t.Helper()
	s := newSite(t, how)
	return serveStream(t, s, proto, s.web.Stream(paseto.Requirement{}, handler))
}

// serveStream serves a handler that is guarded already, on a pipe if there is one.
func serveStream(t testing.TB, s *site, proto string, handler http.Handler, listener ...*testsocket.Pipes) *streamSite {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	dial := new(net.Dialer).DialContext
	for _, pipe := range listener {
		_ = server.Listener.Close()
		server.Listener, dial = pipe, pipe.Dial
	}
	if server.EnableHTTP2 = proto == "HTTP/2"; server.EnableHTTP2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	if transport, ok := server.Client().Transport.(*http.Transport); ok {
		transport.DialContext = dial
	}
	t.Cleanup(func() {
		_ = s.web.Keeper().Shutdown(noTime) // cuts what a failed test has left
		server.Close()
	})
	return &streamSite{site: s, t: t, server: server, proto: proto, dial: dial}
}

// opened is a response whose body is being read.
type opened struct {
	status int
	header http.Header
	body   io.Reader
}

// open asks for the stream, which must be answered with 200.
func (s *streamSite) open(parts ...part) opened {
	s.t.Helper()
	res := s.ask(parts...)
	if res.status != http.StatusOK {
		s.t.Fatalf("the stream is answered with %d", res.status)
	}
	return res
}

func (s *streamSite) ask(parts ...part) opened {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range parts {
		p(r)
	}
	if s.proto == "HTTP/1.0" {
		return s.askOld(r)
	}
	res, err := s.server.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = res.Body.Close() })
	return opened{res.StatusCode, res.Header, res.Body}
}

// askOld sends a request of HTTP/1.0, which Go's client does not.
func (s *streamSite) askOld(r *http.Request) opened {
	s.t.Helper()
	conn, err := s.dial(s.t.Context(), "tcp", s.server.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	text := "GET / HTTP/1.0\r\n"
	for name := range r.Header {
		text += name + ": " + r.Header.Get(name) + "\r\n"
	}
	if _, err := io.WriteString(conn, text+"\r\n"); err != nil {
		s.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = res.Body.Close() })
	return opened{res.StatusCode, res.Header, res.Body}
}

// end ends a right in one of the ways that rights end.
type end struct {
	name  string
	cause error
	by    func(*streamSite)
}

// ends are ways that a right of alice ends.
var ends = []end{
	{"expired", paseto.ErrExpired, func(s *streamSite) {
		s.clock.Advance(s.auth.Config().AccessTTL + s.auth.Config().Leeway)
		if err := s.web.Keeper().Recheck(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	}},
	{"revoked", paseto.ErrRevoked, func(s *streamSite) {
		if err := s.auth.RevokeSubject(s.t.Context(), "alice", s.clock.Now()); err != nil {
			s.t.Error(err)
		}
	}},
	{"shutdown", live.ErrShutdown, func(s *streamSite) {
		s.t.Cleanup(waitFor(func() { _ = s.web.Keeper().Shutdown(context.Background()) }))
	}},
}

// waitFor runs f, and returns what waits for its return.
func waitFor(f func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return func() { <-done }
}

// readAll returns what is left of a body, and whether it ends in order.
func readAll(res opened) (text string, complete bool) {
	body, err := io.ReadAll(res.body)
	return string(body), err == nil
}

// flush sends what a handler has written.
func flush(t testing.TB, w http.ResponseWriter) {
	t.Helper()
	if err := http.NewResponseController(w).Flush(); err != nil {
		t.Error(err)
	}
}

// noGrace has a stream that is not looked after be cut at once.
var noGrace = setup{web: httpauth.Config{Stream: httpauth.StreamConfig{Grace: time.Millisecond}}}

// alice is the header with a token of alice.
func (s *streamSite) alice() part { return s.bearerOf("alice") }
