package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/nodeclient"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestChatClients: clients in two languages come in with a token and are told
// why they are not without.
func TestChatClients(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	token := s.Login("alice").AccessToken.Reveal()
	url := "ws" + strings.TrimPrefix(s.URL, "http")

	t.Run("gorilla", func(t *testing.T) {
		for path, header := range map[string]http.Header{"/ws": testsite.Bearer(token), "/ws/query?token=" + token: nil} {
			conn, _ := s.Dial(path, header)
			if conn == nil {
				t.Fatal("the handshake was refused")
			}
			if _, _, err := testsite.Read(conn); err != nil {
				t.Errorf("%.9s: %v", path, err)
			}
		}
		for _, path := range []string{"/ws", "/ws/query", "/ws/fresh"} {
			conn, _ := s.Dial(path, nil)
			testsite.WantClose(t, conn, websocket.ClosePolicyViolation, "PASETO Authorization Token required")
		}
	})
	t.Run("ws for Node.js", func(t *testing.T) {
		for name, args := range map[string][]string{
			"header":      {url + "/ws", "--header", "Authorization: Bearer " + token},
			"query":       {url + "/ws/query?token=" + token},
			"subprotocol": {url + "/ws", "--protocol", "paseto.bearer", "--protocol", token},
		} {
			events := runNode(t, append(args, "--close-after-message")...)
			if len(events) < 3 || events[0].Event != "open" || events[1].Event != "message" || events[len(events)-1].Code != 1000 {
				t.Errorf("%s: what happened is %+v", name, events)
			}
		}
		for _, path := range []string{"/ws", "/ws/query"} {
			events := runNode(t, url+path)
			want := nodeEvent{Event: "close", Code: 1008, Reason: "PASETO Authorization Token required"}
			if len(events) != 2 || events[0].Event != "open" || events[1] != want {
				t.Errorf("%s without a token: what happened is %+v", path, events)
			}
		}
	})
}

type nodeEvent struct {
	Event  string
	Code   int
	Reason string
}

// runNode runs the Node.js client to its end.
func runNode(t *testing.T, args ...string) []nodeEvent {
	t.Helper()
	out, err := nodeclient.Command(t, args...).Output()
	if err != nil {
		t.Fatalf("the client ends with %v: %s", err, out)
	}
	var events []nodeEvent
	for line := range strings.Lines(string(out)) {
		var e nodeEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		events = append(events, e)
	}
	return events
}

// TestChatRefusesToStart: what keeps it from starting is told in one line.
func TestChatRefusesToStart(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"port in use", []string{"-addr", busy.Addr().String()}, "is in use"},
		{"no such file", []string{"-config", filepath.Join(dir, "missing.yaml")}, "missing.yaml: no such file"},
		{"unknown key", []string{"-config", write("unknown.yaml", "token: {acess_ttl: 5m}")}, "token.acess_ttl"},
		{"unreadable key file", []string{"-config", write("key.yaml", "token: {keys: [{file: /nonexistent/key}]}")}, "/nonexistent/key: no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cmd := testtool.Command(t, testsite.ChatProgram(t), append([]string{"-addr", "127.0.0.1:0"}, test.args...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 {
				t.Errorf("it ends with %v, want status 1", err)
			}
			if said := stderr.String(); !strings.Contains(said, test.want) || strings.Contains(said, "goroutine") {
				t.Errorf("it says %q, want %q", said, test.want)
			}
			if stdout.Len() > 0 {
				t.Errorf("it claims to run: %s", stdout.String())
			}
		})
	}
}

// TestChatStops: a running chat ends its sockets and itself when it is asked to.
func TestChatStops(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	conn, _ := s.Dial("/ws", testsite.Bearer(s.Login("alice").AccessToken.Reveal()))
	if conn == nil {
		t.Fatal("the handshake was refused")
	}
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, _, err = testsite.Read(conn)
		}
		ended <- err
	}()
	s.Signal(syscall.SIGTERM)
	if err := <-ended; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ends with %v, want 1001", err)
	}
}
