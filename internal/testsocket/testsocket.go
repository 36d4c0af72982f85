// Package testsocket has what tests need of guarded sockets: tokens, servers, clients, frames.
package testsocket

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Start is 100 ms before a whole second, at which the token of a Grant with a TTL of one
// second expires: where the clocks of tests stand.
var Start = time.Date(2030, 1, 2, 3, 4, 5, 900_000_000, time.UTC)

// LocalKey and SecretKey are those of all Authorizers that are given no other.
var (
	LocalKey  = paseto.NewLocalKey()
	SecretKey = paseto.NewSecretKey()
)

// ErrStoreDown is the error of a denylist that is down.
var ErrStoreDown = errors.New("connection refused")

// Final is the bit of a frame that is the last of its message (RFC 6455, section 5.2).
const Final = 0x80

// NewAuthorizer returns an Authorizer with the shared keys, unless cfg has
// others, and a denylist, whose clock stands at Start unless an option gives
// another.
func NewAuthorizer(t testing.TB, cfg paseto.Config, opts ...paseto.Option) *paseto.Authorizer {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = []paseto.Key{LocalKey, SecretKey}
	}
	now := func() time.Time { return Start }
	store := denylist.NewMemory(denylist.WithClock(now))
	t.Cleanup(func() { _ = store.Close() })
	auth, err := paseto.New(cfg, append([]paseto.Option{paseto.WithClock(now), paseto.WithDenylist(store)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// Access returns an access token.
func Access(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) string {
	t.Helper()
	return Issue(t, auth, paseto.TypeAccess, g)
}

// Issue returns a token of any type.
func Issue(t testing.TB, auth *paseto.Authorizer, tokenType string, g paseto.Grant) string {
	t.Helper()
	issued, err := auth.Issue(tokenType, g)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

// Listen serves h on a real socket.
func Listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// Echo sends every message back.
func Echo(_ context.Context, conn *wsauth.Conn) {
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// Unreachable is the handler of a route that must let nobody in.
func Unreachable(t testing.TB) wsauth.Handler {
	t.Helper()
	return func(context.Context, *wsauth.Conn) { t.Error("the handler ran") }
}

// CheckEcho checks that the connection carries messages both ways.
func CheckEcho(t testing.TB, ws *websocket.Conn, message string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		t.Fatal(err)
	}
	CheckMessage(t, ws, message)
}

// CheckMessage checks the next message that the server sends.
func CheckMessage(t testing.TB, ws *websocket.Conn, want string) {
	t.Helper()
	_, data, err := ws.ReadMessage()
	if err != nil {
		t.Fatalf("reading a message: %v", err)
	}
	if string(data) != want {
		t.Errorf("message is %q, want %q", data, want)
	}
}

// CheckClosed checks that the server closes now, and how. A message that comes instead
// is a failure, and not waited on for another.
func CheckClosed(t testing.TB, ws *websocket.Conn, code wsauth.CloseCode, reason string) {
	t.Helper()
	if _, data, err := ws.ReadMessage(); err == nil {
		t.Fatalf("the message %.100q comes, want the close with %d %q", data, code, reason)
	} else if !IsClose(err, code, reason) {
		t.Errorf("the connection ended with %v, want the close with %d %q", err, code, reason)
	}
}

// CheckCut checks that the server ends the connection beneath, without an
// answer to its close frame.
func CheckCut(t testing.TB, ws *websocket.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, ws.NetConn())
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Errorf("the connection is still open: %v", err)
	}
}

// CheckProblem checks a refusal over HTTP.
func CheckProblem(t testing.TB, resp *http.Response, status int, code paseto.Code, detail string) {
	t.Helper()
	if resp.StatusCode != status {
		t.Errorf("status is %s, want %d", resp.Status, status)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type is %q", got)
	}
	var got httpauth.Problem
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatalf("the body is not a problem document: %v", err)
	}
	want := httpauth.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
	if got != want {
		t.Errorf("problem is\n%+v, want\n%+v", got, want)
	}
}

// Down is the answer of a denylist that is.
func Down(context.Context, denylist.Token) (bool, error) { return false, ErrStoreDown }

// Until waits for a condition.
func Until(t testing.TB, what string, met func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(testtool.Patience); !met(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// Issued is IssueAccess for a test that needs the claims as well.
func Issued(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) paseto.Issued {
	t.Helper()
	token, err := auth.IssueAccess(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// EndOf reads until the connection ends, and returns how.
func EndOf(ws *websocket.Conn) error {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
}

// IsClose reports whether a connection ended with such a close frame.
func IsClose(err error, code wsauth.CloseCode, reason string) bool {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	return ok && closed.Code == int(code) && closed.Text == reason
}

// Stall makes the buffers of a connection so small that a peer which does not read
// holds up its writer at once.
func Stall(t testing.TB, conn *wsauth.Conn, ws *websocket.Conn) {
	t.Helper()
	server, ok1 := conn.Underlying().NetConn().(*net.TCPConn)
	client, ok2 := ws.NetConn().(*net.TCPConn)
	if !ok1 || !ok2 {
		t.Fatal("the connection is not TCP")
	}
	if err := errors.Join(server.SetWriteBuffer(4<<10), client.SetReadBuffer(4<<10)); err != nil {
		t.Fatal(err)
	}
}

// ToldOf is an echo that tells of its connection.
func ToldOf(conns chan<- *wsauth.Conn) wsauth.Handler {
	return func(ctx context.Context, conn *wsauth.Conn) {
		conns <- conn
		Echo(ctx, conn)
	}
}

// Frame returns a client's frame.
func Frame(first byte, payload string) string {
	f := []byte{first}
	switch n := len(payload); {
	case n < 126:
		f = append(f, Final|byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, Final|126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, Final|127), uint64(n))
	}
	mask := [4]byte{0x8a, 0x80, 0x12, 0x8a} // which looks like a pong, too
	f = append(f, mask[:]...)
	for i := range len(payload) {
		f = append(f, payload[i]^mask[i%4])
	}
	return string(f)
}

// Send sends bytes as they are.
func Send(w io.Writer, raw string) error {
	_, err := io.WriteString(w, raw)
	return err
}

// SendAll is Send to a server, for a test.
func SendAll(t testing.TB, ws *websocket.Conn, raw string) {
	t.Helper()
	if raw == "" {
		return // not even a Write
	}
	if err := Send(ws.NetConn(), raw); err != nil {
		t.Fatal(err)
	}
}

// Raw sends a request byte by byte as it is written, and returns the head of
// the response as it comes.
func Raw(t testing.TB, srv *httptest.Server, request string) (head string, resp *http.Response) {
	t.Helper()
	head, resp, _ = Exchange(t, srv, request)
	return head, resp
}

// Exchange is Raw that also returns what comes after a response without a body.
func Exchange(t testing.TB, srv *httptest.Server, request string) (head string, resp *http.Response, after io.Reader) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(testtool.Patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	reader := bufio.NewReader(io.TeeReader(conn, &seen))
	resp, err = http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatalf("reading the response: %v", err)
	}
	head, _, _ = strings.Cut(seen.String(), "\r\n\r\n")
	return head, resp, reader
}

// Upgrade is a handshake with these header lines beside what it must have.
func Upgrade(lines ...string) string {
	var b strings.Builder
	b.WriteString("GET /ws HTTP/1.1\r\nHost: chat.example.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	return b.String() + "\r\n"
}
