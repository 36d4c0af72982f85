package httpauth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

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

// TestStreamHijackedIsCut: a shutdown that has no time left finds nothing to complain of in a
// connection that was taken over: the end has closed it.
func TestStreamHijackedIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		base, hijacked, returns := newSite(t, setup{}), make(chan struct{}), make(chan struct{})
		s := serveStream(t, base, "HTTP/1.1", base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if _, _, err := http.NewResponseController(w).Hijack(); err != nil {
				t.Error(err)
			}
			close(hijacked)
			<-returns
		})), testsocket.NewPipes())
		done := waitFor(func() {
			r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL, http.NoBody))
			s.alice()(r)
			if res, err := s.server.Client().Do(r); err == nil {
				_ = res.Body.Close()
				t.Errorf("the connection answers %s", res.Status)
			}
		})
		<-hijacked
		_ = base.web.Keeper().Shutdown(noTime)
		done()
		synctest.Wait()
		if log := base.log.String(); strings.Contains(log, "cannot be cut") {
			t.Errorf("the log says %s", log)
		}
		close(returns)
	})
}

// TestStreamHeadersOfBusyHandler: a handler that is cut may use its headers meanwhile. The
// race detector finds who else does.
func TestStreamHeadersOfBusyHandler(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			cut := make(chan struct{})
			s := newStream(t, proto, setup{}, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "hello")
				flush(t, w)
				for {
					select {
					case <-cut:
						return
					default:
						w.Header().Set("X-Busy", "yes")
					}
				}
			})
			res := s.open(s.alice())
			_ = s.web.Keeper().Shutdown(noTime)
			if text, complete := readAll(res); complete {
				t.Errorf("the response %q looks complete", text)
			}
			close(cut)
		})
	}
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
				control := http.NewResponseController(w)
				if err := errors.Join(control.SetWriteDeadline(time.Now().Add(time.Hour)), control.SetReadDeadline(time.Time{})); err != nil {
					t.Error(err)
				}
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

// TestStreamClientGone: the context ends with the client, and the right with the handler.
func TestStreamClientGone(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols[1:] {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			after, told := make(chan error, 1), make(chan error, 1)
			how := setup{observe: func(e live.Event) {
				if e.Kind == live.EventEnded {
					told <- e.Err
				}
			}}
			s := newStream(t, proto, how, func(w http.ResponseWriter, r *http.Request) {
				flush(t, w)
				<-r.Context().Done()
				after <- context.Cause(r.Context())
			})
			body, ok := s.open(s.alice()).body.(io.Closer)
			if !ok {
				t.Fatal("the body cannot be closed")
			}
			_ = body.Close()
			for what, ch := range map[string]chan error{"context": after, "right": told} {
				if err := <-ch; !errors.Is(err, context.Canceled) {
					t.Errorf("the %s ends with %v, want %v", what, err, context.Canceled)
				}
			}
		})
	}
}
