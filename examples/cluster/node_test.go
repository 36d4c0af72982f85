package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// node is a running node.
type node struct {
	url    string
	client *http.Client
}

// command returns the program, ready to start on a free port, in an environment
// that configures nothing. It is killed after longer than any test takes.
func command(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, config.EnvPrefix) })
	return cmd
}

// start starts a node, which ends with the test as with Ctrl-C.
func start(t *testing.T, program string, args ...string) node {
	t.Helper()
	cmd := command(t, program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the node ends with %v", err)
		}
		if t.Failed() {
			t.Logf("the node said at last:\n%s", stderr.Bytes()[max(0, stderr.Len()-5000):])
		}
	})
	at, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("the node says %q, %v", line, err)
	}
	return node{url: at, client: &http.Client{Transport: transport, Timeout: patience}}
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
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	conn, res, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(n.url, "http")+path, header)
	if err != nil {
		return nil, err
	}
	res.Body.Close()
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	return conn, nil
}

// hello says hello over a socket and returns what comes back.
func hello(conn *websocket.Conn) (string, error) {
	_ = conn.WriteMessage(websocket.TextMessage, []byte("hello")) // a refused socket may be closed by now
	_, data, err := conn.ReadMessage()
	return string(data), err
}

// stay opens a socket that stays open. One that the test has left before may take a
// moment to make room.
func (n node) stay(t *testing.T, token string) (conn *websocket.Conn) {
	t.Helper()
	eventually(t, func() (bool, string) {
		var err error
		if conn, err = n.open(t, "/ws", token); err != nil {
			t.Fatal(err)
		}
		if _, err = hello(conn); err != nil && !isTooMany(err) {
			t.Fatalf("a socket that is to stay: %v", err)
		}
		return err == nil, "full"
	})
	return conn
}

// wantClosed expects sockets to be closed because their token was revoked.
func wantClosed(t *testing.T, conns ...*websocket.Conn) {
	t.Helper()
	for _, conn := range conns {
		if _, data, err := conn.ReadMessage(); !isRefusal(err, "Token has been revoked") {
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

// eventually asks until it is so.
func eventually(t *testing.T, is func() (ok bool, got string)) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		ok, got := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it stays %q", got)
		}
	}
}
