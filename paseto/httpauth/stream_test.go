package httpauth_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestStreamEnds has handlers that look at their context. All that they do after the end
// fails with its cause, and what they have sent never looks complete.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	notTold := end{"holder not told yet", paseto.ErrRevoked, func(s *streamSite) { onlyRight(s.t, s.site).GiveUp(paseto.ErrRevoked) }}
	for _, proto := range protocols {
		for _, end := range append(slices.Clone(ends), notTold) {
			for _, length := range []string{"", "5"} {
				t.Run(proto+" "+end.name+" length "+length, func(t *testing.T) {
					t.Parallel()
					after := make(chan []error, 1)
					s := newStream(t, proto, setup{}, func(w http.ResponseWriter, r *http.Request) {
						control := http.NewResponseController(w)
						if length != "" {
							w.Header().Set("Content-Length", length)
							_ = control.Flush()
							_, _ = io.WriteString(w, "hello") // all of it, but not sent yet
						} else {
							_, _ = io.WriteString(w, "hello")
							_ = control.Flush()
						}
						<-r.Context().Done()
						_, write := w.Write([]byte("more"))
						_, copied := io.Copy(w, &onlyReader{})
						_, _, hijack := control.Hijack()
						after <- []error{
							context.Cause(r.Context()), write, copied, hijack, control.Flush(),
							control.SetWriteDeadline(time.Now().Add(time.Hour)), control.SetReadDeadline(time.Time{}), control.EnableFullDuplex(),
						}
					})
					res := s.open(s.alice())
					end.by(s)
					for i, err := range <-after {
						if !errors.Is(err, end.cause) {
							t.Errorf("error %d is %v, want the cause %v", i, err, end.cause)
						}
					}
					if text, complete := readAll(res); complete {
						t.Errorf("the response %q looks complete", text)
					}
				})
			}
		}
	}
}

// onlyReader is a short text.
type onlyReader struct{ read bool }

func (r *onlyReader) Read(p []byte) (int, error) {
	if r.read {
		return 0, io.EOF
	}
	r.read = true
	return copy(p, "more"), nil
}

// TestStreamAmongMiddleware: the response does not look complete either where middleware
// recovers the panic that aborts it, and is cut where middleware refuses to give the connection
// away after a write, or panics.
func TestStreamAmongMiddleware(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprint(proto, " busy ", busy), func(t *testing.T) {
				t.Parallel()
				base, returns := newSite(t, noGrace), make(chan struct{})
				guarded := base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, "hello")
					flush(t, w)
					<-r.Context().Done()
					if busy {
						<-returns
					}
				}))
				s := serveStream(t, base, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					defer func() { _ = recover() }()
					guarded.ServeHTTP(stubborn{w}, r)
				}))
				res := s.open(s.alice())
				ends[1].by(s)
				if text, complete := readAll(res); complete {
					t.Errorf("the response %q looks complete", text)
				}
				close(returns)
			})
		}
	}
}

// stubborn does not give the connection away.
type stubborn struct{ http.ResponseWriter }

func (s stubborn) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s stubborn) Hijack() (net.Conn, *bufio.ReadWriter, error) { panic("not after a write") }

// TestStreamIsCut has handlers that do not look at their context, and peers that do not
// take what is sent.
func TestStreamIsCut(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			busy, after := make(chan struct{}), make(chan error, 1)
			s := newStream(t, proto, noGrace, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
				flush(t, w)
				<-busy
				_, err := w.Write([]byte("more"))
				after <- err
			})
			res := s.open(s.alice())
			hello := make([]byte, 5)
			if _, err := io.ReadFull(res.body, hello); err != nil {
				t.Fatal(err)
			}
			ends[1].by(s)
			if text, complete := readAll(res); complete { // while the handler is busy
				t.Errorf("after %q the client reads %q and a complete end", hello, text)
			}
			close(busy)
			if err := <-after; !errors.Is(err, paseto.ErrRevoked) {
				t.Errorf("a write after the cut returns %v, want the cause", err)
			}
		})
	}
}

// TestStreamFreesHandlers has handlers that are stuck: in a Write to a client that does not
// read, and in a Read from one that does not write. The end frees them without the grace.
func TestStreamFreesHandlers(t *testing.T) {
	t.Parallel()
	for name, stuck := range map[string]func(http.ResponseWriter, *http.Request) error{
		"write": func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write(make([]byte, 64<<20)) // more than buffers and windows hold
			return err
		},
		"read": func(w http.ResponseWriter, r *http.Request) error {
			control := http.NewResponseController(w)
			if err := errors.Join(control.EnableFullDuplex(), control.Flush()); err != nil {
				return err
			}
			_, err := r.Body.Read(make([]byte, 1))
			return err
		},
	} {
		for _, proto := range protocols[1:] {
			t.Run(name+" "+proto, func(t *testing.T) {
				t.Parallel()
				base := newSite(t, setup{web: httpauth.Config{Stream: httpauth.StreamConfig{Grace: 10 * time.Minute}}})
				within, after := make(chan struct{}), make(chan error, 1)
				guarded := base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { after <- stuck(w, r) }))
				s := serveStream(t, base, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Body = announced{ReadCloser: r.Body, reads: within}
					guarded.ServeHTTP(announced{ResponseWriter: w, writes: within}, r)
				}))
				body, upload := io.Pipe()
				defer upload.Close()
				s.open(s.alice(), func(r *http.Request) {
					if name == "read" {
						r.Method, r.Body, r.ContentLength = http.MethodPost, body, -1
					}
				})
				<-within
				ends[1].by(s)
				if err := <-after; !errors.Is(err, paseto.ErrRevoked) {
					t.Errorf("the handler is freed with %v, want the cause", err)
				}
			})
		}
	}
}

// announced says that net/http is about to write or to read.
type announced struct {
	http.ResponseWriter
	io.ReadCloser
	writes, reads chan<- struct{}
}

func (a announced) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a announced) Write(p []byte) (int, error) {
	close(a.writes)
	return a.ResponseWriter.Write(p)
}

func (a announced) Read(p []byte) (int, error) {
	close(a.reads)
	return a.ReadCloser.Read(p)
}

// TestStreamHijacked proxies an upgraded connection. It is closed on both sides when the
// right ends.
func TestStreamHijacked(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(gone)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(conn, buffered)
	}))
	t.Cleanup(backend.Close)
	target := must(url.Parse(backend.URL))
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	s := newStream(t, "HTTP/1.1", setup{}, proxy.ServeHTTP)
	res := s.ask(s.alice(), header("Connection", "Upgrade"), header("Upgrade", "echo"))
	conn, ok := res.body.(io.ReadWriter)
	if res.status != http.StatusSwitchingProtocols || !ok {
		t.Fatalf("the upgrade is answered with %d", res.status)
	}
	echo := make([]byte, 5)
	if _, err := io.WriteString(conn, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, echo); err != nil || string(echo) != "hello" {
		t.Fatalf("the backend answers %q, %v", echo, err)
	}
	ends[1].by(s)
	if n, err := conn.Read(echo); err == nil {
		t.Errorf("%d bytes came after the end", n)
	}
	<-gone
}

// TestStreamPanics: a panic ends the right, is told, and goes on to net/http.
func TestStreamPanics(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		value    any
		cause    error
		panicked int
	}{
		{"panic", "boom", live.ErrPanic, 1},
		{"abort", http.ErrAbortHandler, live.ErrClosed, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			events := make(chan live.Event, 9)
			base := newSite(t, setup{observe: func(e live.Event) { events <- e }})
			passed := make(chan any, 1)
			guarded := base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
				flush(t, w)
				panic(test.value)
			}))
			s := serveStream(t, base, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() {
					passed <- recover()
					panic(http.ErrAbortHandler)
				}()
				guarded.ServeHTTP(w, r)
			}))
			res := s.open(s.alice())
			if value := <-passed; value != test.value {
				t.Errorf("net/http sees the panic %v, want %v", value, test.value)
			}
			if text, complete := readAll(res); complete {
				t.Errorf("the response %q looks complete", text)
			}
			want := []live.EventKind{live.EventOpened, live.EventPanicked, live.EventEnded}
			if test.panicked == 0 {
				want = []live.EventKind{live.EventOpened, live.EventEnded}
			}
			for _, kind := range want {
				e := <-events
				if e.Kind != kind || e.Claims == nil || kind != live.EventOpened && !errors.Is(e.Err, test.cause) {
					t.Errorf("the observer is told %s with %v, want %s with %v", e.Kind, e.Err, kind, test.cause)
				}
			}
		})
	}
}

// TestStreamReturns: a handler that returns in time has its response completed, its right
// released, and its connection serve the next request.
func TestStreamReturns(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			var late http.ResponseWriter
			s := newStream(t, proto, setup{live: live.Config{MaxRights: 1, PerSubject: 1}}, func(w http.ResponseWriter, r *http.Request) {
				late = w
				whoami(w, r)
			})
			for range 3 {
				if text, complete := readAll(s.open(s.alice())); text != "alice" || !complete {
					t.Errorf("the client reads %q, complete: %t", text, complete)
				}
			}
			s.server.Close() // waits for the handlers
			if places := s.web.Keeper().Stats().Places; places != 0 {
				t.Errorf("%d places are still taken", places)
			}
			if _, err := late.Write([]byte("late")); !errors.Is(err, live.ErrClosed) {
				t.Errorf("a write after the handler's return gives %v, want %v", err, live.ErrClosed)
			}
		})
	}
}
