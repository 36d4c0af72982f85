package wsauth_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test: it is reached only by one that fails.
const patience = testtool.Patience

// soon is the CloseTimeout of tests whose peer does not answer a close.
const soon = 100 * time.Millisecond

// start is 100 ms before a whole second, at which the token of a Grant with a
// TTL of one second expires. A clock that stands there gives a connection these
// 100 ms, however long the handshake takes.
var start = time.Date(2030, 1, 2, 3, 4, 5, 900_000_000, time.UTC)

// clock is a time that tests move by hand.
type clock = testclock.Clock

func newClock() *clock { return testclock.New(start) }

var (
	localKey  = paseto.NewLocalKey()
	secretKey = paseto.NewSecretKey()
)

// newAuthorizer returns an Authorizer with the shared keys, unless cfg has
// others, and a denylist, whose clock stands at start unless an option gives
// another.
func newAuthorizer(t testing.TB, cfg paseto.Config, opts ...paseto.Option) *paseto.Authorizer {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = []paseto.Key{localKey, secretKey}
	}
	now := func() time.Time { return start }
	store := denylist.NewMemory(denylist.WithClock(now))
	t.Cleanup(func() { _ = store.Close() })
	auth, err := paseto.New(cfg, append([]paseto.Option{paseto.WithClock(now), paseto.WithDenylist(store)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// access returns an access token.
func access(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) string {
	t.Helper()
	return issue(t, auth, paseto.TypeAccess, g)
}

// issue returns a token of any type.
func issue(t testing.TB, auth *paseto.Authorizer, tokenType string, g paseto.Grant) string {
	t.Helper()
	issued, err := auth.Issue(tokenType, g)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

// patient returns a configuration that gives peers the time that they need on a busy
// machine, where it does not say otherwise, and asks them for no sign of life.
func patient(cfg wsauth.Config) wsauth.Config {
	cfg.CloseTimeout = cmp.Or(cfg.CloseTimeout, patience)
	cfg.MessageTimeout = cmp.Or(cfg.MessageTimeout, patience)
	cfg.PingInterval = cmp.Or(cfg.PingInterval, wsauth.NoPing)
	cfg.WriteTimeout = cmp.Or(cfg.WriteTimeout, patience)
	return cfg
}

// newWeb returns what a Guard shares with the routes of requests.
func newWeb(t testing.TB, auth *paseto.Authorizer, cfg httpauth.Config) *httpauth.Web {
	t.Helper()
	web, err := httpauth.New(auth, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return web
}

// setup is the configuration of a Guard together with those of its Keeper and its Web.
type setup struct {
	wsauth.Config

	live live.Config
	web  httpauth.Config
}

// newGuard returns a patient Guard that is shut down at the end of the test, which
// therefore waits for every handler. Its options are those of a Guard, and of a Keeper.
func newGuard(t testing.TB, auth *paseto.Authorizer, cfg setup, opts ...any) *wsauth.Guard {
	t.Helper()
	cfg.Config = patient(cfg.Config)
	guard := impatientGuard(t, auth, cfg, opts...)
	shutDownLater(t, guard)
	return guard
}

// impatientGuard returns a Guard that the test shuts down.
func impatientGuard(t testing.TB, auth *paseto.Authorizer, cfg setup, opts ...any) *wsauth.Guard {
	t.Helper()
	var ofGuard []wsauth.Option
	var ofKeeper []live.Option
	for _, opt := range opts {
		switch opt := opt.(type) {
		case wsauth.Option:
			ofGuard = append(ofGuard, opt)
		case live.Option:
			ofKeeper = append(ofKeeper, opt)
		case *slog.Logger: // of both
			ofGuard, ofKeeper = append(ofGuard, wsauth.WithLogger(opt)), append(ofKeeper, live.WithLogger(opt))
		case nil:
		default:
			t.Fatalf("%T is not an option", opt)
		}
	}
	keeper, err := live.New(auth, cfg.live, ofKeeper...)
	if err != nil {
		t.Fatal(err)
	}
	web, err := httpauth.New(auth, cfg.web, httpauth.WithKeeper(keeper))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := wsauth.New(web, cfg.Config, ofGuard...)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

func shutDownLater(t testing.TB, guard *wsauth.Guard) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := guard.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
}

// listen serves h on a real socket.
func listen(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// echo sends every message back.
func echo(_ context.Context, conn *wsauth.Conn) {
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// unreachable is the handler of a route that must let nobody in.
func unreachable(t testing.TB) wsauth.Handler {
	t.Helper()
	return func(context.Context, *wsauth.Conn) { t.Error("the handler ran") }
}

// handshake is what a client sends besides what every handshake has.
type handshake struct {
	header http.Header
	query  string
	path   string // default /ws
}

func none() handshake { return handshake{} }

func header(name string, values ...string) handshake {
	return handshake{header: http.Header{name: values}}
}

func bearer(token string) handshake { return header("Authorization", "Bearer "+token) }

func query(raw string) handshake { return handshake{query: raw} }

func at(path string) handshake { return handshake{path: path} }

// and returns a handshake that sends what both send.
func (h handshake) and(other handshake) handshake {
	both := handshake{header: http.Header{}, query: h.query + other.query, path: h.path + other.path}
	if h.query != "" && other.query != "" {
		both.query = h.query + "&" + other.query
	}
	for _, from := range []http.Header{h.header, other.header} {
		for name, values := range from {
			both.header[name] = append(both.header[name], values...)
		}
	}
	return both
}

// upgrading has what a request needs to be a handshake.
var upgrading = handshake{header: http.Header{
	"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
}}

// request returns a request as a server would.
func (h handshake) request(ctx context.Context) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, cmp.Or(h.path, "/ws")+"?"+h.query, nil)
	r.Header = h.and(none()).header
	r.Host = cmp.Or(r.Header.Get("Host"), r.Host)
	return r
}

// dial opens a WebSocket. A refusal over HTTP is no error here: the connection
// is then nil.
func dial(t testing.TB, srv *httptest.Server, h handshake) (*websocket.Conn, *http.Response) {
	t.Helper()
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	if cert := srv.Certificate(); cert != nil {
		dialer.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		dialer.TLSClientConfig.RootCAs.AddCert(cert)
	}
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + cmp.Or(h.path, "/ws")
	if h.query != "" {
		url += "?" + h.query
	}
	ws, resp, err := dialer.DialContext(t.Context(), url, h.header)
	if err != nil && !errors.Is(err, websocket.ErrBadHandshake) {
		t.Fatalf("handshake: %v", err)
	}
	if err != nil {
		return nil, resp
	}
	t.Cleanup(func() { _ = ws.Close() })
	if err := ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return ws, resp
}

// connect is dial for a handshake that must succeed.
func connect(t testing.TB, srv *httptest.Server, h handshake) *websocket.Conn {
	t.Helper()
	ws, resp := dial(t, srv, h)
	if ws == nil {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("the handshake was refused with %s: %s", resp.Status, body)
	}
	return ws
}

// checkEcho checks that the connection carries messages both ways.
func checkEcho(t testing.TB, ws *websocket.Conn, message string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		t.Fatal(err)
	}
	checkMessage(t, ws, message)
}

// checkMessage checks the next message that the server sends.
func checkMessage(t testing.TB, ws *websocket.Conn, want string) {
	t.Helper()
	_, data, err := ws.ReadMessage()
	if err != nil {
		t.Fatalf("reading a message: %v", err)
	}
	if string(data) != want {
		t.Errorf("message is %q, want %q", data, want)
	}
}

// checkClosed checks that the server closes now, and how. A message that comes instead
// is a failure, and not waited on for another.
func checkClosed(t testing.TB, ws *websocket.Conn, code wsauth.CloseCode, reason string) {
	t.Helper()
	if _, data, err := ws.ReadMessage(); err == nil {
		t.Fatalf("the message %.100q comes, want the close with %d %q", data, code, reason)
	} else if !isClose(err, code, reason) {
		t.Errorf("the connection ended with %v, want the close with %d %q", err, code, reason)
	}
}

// checkCut checks that the server ends the connection beneath, without an
// answer to its close frame.
func checkCut(t testing.TB, ws *websocket.Conn) {
	t.Helper()
	_, err := io.Copy(io.Discard, ws.NetConn())
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		t.Errorf("the connection is still open: %v", err)
	}
}

// checkProblem checks a refusal over HTTP.
func checkProblem(t testing.TB, resp *http.Response, status int, code paseto.Code, detail string) {
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

// checkRefused checks that a handshake is refused over HTTP, as that error is answered.
func checkRefused(t testing.TB, srv *httptest.Server, h handshake, want error) *http.Response {
	t.Helper()
	ws, resp := dial(t, srv, h)
	if ws != nil {
		t.Fatalf("the handshake succeeded, want %v", want)
	}
	refusal := httpauth.Refusal(want)
	checkProblem(t, resp, httpauth.Status(want), refusal.Code, refusal.Message)
	return resp
}

// checkEntry checks that a handshake is admitted, or refused with an error if there is one.
func checkEntry(t testing.TB, srv *httptest.Server, h handshake, refused error) {
	t.Helper()
	if refused != nil {
		checkRefused(t, srv, h, refused)
		return
	}
	checkEcho(t, connect(t, srv, h), "hello")
}

// wait returns what comes over a channel, or its zero value when it is closed.
func wait[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}
