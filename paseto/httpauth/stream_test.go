package httpauth_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// TestStreamIsCut has handlers that do not look at their context: they are cut after the
// grace, or by a shutdown that has no time left.
func TestStreamIsCut(t *testing.T) {
	t.Parallel()
	patient := setup{web: httpauth.Config{Stream: httpauth.StreamConfig{Grace: 10 * time.Minute}}}
	for _, proto := range protocols {
		for _, test := range []struct {
			how setup
			end end
		}{
			{noGrace, ends[1]},
			{patient, end{"hasty shutdown", live.ErrShutdown, func(s *streamSite) { _ = s.web.Keeper().Shutdown(noTime) }}},
		} {
			t.Run(proto+" "+test.end.name, func(t *testing.T) {
				t.Parallel()
				busy, after := make(chan struct{}), make(chan error, 1)
				s := newStream(t, proto, test.how, func(w http.ResponseWriter, _ *http.Request) {
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
				test.end.by(s)
				if text, complete := readAll(res); complete { // while the handler is busy
					t.Errorf("after %q the client reads %q and a complete end", hello, text)
				}
				close(busy)
				if err := <-after; !errors.Is(err, test.end.cause) {
					t.Errorf("a write after the cut returns %v, want the cause", err)
				}
			})
		}
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
