package wsauth_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// goPage is a page that is none, written in Go.
type goPage struct{}

func (goPage) origin() string { return "https://page.example.com" }

func (p goPage) open(t *testing.T, url string, v visit) func() outcome {
	t.Helper()
	h := http.Header{"Origin": {p.origin()}}
	maps.Copy(h, v.header)
	if len(v.protocols) > 0 {
		h.Set("Sec-WebSocket-Protocol", strings.Join(v.protocols, ", "))
	}
	if v.query != "" {
		url += "?" + v.query
	}
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	ws, _, err := dialer.DialContext(t.Context(), url, h)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return func() outcome { return unanswered }
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.NetConn().SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan outcome, 1)
	go func() { ended <- attend(ws, v) }()
	return func() outcome {
		t.Helper()
		return wait(t, ended, "the end of the connection")
	}
}

// attend uses a WebSocket to its end, as a browser does: it answers a close, and
// then has the server end the connection beneath.
func attend(ws *websocket.Conn, v visit) outcome {
	answered := false
	ws.SetCloseHandler(func(code int, _ string) error {
		frame := websocket.FormatCloseMessage(code, "")
		answered = ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(patience)) == nil
		return nil
	})
	if v.raw != nil {
		v.raw(ws)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, message := range v.messages {
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
		return unanswered
	}
	// A server that resets the connection loses what it has said on some systems.
	_, err = io.Copy(io.Discard, ws.NetConn())
	<-sent
	return outcome{closed.Code, closed.Text, answered && err == nil}
}
