package pasetokit_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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

// chatCommand returns the chat, ready to start. It is killed with the test, or
// after longer than any test takes.
func chatCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	testtool.Need(t, "go")
	program, err := buildChat()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, program, args...)
}

// runChat runs the chat as a newcomer does, on a free port, and stops it as
// Ctrl-C would.
func runChat(t *testing.T, args ...string) *site {
	t.Helper()
	return runChatWith(t, nil, args...)
}

// runChatWith runs the chat with more variables in its environment.
func runChatWith(t *testing.T, env []string, args ...string) *site {
	t.Helper()
	cmd := chatCommand(t, append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the chat ends with %v", err)
		}
		if t.Failed() {
			t.Logf("the chat said:\n%s", stderr.String())
		}
	})
	t.Cleanup(stop)
	if err != nil || !ok {
		t.Fatalf("the chat says %q, %v", line, err)
	}
	s := remoteSite(t, url)
	s.stop = stop
	return s
}

// TestChatClients: clients in two languages come in with a token and are told
// why they are not without.
func TestChatClients(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	token := s.login("alice").AccessToken
	url := "ws" + strings.TrimPrefix(s.URL, "http")

	t.Run("gorilla", func(t *testing.T) {
		for path, header := range map[string]http.Header{"/ws": bearer(token), "/ws/query?token=" + token: nil} {
			conn, _ := s.dial(path, header)
			if conn == nil {
				t.Fatal("the handshake was refused")
			}
			if _, _, err := conn.ReadMessage(); err != nil {
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
			cmd := chatCommand(t, append([]string{"-addr", "127.0.0.1:0"}, test.args...)...)
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
	cmd := chatCommand(t, "-addr", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	s := remoteSite(t, strings.TrimPrefix(strings.TrimSpace(line), "listening on "))
	conn, _ := s.dial("/ws", bearer(s.login("alice").AccessToken))
	if conn == nil {
		t.Fatal("the handshake was refused")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ends with %v, want 1001", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the chat ends with %v", err)
	}
}

// browser opens a page in a Chromium of its own.
func browser(t *testing.T, url string) context.Context {
	t.Helper()
	program := testtool.Need(t, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // root cannot have one, and the page is our own
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitVisible(chromedp.ID("login"))); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a page in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// openTab opens a page in a browser of its own.
func openTab(t *testing.T, url string) tab {
	t.Helper()
	return tab{t, browser(t, url)}
}

// another opens a page in the same browser, with the same cookies.
func (p tab) another(url string) tab {
	p.t.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx)
	p.t.Cleanup(cancel)
	other := tab{p.t, ctx}
	other.do(chromedp.Navigate(url), chromedp.WaitVisible(chromedp.ID("status")))
	return other
}

// do does something on the page.
func (p tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%v; %s", err, statusOf(p.ctx))
	}
}

// read returns what a script that gives text gives.
func (p tab) read(script string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// speaks writes a message and waits until the server has passed it on.
func speaks(text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.SendKeys(chromedp.ID("message"), text),
		chromedp.Click(chromedp.ID("send")),
		says("log", text),
	)
}

// says waits until an element of the page contains a text.
func says(id, text string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, page *chromedp.Target) (chromedp.Void, error) {
		expression := fmt.Sprintf("document.getElementById(%q).textContent.includes(%q)", id, text)
		_, err := chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(15*time.Second))(ctx, page)
		if err != nil {
			err = fmt.Errorf("the page never says %q: %w", text, err)
		}
		return chromedp.Void{}, err
	}
}

func logIn(name string, cookies bool) chromedp.Action[chromedp.Void] {
	actions := []chromedp.Action[chromedp.Void]{
		chromedp.SendKeys(chromedp.ID("username"), name),
		chromedp.SendKeys(chromedp.ID("password"), "demo"),
	}
	if cookies {
		actions = append(actions, chromedp.Click(chromedp.ID("cookies")))
	}
	return chromedp.Steps(append(actions, chromedp.Click(chromedp.ID("login")), says("status", "Connected to /ws as "+name))...)
}

// TestChatInBrowser: a person logs in, is heard by another, and sees why a
// socket was refused.
func TestChatInBrowser(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	page := openTab(t, s.URL)

	listener, _ := s.dial("/ws", bearer(s.login("bob").AccessToken))
	if listener == nil {
		t.Fatal("the handshake was refused")
	}
	page.do(logIn("alice", false), says("people", "bob"), says("ttl", ":"), speaks("hello from a browser"))
	wantHeard(t, listener, "alice", "hello from a browser")

	page.do(chromedp.SetValue(chromedp.ID("transport"), "none"),
		chromedp.Click(chromedp.ID("disconnect")), says("status", "Closed: 1000"),
		chromedp.Click(chromedp.ID("connect")),
		says("status", "Refused: 1008 PASETO Authorization Token required"),
	)
	page.do(chromedp.Click(chromedp.ID("refresh")), says("fresh", "refreshed"),
		chromedp.SetValue(chromedp.ID("transport"), "message"),
		chromedp.Click(chromedp.ID("connect")), says("status", "Connected to /ws/message as alice by message"),
		chromedp.SetValue(chromedp.ID("transport"), "subprotocol"),
		chromedp.SetValue(chromedp.ID("route"), "/ws/fresh"),
		chromedp.Click(chromedp.ID("connect")),
		says("status", "1008 PASETO access token is not fresh"),
	)
	page.do(chromedp.Click(chromedp.ID("logout")), says("status", "Logged out"))
}

// TestChatInBrowserWithCookies: cookies carry a login over a reload, a refresh of
// theirs opens a new socket, and a logout ends it.
func TestChatInBrowserWithCookies(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	openTab(t, s.URL).do(
		logIn("admin", true),
		chromedp.Reload(),
		says("status", "Connected to /ws as admin"),
		chromedp.Click(chromedp.ID("refresh")), says("fresh", "refreshed"),
		says("status", "Connected to /ws as admin by cookie with the new token"),
		chromedp.Click(chromedp.ID("logout")), says("status", "Logged out"),
		chromedp.Reload(),
		chromedp.WaitVisible(chromedp.ID("login")), says("status", "Log in to begin"),
	)
}

// statusOf returns what the page says of itself.
func statusOf(page context.Context) string {
	status, err := chromedp.Run(page, chromedp.TextContent(chromedp.ID("status")))
	if err != nil {
		return err.Error()
	}
	return "the page says: " + status
}

// wantHeard reads until the message comes.
func wantHeard(t *testing.T, conn *websocket.Conn, from, text string) {
	t.Helper()
	for {
		var frame struct{ Type, From, Text string }
		if err := conn.ReadJSON(&frame); err != nil {
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
	return &site{URL: url, client: &http.Client{Transport: transport, Timeout: 10 * time.Second}, t: t}
}
