package httpauth_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// reader reads server-sent events as clients do, and the comments between them.
type reader struct {
	lines *bufio.Scanner
}

func newReader(body io.Reader) *reader { return &reader{bufio.NewScanner(body)} }

// block returns the lines until the next empty one, and false at the end.
func (r *reader) block() (text string, ok bool) {
	for r.lines.Scan() {
		if r.lines.Text() == "" {
			return text, true
		}
		text += r.lines.Text() + "\n"
	}
	return text, false
}

// last reads the last event of a stream: its type and what it says.
func (r *reader) last(t testing.TB) (kind string, said httpauth.EndEvent) {
	t.Helper()
	text, ok := r.block()
	kind, data, found := strings.Cut(strings.TrimPrefix(text, "event: "), "\ndata: ")
	if !ok || !found {
		t.Fatalf("the last event is %q", text)
	}
	if err := json.Unmarshal([]byte(data), &said); err != nil {
		t.Fatal(err)
	}
	return kind, said
}

// begin begins the events of a handler's request.
func begin(t testing.TB, r *http.Request) *httpauth.EventStream {
	t.Helper()
	events, err := httpauth.Events(r)
	if err != nil {
		t.Error(err)
	}
	return events
}

// TestEvents compares what is sent with the format that clients read.
func TestEvents(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		event httpauth.Event
		sent  string
		err   string
	}{
		{name: "text", event: httpauth.Event{Data: "hello"}, sent: "data: hello\n"},
		{name: "all", event: httpauth.Event{ID: "7", Type: "move", Data: "e4", Retry: 1500 * time.Millisecond}, sent: "retry: 1500\nid: 7\nevent: move\ndata: e4\n"},
		{name: "lines", event: httpauth.Event{Data: "a\nb\r\nc\rd\n\ne"}, sent: "data: a\ndata: b\ndata: c\ndata: d\ndata: \ndata: e\n"},
		{name: "no event of its own", event: httpauth.Event{Data: "a\n\nevent: end"}, sent: "data: a\ndata: \ndata: event: end\n"},
		{name: "type alone", event: httpauth.Event{Type: "tick"}, sent: "event: tick\ndata: \n"},
		{name: "retry alone", event: httpauth.Event{Retry: time.Nanosecond}, sent: "retry: 1\n"},
		{name: "ID alone", event: httpauth.Event{ID: "8"}, sent: "id: 8\n"},
		{name: "UTF-8", event: httpauth.Event{ID: "№8", Data: "héllo"}, sent: "id: №8\ndata: héllo\n"},
		{name: "bad UTF-8", event: httpauth.Event{Data: "\xff"}, err: "Data is not valid UTF-8"},
		{name: "line in ID", event: httpauth.Event{ID: "8\ndata: x"}, err: "ID has a line break"},
		{name: "line in type", event: httpauth.Event{Type: "a\rb"}, err: "Type has a line break"},
		{name: "zero byte in ID", event: httpauth.Event{ID: "\x00"}, err: "ID has a line break or a zero byte"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStream(t, "HTTP/1.1", setup{}, func(_ http.ResponseWriter, r *http.Request) {
				err := begin(t, r).Send(test.event)
				if failed := err != nil; failed != (test.err != "") || failed && !strings.Contains(err.Error(), test.err) {
					t.Errorf("Send returns %v, want %q", err, test.err)
				}
			})
			text, complete := readAll(s.open(s.alice()))
			if test.sent != "" {
				test.sent += "\n"
			}
			if text != test.sent || !complete {
				t.Errorf("sent is %q, want %q, complete: %t", text, test.sent, complete)
			}
		})
	}
}

// TestEventsEnd: the last event says why a stream ends and what to do, whether the handler
// looks at its context or is busy. The response of one that returns is complete.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	reconnect := map[string]httpauth.Reconnect{
		"expired": httpauth.ReconnectRefreshed, "revoked": httpauth.ReconnectRefreshed, "shutdown": httpauth.ReconnectNow,
	}
	for _, proto := range protocols {
		for _, end := range ends {
			t.Run(proto+" "+end.name, func(t *testing.T) {
				t.Parallel()
				busy, after := make(chan struct{}), make(chan error, 1)
				how := setup{web: httpauth.Config{Stream: httpauth.StreamConfig{Grace: 10 * time.Minute, EndEvent: "over"}}}
				s := newStream(t, proto, how, func(_ http.ResponseWriter, r *http.Request) {
					events := begin(t, r)
					_ = events.Send(httpauth.Event{ID: "1", Data: "last seen " + events.LastEventID()})
					<-busy
					after <- errors.Join(events.Send(httpauth.Event{Data: "more"}), context.Cause(r.Context()))
				})
				res := s.open(s.alice(), header("Last-Event-ID", "0"))
				for name, value := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
					if got := res.header.Get(name); got != value {
						t.Errorf("%s is %q, want %q", name, got, value)
					}
				}
				events := newReader(res.body)
				if text, _ := events.block(); text != "id: 1\ndata: last seen 0\n" {
					t.Errorf("the first event is %q", text)
				}
				end.by(s)
				kind, said := events.last(t) // while the handler is busy
				code := httpauth.Refusal(end.cause).Code
				if want := (httpauth.EndEvent{Code: code, Message: code.Message(), Reconnect: reconnect[end.name]}); kind != "over" || said != want {
					t.Errorf("the last event is %s %+v, want over %+v", kind, said, want)
				}
				close(busy)
				if err := <-after; !errors.Is(err, end.cause) || strings.Count(err.Error(), code.Message()) != 2 {
					t.Errorf("the handler sees %v, want the cause %v twice", err, end.cause)
				}
				if text, more := events.block(); more || text != "" || events.lines.Err() != nil {
					t.Errorf("after the last event comes %q, %v; want the end", text, events.lines.Err())
				}
			})
		}
	}
}

// TestEventsOfBusyHandler: a handler that does not return has its stream cut after the last
// event.
func TestEventsOfBusyHandler(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols[1:] {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				busy := make(chan struct{})
				defer close(busy)
				s := newSite(t, setup{})
				site := serveStream(t, s, proto, s.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, _ = httpauth.Events(r) // which the end may overtake
					<-busy
				})), testsocket.NewPipes())
				events := newReader(site.open(site.alice()).body)
				ends[1].by(site)
				if kind, said := events.last(t); kind != "end" || said.Code != paseto.ErrRevoked {
					t.Errorf("the last event is %s %+v", kind, said)
				}
				if text, more := events.block(); more || events.lines.Err() == nil {
					t.Errorf("after the last event comes %q, %v; want an end by force", text, events.lines.Err())
				}
			})
		})
	}
}

// TestEventsEndAtOnce: a right that ends while its stream begins has its last event all the
// same.
func TestEventsEndAtOnce(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			base := newSite(t, setup{})
			guarded := base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := begin(t, r).Send(httpauth.Event{Data: "late"}); !errors.Is(err, paseto.ErrRevoked) {
					t.Errorf("Send returns %v, want the cause", err)
				}
				http.Error(w, "more", http.StatusInternalServerError)
			}))
			s := serveStream(t, base, proto, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				guarded.ServeHTTP(flushed{w, sync.OnceFunc(func() { onlyRight(t, base).End(paseto.ErrRevoked) })}, r)
			}))
			events := newReader(s.open(s.alice()).body)
			if kind, said := events.last(t); kind != "end" || said.Code != paseto.ErrRevoked {
				t.Errorf("the last event is %s %+v", kind, said)
			}
			if text, more := events.block(); more || text != "" || events.lines.Err() != nil {
				t.Errorf("after the last event comes %q, %v", text, events.lines.Err())
			}
		})
	}
}

// flushed does something after a flush.
type flushed struct {
	http.ResponseWriter
	then func()
}

func (f flushed) Unwrap() http.ResponseWriter { return f.ResponseWriter }

func (f flushed) FlushError() error {
	defer f.then()
	return http.NewResponseController(f.ResponseWriter).Flush()
}

// TestEventsFromManyGoroutines: events and heartbeats are not mixed up, and the end comes last.
func TestEventsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	const senders, each = 4, 50
	for _, proto := range protocols[1:] {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			how := setup{web: httpauth.Config{Stream: httpauth.StreamConfig{Heartbeat: time.Millisecond}}}
			s := newStream(t, proto, how, func(_ http.ResponseWriter, r *http.Request) {
				events := begin(t, r)
				var all sync.WaitGroup
				for sender := range senders {
					all.Go(func() {
						for n := range each {
							_ = events.Send(httpauth.Event{Type: "n", Data: fmt.Sprint(sender, n)})
						}
						<-r.Context().Done()
						for events.Send(httpauth.Event{Data: "late"}) == nil {
							t.Error("an event is taken after the end")
						}
					})
				}
				all.Wait()
			})
			events := newReader(s.open(s.alice()).body)
			for got, beats := 0, 0; got < senders*each || beats < 3; {
				switch text, ok := events.block(); {
				case !ok:
					t.Fatalf("the stream ends after %d events", got)
				case text == ":\n":
					beats++
				case strings.HasPrefix(text, "event: n\ndata: ") && strings.Count(text, "\n") == 2:
					got++
				default:
					t.Fatalf("an event is %q", text)
				}
			}
			ends[1].by(s)
			text, ok := events.block()
			for text == ":\n" {
				text, ok = events.block()
			}
			if !ok || !strings.HasPrefix(text, "event: end\n") {
				t.Errorf("the last event is %q", text)
			}
			if text, more := events.block(); more || events.lines.Err() != nil {
				t.Errorf("after the last event comes %q, %v", text, events.lines.Err())
			}
		})
	}
}

// TestEventsSlowClient: a client that does not read has its right end, by an event or by a
// heartbeat.
func TestEventsSlowClient(t *testing.T) {
	t.Parallel()
	for name, heartbeat := range map[string]time.Duration{"event": time.Hour, "heartbeat": time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{web: httpauth.Config{Stream: httpauth.StreamConfig{Heartbeat: heartbeat}}})
				ended, listener := make(chan error, 1), testsocket.NewPipes()
				site := serveStream(t, s, "HTTP/1.0", s.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					events := begin(t, r)
					if name == "event" {
						if err := events.Send(httpauth.Event{Data: "hello"}); !errors.Is(err, live.ErrSlow) {
							t.Errorf("Send returns %v, want %v", err, live.ErrSlow)
						}
					}
					<-r.Context().Done()
					ended <- context.Cause(r.Context())
				})), listener)
				site.open(site.alice()) // and read the headers alone
				if err := <-ended; !errors.Is(err, live.ErrSlow) {
					t.Errorf("the cause is %v, want %v", err, live.ErrSlow)
				}
			})
		})
	}
}

// TestEventsPanicSlowClient: a client that does not read does not keep the place of a handler
// that panicked.
func TestEventsPanicSlowClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		s := newSite(t, setup{observe: func(e live.Event) {
			if e.Kind == live.EventEnded {
				ended <- e.Err
			}
		}})
		guarded := s.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			begin(t, r)
			panic("boom")
		}))
		site := serveStream(t, s, "HTTP/1.0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				_ = recover()
				panic(http.ErrAbortHandler)
			}()
			guarded.ServeHTTP(w, r)
		}), testsocket.NewPipes())
		site.open(site.alice()) // and read the headers alone
		select {
		case err := <-ended:
			if !errors.Is(err, live.ErrPanic) {
				t.Errorf("the right ends with %v, want %v", err, live.ErrPanic)
			}
		case <-time.After(time.Minute):
			t.Error("the right keeps its place")
		}
	})
}

// TestEventsCannotFlush: where nothing can be sent before the handler returns, the handler
// can still answer with an error.
func TestEventsCannotFlush(t *testing.T) {
	t.Parallel()
	base := newSite(t, setup{})
	guarded := base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := httpauth.Events(r); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("Events returns %v, want %v", err, http.ErrNotSupported)
		}
		http.Error(w, "no events", http.StatusInternalServerError)
	}))
	a := get(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}), base.bearerOf("alice"))
	if a.status != http.StatusInternalServerError || a.header.Get("Content-Type") == "text/event-stream" {
		t.Errorf("the answer is %d %v", a.status, a.header)
	}
}

// TestLastEventID: the header wins, for the parameter is of the page that opened the stream.
func TestLastEventID(t *testing.T) {
	t.Parallel()
	s := newStream(t, "HTTP/1.1", setup{}, func(_ http.ResponseWriter, r *http.Request) {
		events := begin(t, r)
		if begin(t, r) != events {
			t.Error("a request has two streams of events")
		}
		_ = events.Send(httpauth.Event{Data: events.LastEventID()})
	})
	inURL := func(r *http.Request) { r.URL.RawQuery = "lastEventId=7" }
	for want, parts := range map[string][]part{"": {}, "7": {inURL}, "8": {inURL, header("Last-Event-ID", "8")}} {
		text, _ := readAll(s.open(append(parts, s.alice())...))
		if want != "" {
			want = "data: " + want + "\n"
		}
		if text != want+"\n" {
			t.Errorf("the event is %q, want %q", text, want)
		}
	}
}

func TestEventsWithoutStream(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	a := get(t, s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := httpauth.Events(r)
		_, _ = fmt.Fprint(w, err)
	})))
	checkOK(t, a, "httpauth: the request has no stream: guard the handler with Web.Stream, and call Events with the request that the handler gets")
}
