package pasetokit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/nodeclient"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// chatDir is where the compiled chat lies.
var chatDir string

// buildChat compiles examples/chat once for all tests.
var buildChat = sync.OnceValues(func() (program string, err error) {
	if chatDir, err = os.MkdirTemp("", "chat"); err != nil {
		return "", err
	}
	program = filepath.Join(chatDir, "chat")
	if out, err := exec.Command("go", "build", "-o", program, "./examples/chat").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// chat returns the compiled chat.
func chat(t *testing.T) (program string) {
	t.Helper()
	testtool.Need(t, "go")
	program, err := buildChat()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// runChat runs the chat as a newcomer does, on a free port, and stops it as
// Ctrl-C would.
func runChat(t *testing.T, args ...string) *site {
	t.Helper()
	return runChatWith(t, nil, args...)
}

// patientChat is the environment of a chat that gives a slow machine time.
var patientChat = []string{
	"PASETOKIT_TOKEN__ACCESS_TTL=24h",
	"PASETOKIT_WEBSOCKET__CLOSE_TIMEOUT=1m",
	"PASETOKIT_WEBSOCKET__MESSAGE_TIMEOUT=24h",
	"PASETOKIT_WEBSOCKET__PING_INTERVAL=24h",
}

// runChatWith runs the chat with more variables in its environment.
func runChatWith(t *testing.T, env []string, args ...string) *site {
	t.Helper()
	url, stop := testtool.Serve(t, chat(t), slices.Concat(os.Environ(), patientChat, env), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	s := remoteSite(t, url)
	s.stop = func() { stop(os.Interrupt) }
	return s
}

// TestChatClients: clients in two languages come in with a token and are told
// why they are not without.
func TestChatClients(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	token := s.login("alice").AccessToken.Reveal()
	url := "ws" + strings.TrimPrefix(s.URL, "http")

	t.Run("gorilla", func(t *testing.T) {
		for path, header := range map[string]http.Header{"/ws": bearer(token), "/ws/query?token=" + token: nil} {
			conn, _ := s.dial(path, header)
			if conn == nil {
				t.Fatal("the handshake was refused")
			}
			if _, _, err := read(conn); err != nil {
				t.Errorf("%.9s: %v", path, err)
			}
		}
		for _, path := range []string{"/ws", "/ws/query", "/ws/fresh"} {
			conn, _ := s.dial(path, nil)
			wantClose(t, conn, websocket.ClosePolicyViolation, "PASETO Authorization Token required")
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
			cmd := testtool.Command(t, chat(t), append([]string{"-addr", "127.0.0.1:0"}, test.args...)...)
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
	url, stop := testtool.Serve(t, chat(t), slices.Concat(os.Environ(), patientChat), "-addr", "127.0.0.1:0")
	s := remoteSite(t, url)
	conn, _ := s.dial("/ws", bearer(s.login("alice").AccessToken.Reveal()))
	if conn == nil {
		t.Fatal("the handshake was refused")
	}
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, _, err = read(conn)
		}
		ended <- err
	}()
	stop(syscall.SIGTERM)
	if err := <-ended; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ends with %v, want 1001", err)
	}
}

// TestChatInBrowser: a person logs in, is heard by another, and sees why a
// socket was refused.
func TestChatInBrowser(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	page := openTab(t, s.URL)

	listener, _ := s.dial("/ws", bearer(s.login("bob").AccessToken.Reveal()))
	if listener == nil {
		t.Fatal("the handshake was refused")
	}
	page.Do(logIn("alice", false), says("people", "bob"), says("ttl", ":"), speaks("hello from a browser"))
	wantHeard(t, listener, "alice", "hello from a browser")

	page.Do(chooses("transport", "none"),
		click("disconnect"), says("status", "Closed: 1000"),
		click("connect"),
		says("status", "Refused: 1008 PASETO Authorization Token required"),
	)
	page.Do(click("refresh"), says("fresh", "refreshed"),
		chooses("transport", "message"),
		click("connect"), says("status", "Connected to /ws/message as alice by message"),
		chooses("transport", "subprotocol"),
		chooses("route", "/ws/fresh"),
		click("connect"),
		says("status", "1008 PASETO access token is not fresh"),
	)
	page.Do(click("logout"), says("status", "Logged out"))
}

// TestChatInBrowserWithCookies: cookies carry a login over a reload, a refresh of
// theirs opens a new socket, and a logout ends it.
func TestChatInBrowserWithCookies(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	openTab(t, s.URL).Do(
		logIn("admin", true),
		chromedp.Reload(),
		says("status", "Connected to /ws as admin"),
		click("refresh"), says("fresh", "refreshed"),
		says("status", "Connected to /ws as admin by cookie with the new token"),
		click("logout"), says("status", "Logged out"),
		chromedp.Reload(),
		visible("login"), says("status", "Log in to begin"),
	)
}

// wantHeard reads until the message comes.
func wantHeard(t *testing.T, conn *websocket.Conn, from, text string) {
	t.Helper()
	for {
		_, data, err := read(conn)
		if err != nil {
			t.Fatal(err)
		}
		var frame struct{ Type, From, Text string }
		if err := json.Unmarshal(data, &frame); err != nil {
			t.Fatal(err)
		}
		if frame.Type == "message" && frame.From == from && frame.Text == text {
			return
		}
	}
}

// remoteSite is a site that another process serves.
func remoteSite(t *testing.T, url string) *site {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{URL: url, client: &http.Client{Transport: transport, Timeout: testtool.Patience}, t: t}
}
