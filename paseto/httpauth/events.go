package httpauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/paseto"
)

// Event is a server-sent event. Without Type and Data it only tells the client ID and Retry.
type Event struct {
	// ID is what the client sends as [EventStream.LastEventID] when it connects again.
	// Default: the ID of the event before.
	ID string
	// Type is the event that a page listens for. Default message.
	Type string
	// Data is the text of the event, of any number of lines.
	Data string
	// Retry is how long the client waits before it connects again by itself, in whole
	// milliseconds. Default: the last value that it was told, or a few seconds.
	Retry time.Duration
}

// EventStream sends server-sent events (the format of EventSource, text/event-stream). Its
// methods may be called from any goroutine, until the handler returns.
type EventStream struct {
	stream *stream

	// The stream's field writing guards what follows.
	heartbeat *time.Timer
	failed    error // why nothing more can be sent
	last      bool  // whether an attempt to send the last event was made
	complete  bool  // whether it was sent
}

// EndEvent is the data of the last event of a stream, as JSON.
type EndEvent struct {
	// Code is the code of the cause of the end.
	Code paseto.Code `json:"code"`
	// Message says the cause in words.
	Message string `json:"message"`
	// Reconnect is what the client should do.
	Reconnect Reconnect `json:"reconnect"`
}

// Events begins a stream of server-sent events, as the response to a request of [Web.Stream],
// and sends its headers. After [StreamConfig.Heartbeat] without an event it sends a comment, so
// that proxies do not close the connection. If the client does not take an event or a comment
// within [StreamConfig.WriteTimeout], the right ends with [live.ErrSlow]. The WriteTimeout of
// the server does not count any more.
//
// When the right ends, the client gets a last event of the type [StreamConfig.EndEvent] with an
// [EndEvent], whatever the handler is doing. The response is complete when the handler has
// returned.
//
// Events writes to the ResponseWriter that Stream was given. So middleware between Stream and
// the handler does not see what it writes. Write nothing else to the response. The error is the
// cause if the right has ended. It is another one if the ResponseWriter cannot send anything
// before the handler returns. After an error the response has not begun.
func Events(r *http.Request) (*EventStream, error) {
	s, ok := r.Context().Value(streamKey{}).(*stream)
	if !ok {
		return nil, errNoStream
	}
	return s.beginEvents()
}

var errNoStream = errors.New("httpauth: the request has no stream: guard the handler with Web.Stream, and call Events with the request that the handler gets")

func (s *stream) beginEvents() (*EventStream, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.inForce(); err != nil {
		return nil, err
	}
	if s.events != nil {
		return s.events, nil
	}
	e := &EventStream{stream: s}
	if err := s.setEvents(e); err != nil {
		return nil, err
	}
	before := s.header.Clone()
	s.header.Set("Content-Type", "text/event-stream")
	s.header.Set("Cache-Control", "no-store")
	s.header.Set("X-Accel-Buffering", "no") // nginx
	s.header.Del("Content-Length")
	s.begin()
	e.heartbeat = time.AfterFunc(s.web.cfg.Stream.Heartbeat, func() { s.alone(e.beat) })
	err := e.write("")
	if errors.Is(err, http.ErrNotSupported) { // nothing was sent
		e.heartbeat.Stop()
		clear(s.header)
		maps.Copy(s.header, before)
		_ = s.setEvents(nil)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// setEvents makes s a stream of events, so that it gets a last event, unless its right has
// ended. With nil s is not a stream of events any more.
func (s *stream) setEvents(e *EventStream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cause == nil {
		s.events = e
	}
	return s.cause
}

// LastEventID returns the ID of the last event that the client got before it connected again,
// empty if the client sends none. An EventSource that connects again by itself sends it in the
// header Last-Event-ID. A page that opens a new EventSource can send it in the parameter
// lastEventId of the URL; the header goes first.
func (e *EventStream) LastEventID() string {
	r := e.stream.request
	return cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("lastEventId"))
}

// Send sends an event. It returns when net/http has the event. The error is the cause if the
// right has ended, or says what is wrong with the event.
func (e *EventStream) Send(event Event) error {
	text, err := event.encode()
	if err != nil {
		return err
	}
	e.stream.writing.Lock()
	defer e.stream.writing.Unlock()
	return e.write(text)
}

// beat sends a comment. The timer heartbeat calls it.
func (e *EventStream) beat() {
	e.stream.writing.Lock()
	defer e.stream.writing.Unlock()
	_ = e.write(":\n\n") // a failure ends the right
}

// write sends text while the right is in force. It is called with writing held, like flush and
// sendLast.
func (e *EventStream) write(text string) error {
	s := e.stream
	if err := s.inForce(); err != nil {
		return err
	}
	if e.failed != nil {
		return e.failed
	}
	s.writeUntil(time.Now().Add(s.web.cfg.Stream.WriteTimeout))
	if e.failed = e.flush(text); e.failed == nil {
		s.writeUntil(time.Time{})
		e.heartbeat.Reset(s.web.cfg.Stream.Heartbeat)
		return nil
	}
	if slow := s.slow(); slow != nil {
		s.right.End(slow)
	}
	e.failed = s.orCause(e.failed)
	return e.failed
}

func (e *EventStream) flush(text string) error {
	if text != "" {
		if _, err := e.stream.inner.Write([]byte(text)); err != nil {
			return err
		}
	}
	return e.stream.control().Flush()
}

// end sends the last event as soon as the right has ended.
func (e *EventStream) end() {
	e.stream.writing.Lock()
	defer e.stream.writing.Unlock()
	e.sendLast(e.stream.ended())
}

// close ends the stream when its handler has returned. With a cause it sends the last event. It
// reports whether the last event was sent.
func (e *EventStream) close(cause error) bool {
	e.heartbeat.Stop()
	if cause != nil {
		e.sendLast(cause)
	}
	return e.complete
}

// sendLast sends the last event, once.
func (e *EventStream) sendLast(cause error) {
	if e.last || e.failed != nil || e.stream.isOver() {
		return
	}
	e.last = true
	e.heartbeat.Stop()
	e.stream.writeUntil(time.Now().Add(e.stream.web.cfg.Stream.Grace)) // after a panic; else the end has set it
	told := Refusal(cause)
	data, err := json.Marshal(EndEvent{told.Code, told.Message, ReconnectAfter(cause)})
	if err == nil {
		text, _ := Event{Type: e.stream.web.cfg.Stream.EndEvent, Data: string(data)}.encode() // valid
		err = e.flush(text)
	}
	e.complete = err == nil
}

// encode returns the event in the form in which it is sent.
func (event Event) encode() (string, error) {
	for _, field := range [...]struct{ name, value string }{{"ID", event.ID}, {"Type", event.Type}, {"Data", event.Data}} {
		switch {
		case !utf8.ValidString(field.value):
			return "", fmt.Errorf("httpauth: the event's %s is not valid UTF-8", field.name)
		case field.name != "Data" && strings.ContainsAny(field.value, "\r\n\x00"):
			return "", fmt.Errorf("httpauth: the event's %s has a line break or a zero byte", field.name)
		}
	}
	var b strings.Builder
	if event.Retry > 0 {
		b.WriteString("retry: " + strconv.FormatInt(max(1, event.Retry.Milliseconds()), 10) + "\n")
	}
	if event.ID != "" {
		b.WriteString("id: " + event.ID + "\n")
	}
	if event.Type != "" {
		b.WriteString("event: " + event.Type + "\n")
	}
	if event.Type != "" || event.Data != "" {
		for line := range strings.SplitSeq(lineBreaks.Replace(event.Data), "\n") {
			b.WriteString("data: " + line + "\n")
		}
	}
	b.WriteString("\n")
	return b.String(), nil
}

// lineBreaks turns the three line breaks that clients know into one.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")
