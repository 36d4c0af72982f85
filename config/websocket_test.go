package config_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testsocket"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// door is a server whose WebSockets a kit guards.
type door struct {
	kit *config.Kit
	url string
}

// serve opens a door that is shut at the end of the test.
func serve(t *testing.T, kit *config.Kit, handler wsauth.Handler) door {
	t.Helper()
	srv := httptest.NewServer(kit.Guard.Require(paseto.Requirement{}, handler))
	d := door{kit, "ws" + strings.TrimPrefix(srv.URL, "http")}
	t.Cleanup(func() {
		d.shut(t)
		srv.Close()
	})
	return d
}

func (d door) shut(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
	defer cancel()
	check(t, d.kit.Guard.Shutdown(ctx))
}

// guarded opens a kit and its door.
func guarded(t *testing.T, change func(*config.Config), opts ...config.Option) door {
	t.Helper()
	return serve(t, open(t, with(change), opts...), testsocket.Echo)
}

// access returns a header with a token of the subject.
func (d door) access(t *testing.T, subject string) http.Header {
	t.Helper()
	token, _ := issue(t, d.kit, subject)
	return http.Header{"Authorization": {"Bearer " + token}}
}

// knock shakes hands; status is that of the answer.
func (d door) knock(t *testing.T, h http.Header) (ws *websocket.Conn, status int) {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.DialContext(t.Context(), d.url, h)
	if resp == nil {
		t.Fatal(err)
	}
	check(t, resp.Body.Close())
	if err != nil {
		return nil, resp.StatusCode
	}
	t.Cleanup(func() { _ = ws.Close() })
	check(t, ws.SetReadDeadline(time.Now().Add(testtool.Patience)))
	return ws, resp.StatusCode
}

// enter returns a connection of the subject.
func (d door) enter(t *testing.T, subject string) *websocket.Conn {
	t.Helper()
	ws, status := d.knock(t, d.access(t, subject))
	if ws == nil {
		t.Fatalf("the handshake is answered with %d", status)
	}
	return ws
}

// say sends a message and returns the answer.
func say(t *testing.T, ws *websocket.Conn, message string) string {
	t.Helper()
	check(t, ws.WriteMessage(websocket.TextMessage, []byte(message)))
	_, answer, err := ws.ReadMessage()
	check(t, err)
	return string(answer)
}

// wantOpen checks that a connection is the application's.
func wantOpen(t *testing.T, ws *websocket.Conn) {
	t.Helper()
	if got := say(t, ws, "hello"); got != "hello" {
		t.Errorf("the answer to hello is %s", got)
	}
}

// wantClosed checks that the server closes a connection, for a cause.
func wantClosed(t *testing.T, ws *websocket.Conn, code wsauth.CloseCode, cause paseto.Code) {
	t.Helper()
	_, message, err := ws.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != int(code) || closed.Text != cause.Message() {
		t.Errorf("got %s, %v; want a close with %d %s", message, err, code, cause.Message())
	}
}

func (d door) wantStatus(t *testing.T, h http.Header, want int) {
	t.Helper()
	if _, status := d.knock(t, h); status != want {
		t.Errorf("the handshake is answered with %d, want %d", status, want)
	}
}

func TestPerSubject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, onExcess, codes string
		newest                bool // whether it is the newest that goes
		code                  wsauth.CloseCode
		cause                 paseto.Code
	}{
		{"reject", "reject", "standard", true, wsauth.CloseTryAgainLater, live.ErrTooMany},
		{"reject with private codes", "reject", "private", true, wsauth.CloseTooMany, live.ErrTooMany},
		{"replace", "replace_oldest", "standard", false, wsauth.ClosePolicyViolation, live.ErrReplaced},
		{"replace with private codes", "replace_oldest", "private", false, wsauth.CloseConflict, live.ErrReplaced},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := guarded(t, func(c *config.Config) {
				c.Live.PerSubject, c.Live.OnExcess = 1, live.Excess(test.onExcess)
				c.WebSocket.CloseCodes = wsauth.CloseCodes(test.codes)
			})
			first := d.enter(t, "alice")
			wantOpen(t, first)
			second := d.enter(t, "alice")
			stays, goes := second, first
			if test.newest {
				stays, goes = first, second
			}
			wantClosed(t, goes, test.code, test.cause)
			wantOpen(t, stays)
			wantOpen(t, d.enter(t, "bob"))
		})
	}
}

func TestLimitConnections(t *testing.T) {
	t.Parallel()
	d := guarded(t, func(c *config.Config) { c.Live.MaxRights = 1 })
	wantOpen(t, d.enter(t, "alice"))
	d.wantStatus(t, d.access(t, "bob"), http.StatusServiceUnavailable)
}

func TestLimitPending(t *testing.T) {
	t.Parallel()
	d := guarded(t, func(c *config.Config) {
		c.WebSocket.Locations, c.WebSocket.Limits.Pending = []httpauth.Location{"message"}, 1
		c.WebSocket.MessageTimeout = time.Hour
	})
	d.wantStatus(t, nil, http.StatusSwitchingProtocols)
	d.wantStatus(t, nil, http.StatusServiceUnavailable)
}

// TestLimitAddresses: who may be locked out depends on which proxies are trusted.
func TestLimitAddresses(t *testing.T) {
	t.Parallel()
	failing := func(from string) http.Header {
		return http.Header{"Authorization": {"Bearer v4.local.AAAA"}, "X-Forwarded-For": {from}}
	}
	for _, test := range []struct {
		name    string
		limits  wsauth.Limits
		trusted []string
		another int // how another client of the same proxy is answered
	}{
		{"handshakes", wsauth.Limits{HandshakesPerMinute: 1}, nil, http.StatusTooManyRequests},
		{"handshakes, proxy trusted", wsauth.Limits{HandshakesPerMinute: 1}, []string{"127.0.0.0/8"}, http.StatusUnauthorized},
		{"handshakes, another proxy trusted", wsauth.Limits{HandshakesPerMinute: 1}, []string{"unix"}, http.StatusTooManyRequests},
		{"failures", wsauth.Limits{FailuresPerMinute: 1}, nil, http.StatusTooManyRequests},
		{"failures, proxy trusted", wsauth.Limits{FailuresPerMinute: 1}, []string{"127.0.0.1"}, http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := guarded(t, func(c *config.Config) {
				c.WebSocket.Reject = "http"
				limits := &c.WebSocket.Limits
				limits.HandshakesPerMinute, limits.FailuresPerMinute = test.limits.HandshakesPerMinute, test.limits.FailuresPerMinute
				c.HTTP.TrustedProxies = test.trusted
			})
			d.wantStatus(t, failing("192.0.2.1"), http.StatusUnauthorized)
			d.wantStatus(t, failing("192.0.2.1"), http.StatusTooManyRequests)
			d.wantStatus(t, failing("192.0.2.2"), test.another)
		})
	}
}

func TestFirstMessage(t *testing.T) {
	t.Parallel()
	byMessage := func(c *config.Config) { c.WebSocket.Locations = []httpauth.Location{"message"} }
	t.Run("with a token", func(t *testing.T) {
		t.Parallel()
		d := guarded(t, byMessage)
		ws, _ := d.knock(t, nil)
		token, _ := issue(t, d.kit, "alice")
		if answer := say(t, ws, `{"type":"auth","token":"`+token+`"}`); !strings.Contains(answer, "expires_at") {
			t.Errorf("the answer is %s", answer)
		}
		wantOpen(t, ws)
	})
	t.Run("too late", func(t *testing.T) {
		t.Parallel()
		d := guarded(t, func(c *config.Config) {
			byMessage(c)
			c.WebSocket.MessageTimeout = time.Millisecond
		})
		ws, _ := d.knock(t, nil)
		wantClosed(t, ws, wsauth.ClosePolicyViolation, wsauth.ErrNoMessage)
	})
}

// TestRenewMessages sends what renews a token, or does not.
func TestRenewMessages(t *testing.T) {
	t.Parallel()
	const broken = `{"type":"auth","token":"v4.local.AAAA"}`
	for _, test := range []struct {
		name    string
		renew   bool
		failure string
		answer  string // part of it; none: the connection is closed
	}{
		{"off", false, "keep", broken},
		{"keep", true, "keep", string(paseto.ErrMalformed)},
		{"end", true, "end", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := guarded(t, func(c *config.Config) {
				c.WebSocket.RenewMessages, c.Live.RenewFailure = test.renew, live.RenewFailure(test.failure)
			})
			ws := d.enter(t, "alice")
			if test.answer == "" {
				check(t, ws.WriteMessage(websocket.TextMessage, []byte(broken)))
				wantClosed(t, ws, wsauth.ClosePolicyViolation, paseto.ErrMalformed)
				return
			}
			if answer := say(t, ws, broken); !strings.Contains(answer, test.answer) {
				t.Errorf("the answer is %s, want %s", answer, test.answer)
			}
			wantOpen(t, ws)
		})
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	d := guarded(t, func(c *config.Config) { c.WebSocket.PingInterval = 100 * time.Millisecond })
	ws := d.enter(t, "alice")
	asked := errors.New("asked for a sign of life")
	ws.SetPingHandler(func(string) error { return asked })
	if _, _, err := ws.ReadMessage(); !errors.Is(err, asked) {
		t.Errorf("instead of a ping: %v", err)
	}
}

func TestMaxLifetime(t *testing.T) {
	t.Parallel()
	d := guarded(t, func(c *config.Config) { c.Live.MaxLifetime = time.Millisecond })
	wantClosed(t, d.enter(t, "alice"), wsauth.CloseGoingAway, live.ErrLifetime)
}

func TestShutdownCode(t *testing.T) {
	t.Parallel()
	d := guarded(t, func(c *config.Config) { c.WebSocket.ShutdownCode = 1012 })
	ws := d.enter(t, "alice")
	wantOpen(t, ws)
	ended := make(chan error, 1)
	go func() { ended <- d.kit.Guard.Shutdown(t.Context()) }()
	wantClosed(t, ws, wsauth.CloseServiceRestart, live.ErrShutdown)
	check(t, <-ended)
}

// TestWatchClosesConnections: a key that is taken out ends more than its tokens.
func TestWatchClosesConnections(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", "{token: {keys: [{file: FOLDER/key}]}, live: {recheck_interval: 10ms}}", "key", first.Export())
	d := serve(t, w.Kit, testsocket.Echo)
	ws := d.enter(t, "alice")
	wantOpen(t, ws)
	w.rename(t, "key", second.Export())
	wantClosed(t, ws, wsauth.ClosePolicyViolation, paseto.ErrKeyWithdrawn)
	wantOpen(t, d.enter(t, "alice"))
}
