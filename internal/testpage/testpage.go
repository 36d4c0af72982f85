// Package testpage has web pages for tests, which open WebSockets and see how those end: one
// that is written in Go, and one in a real browser.
package testpage

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Outcome is what the event of a page's onclose says.
type Outcome struct {
	Code     int    `json:"code"`
	Reason   string `json:"reason"`
	WasClean bool   `json:"wasClean"`
}

// Unanswered is the Outcome of a handshake that was refused over HTTP, or of a
// connection that broke: a page is told no more.
var Unanswered = Outcome{Code: websocket.CloseAbnormalClosure}

// Page opens WebSockets, as a web page of one origin does.
type Page interface {
	Origin() string
	// Open returns when the socket is open or was refused. The messages are sent
	// as soon as it is open. What it returns waits for the socket's end.
	Open(t *testing.T, url string, v Visit) (closed func() Outcome)
}

// Visit is what a page can bring along.
type Visit struct {
	Protocols []string
	Query     string
	Header    http.Header // as raw
	Messages  []string
	Raw       func(*websocket.Conn) // what no page can do, done before anything is read
}

// Go plays a page in Go, without a browser.
type Go struct{}

// Origin implements [Page].
func (Go) Origin() string { return "https://page.example.com" }

// Open implements [Page].
func (p Go) Open(t *testing.T, url string, v Visit) func() Outcome {
	t.Helper()
	h := http.Header{"Origin": {p.Origin()}}
	maps.Copy(h, v.Header)
	if len(v.Protocols) > 0 {
		h.Set("Sec-WebSocket-Protocol", strings.Join(v.Protocols, ", "))
	}
	if v.Query != "" {
		url += "?" + v.Query
	}
	dialer := websocket.Dialer{HandshakeTimeout: testtool.Patience}
	ws, _, err := dialer.DialContext(t.Context(), url, h)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return func() Outcome { return Unanswered }
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.NetConn().SetDeadline(time.Now().Add(testtool.Patience)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan Outcome, 1)
	go func() { ended <- attend(ws, v) }()
	return func() Outcome {
		t.Helper()
		return testtool.Await(t, ended, "the end of the connection")
	}
}

// attend uses a WebSocket to its end, as a browser does: it answers a close, and
// then has the server end the connection beneath.
func attend(ws *websocket.Conn, v Visit) Outcome {
	answered := false
	ws.SetCloseHandler(func(code int, _ string) error {
		frame := websocket.FormatCloseMessage(code, "")
		answered = ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(testtool.Patience)) == nil
		return nil
	})
	if v.Raw != nil {
		v.Raw(ws)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, message := range v.Messages {
			_ = ws.WriteMessage(websocket.TextMessage, []byte(message)) // in vain once it is closed
		}
	}()
	var err error
	for err == nil {
		_, _, err = ws.ReadMessage()
	}
	closed, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || closed.Code == websocket.CloseAbnormalClosure {
		_ = ws.Close()
		<-sent
		return Unanswered
	}
	// A server that resets the connection loses what it has said on some systems.
	_, err = io.Copy(io.Discard, ws.NetConn())
	<-sent
	return Outcome{Code: closed.Code, Reason: closed.Text, WasClean: answered && err == nil}
}
