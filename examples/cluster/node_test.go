package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// node is a running node.
type node struct {
	url    string
	client *http.Client
}

// environment returns one that configures nothing but patience with a slow machine.
func environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, config.EnvPrefix) })
	for name, value := range map[string]string{
		"TOKEN__REFRESH_GRACE": "5m", "WEBSOCKET__CLOSE_TIMEOUT": "1m", "WEBSOCKET__PING_INTERVAL": "24h",
		"LIVE__LEASE_TTL": "24h", "DENYLIST__REDIS__TIMEOUT": "1m",
	} {
		env = append(env, config.EnvPrefix+name+"="+value)
	}
	return env
}

// start starts a node on a free port, which ends with the test as with Ctrl-C.
func start(t *testing.T, program string, args ...string) node {
	t.Helper()
	url, _ := testtool.Serve(t, program, environment(), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return node{url: url, client: &http.Client{Transport: transport, Timeout: testtool.Patience}}
}

// answer is what the endpoints answer, each a part of it.
type answer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Ticket       string `json:"ticket"`

	Node, Subject, Token string // of /me
	Code                 string // of a refusal
}

// ask sends a request with a token and a JSON body, where they are given. It may
// be called from any goroutine.
func (n node) ask(t *testing.T, method, path, token string, body any) (status int, got answer) {
	t.Helper()
	var encoded bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&encoded).Encode(body); err != nil {
			t.Error(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, n.url+path, &encoded)
	if err != nil {
		t.Error(err)
		return 0, got
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := n.client.Do(req)
	if err != nil {
		t.Error(err)
		return 0, got
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("%s %s answers what is no JSON: %v", method, path, err)
	}
	return res.StatusCode, got
}

func (n node) login(t *testing.T, username string) answer {
	t.Helper()
	status, got := n.ask(t, "POST", "/login", "", map[string]string{"username": username, "password": "demo"})
	if status != http.StatusOK || got.AccessToken == "" || got.RefreshToken == "" {
		t.Fatalf("the login is answered with %d %s", status, got.Code)
	}
	return got
}

// hello opens a socket, says hello and returns what comes back.
func (n node) hello(t *testing.T, path, token string) (string, error) {
	t.Helper()
	conn, err := n.open(t, path, token)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return hello(conn)
}

// open opens a socket, which is closed with the test.
func (n node) open(t *testing.T, path, token string) (*websocket.Conn, error) {
	t.Helper()
	header := make(http.Header)
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	dialer := websocket.Dialer{HandshakeTimeout: testtool.Patience}
	conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(n.url, "http")+path, header)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	t.Cleanup(func() { conn.Close() })
	return conn, nil
}

// hello says hello over a socket and returns what comes back.
func hello(conn *websocket.Conn) (string, error) {
	_ = conn.WriteMessage(websocket.TextMessage, []byte("hello")) // a refused socket may be closed by now
	return read(conn)
}

// read returns the next message, if it comes within [testtool.Patience].
func read(conn *websocket.Conn) (string, error) {
	_ = conn.SetReadDeadline(testtool.Deadline())
	_, data, err := conn.ReadMessage()
	return string(data), err
}

// stay opens a socket that stays open. One that the test has left before may take a
// moment to make room.
func (n node) stay(t *testing.T, token string) (conn *websocket.Conn) {
	t.Helper()
	testtool.Eventually(t, "there is room for a socket", func() bool {
		var err error
		if conn, err = n.open(t, "/ws", token); err != nil {
			t.Fatal(err)
		}
		if _, err = hello(conn); err != nil && !isTooMany(err) {
			t.Fatalf("a socket that is to stay: %v", err)
		}
		return err == nil
	})
	return conn
}

// wantClosed expects sockets to be closed because their token was revoked.
func wantClosed(t *testing.T, conns ...*websocket.Conn) {
	t.Helper()
	for _, conn := range conns {
		if data, err := read(conn); !isRefusal(err, "Token has been revoked") {
			t.Errorf("an open socket whose token was revoked: %q, %v", data, err)
		}
	}
}

func isRefusal(err error, reason string) bool {
	return isClose(err, websocket.ClosePolicyViolation, reason)
}

func isTooMany(err error) bool {
	return isClose(err, websocket.CloseTryAgainLater, "Too many connections of this subject")
}

func isClose(err error, code int, reason string) bool {
	var closed *websocket.CloseError
	return errors.As(err, &closed) && closed.Code == code && closed.Text == reason
}
