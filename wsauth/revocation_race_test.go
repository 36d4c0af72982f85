package wsauth_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/wsauth"
)

// tryDial is dial on another goroutine than the test's. Without a connection there is
// the response that refuses it, or an error. The caller closes the connection.
func tryDial(ctx context.Context, srv *httptest.Server, h handshake) (*websocket.Conn, int, error) {
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws?" + h.query
	ws, resp, err := dialer.DialContext(ctx, url, h.header)
	switch {
	case err == nil:
		err = ws.SetReadDeadline(time.Now().Add(patience))
		return ws, resp.StatusCode, err
	case errors.Is(err, websocket.ErrBadHandshake):
		return nil, resp.StatusCode, nil
	}
	return nil, 0, err
}

// endOf reads until the connection ends, and returns how.
func endOf(ws *websocket.Conn) error {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
}

// isClose reports whether a connection ended with such a close frame.
func isClose(err error, code wsauth.CloseCode, reason string) bool {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	return ok && closed.Code == int(code) && closed.Text == reason
}
