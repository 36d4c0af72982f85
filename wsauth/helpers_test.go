package wsauth_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testsocket"
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

// clock is a time that tests move by hand.
type clock = testclock.Clock

func newClock() *clock { return testclock.New(start) }

// The helpers of package testsocket, by short names.
var (
	start, localKey, secretKey = testsocket.Start, testsocket.LocalKey, testsocket.SecretKey

	newAuthorizer = testsocket.NewAuthorizer
	access        = testsocket.Access
	issue         = testsocket.Issue
	listen        = testsocket.Listen
	echo          = testsocket.Echo
	unreachable   = testsocket.Unreachable
	checkEcho     = testsocket.CheckEcho
	checkMessage  = testsocket.CheckMessage
	checkClosed   = testsocket.CheckClosed
	checkCut      = testsocket.CheckCut
	checkProblem  = testsocket.CheckProblem
	down          = testsocket.Down
	until         = testsocket.Until
	issued        = testsocket.Issued
	endOf         = testsocket.EndOf
	isClose       = testsocket.IsClose
	stall         = testsocket.Stall
	toldOf        = testsocket.ToldOf
	frame         = testsocket.Frame
	send          = testsocket.Send
	sendAll       = testsocket.SendAll
	raw           = testsocket.Raw
	exchange      = testsocket.Exchange
	upgrade       = testsocket.Upgrade
)

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
	guard := closable(t, auth, cfg, opts...)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := guard.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
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
