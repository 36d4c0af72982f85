package testsite

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Dial opens a socket; a handshake that is refused over HTTP gives its answer.
func (s *Site) Dial(path string, header http.Header, protocols ...string) (*websocket.Conn, *http.Response) {
	s.t.Helper()
	dialer := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: testtool.Patience}
	conn, res, err := dialer.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+path, header)
	if err != nil && !errors.Is(err, websocket.ErrBadHandshake) {
		s.t.Fatal(err)
	}
	if conn != nil {
		s.t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, res
}

// Bearer returns the header that carries a token.
func Bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// Read returns the next message, if it comes within [testtool.Patience].
func Read(conn *websocket.Conn) (kind int, data []byte, err error) {
	_ = conn.SetReadDeadline(testtool.Deadline())
	return conn.ReadMessage()
}

// WantGreeting expects an open socket that knows its user.
func WantGreeting(t *testing.T, conn *websocket.Conn, name string) {
	t.Helper()
	if conn == nil {
		t.Fatal("the handshake was refused")
	}
	_, data, err := Read(conn)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(data); got != "hello "+name {
		t.Fatalf("the server says %q, want hello %s", got, name)
	}
}

// WantClose expects the socket to end with this code and reason.
func WantClose(t *testing.T, conn *websocket.Conn, code int, reason string) {
	t.Helper()
	if conn == nil {
		t.Fatal("the handshake was refused over HTTP")
	}
	_, data, err := Read(conn)
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		t.Fatalf("the server says %q, %v; want a close", data, err)
	}
	if closed.Code != code || closed.Text != reason {
		t.Errorf("closed with %d %q, want %d %q", closed.Code, closed.Text, code, reason)
	}
}

// WantUseless expects a ticket to open nothing, for a reason. A ticket lives for half a
// minute: on a slow machine it may have expired as well.
func WantUseless(t *testing.T, conn *websocket.Conn, reason string) {
	t.Helper()
	if conn == nil {
		t.Fatal("the handshake was refused over HTTP")
	}
	_, data, err := Read(conn)
	closed, ok := errors.AsType[*websocket.CloseError](err)
	if !ok || closed.Code != websocket.ClosePolicyViolation || closed.Text != reason && closed.Text != paseto.ErrExpired.Message() {
		t.Errorf("the server says %q, %v; want 1008 %s", data, err, reason)
	}
}

// IsClose reports whether an error is a close with this code, for this cause.
func IsClose(err error, code wsauth.CloseCode, cause paseto.Code) bool {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	return ok && closed.Code == int(code) && closed.Text == cause.Message()
}
