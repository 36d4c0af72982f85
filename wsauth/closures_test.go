package wsauth_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
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

// closePresets are the sets of codes that can be configured.
var closePresets = []wsauth.CloseCodes{wsauth.StandardCodes, wsauth.PrivateCodes, wsauth.GraphQLWSCodes}

// closings are all ways for a connection to be closed.
func closings() []closing {
	return slices.Concat(failureClosings(), handshakeClosings(), messageClosings(), silentRefusals(),
		liveClosings(), renewalClosings(), applicationClosings(), protocolClosings(), ownCodeClosings())
}

// failureClosings are the rows of TestFailures.
func failureClosings() []closing {
	var rows []closing
	for _, f := range slices.Concat(tokenFailures(), credentialFailures(), ticketFailures()) {
		c := closing{
			name: "handshake: " + f.name, cause: &paseto.Error{Code: f.code, Message: f.message},
			tokens: f.paseto, req: f.req, in: f.in, opts: f.opts, rough: true,
			bring: func(s *scene) visit {
				h := f.send(s.t, s.auth)
				return visit{header: h.header, query: h.query}
			},
		}
		if c.in == nil {
			c.in = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket}
		}
		rows = append(rows, c)
	}
	return rows
}

// TestClosures has every cause end a connection, and looks at it as a page would.
func TestClosures(t *testing.T) {
	t.Parallel()
	playAll(t, goPage{}, closePresets, closings())
}

// playAll plays all of them with each preset, beside one another.
func playAll(t *testing.T, p page, presets []wsauth.CloseCodes, closings []closing) {
	t.Helper()
	for _, codes := range presets {
		t.Run(string(codes), func(t *testing.T) {
			for _, c := range closings {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.play(t, p, codes)
				})
			}
		})
	}
}

// TestEveryClosureIsPlayed: each listed cause ends a connection in TestClosures.
func TestEveryClosureIsPlayed(t *testing.T) {
	t.Parallel()
	played := closings()
	for _, c := range wsauth.Closures() {
		if !slices.ContainsFunc(played, func(p closing) bool { return errors.Is(p.cause, c.Cause) }) {
			t.Errorf("nothing is closed for %s: %s", c.Cause, c.Cause.Message())
		}
	}
}
