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
	"github.com/pasetokit/pasetokit/wsauth"
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

// TestLogOutOtherTabs: one tab stays, and the others of the same user say why they
// do not: those of other logins, and those that share its cookies.
func TestLogOutOtherTabs(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	page := openTab(t, s.URL)
	page.do(logIn("alice", true))
	sharing := page.another(s.URL)
	sharing.do(says("status", "Connected to /ws as alice by cookie"))
	elsewhere := openTab(t, s.URL)
	elsewhere.do(logIn("alice", false))

	page.do(chromedp.Click(chromedp.ID("logout-others")),
		says("status", "Logged out: 2 other connections closed, 1 other login ended"))
	sharing.do(says("status", "4000 Logged out by another tab"), chromedp.WaitVisible(chromedp.ID("login")))
	elsewhere.do(says("status", "1008 Token has been revoked"), says("status", "You are logged out"),
		chromedp.WaitVisible(chromedp.ID("login")))
	page.do(speaks("still here"))
}

// TestRenewalInBrowser: a page keeps its socket longer than the token lives that
// opened it.
func TestRenewalInBrowser(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.before(runChatWith(t, []string{"PASETOKIT_TOKEN__ACCESS_TTL=10s"}))
	page := openTab(t, f.URL)
	page.do(logIn("alice", false))
	const renewed = "The token is renewed, over the open socket"
	for range 2 { // every five seconds; by then the first token has ended
		page.do(says("status", renewed), forgetStatus)
	}
	page.do(speaks("the same socket"), says("fresh", "refreshed"))
	if n := len(f.passed()); n != 1 {
		t.Errorf("%d sockets were opened, want one", n)
	}
}

// TestRefusedRenewalInBrowser: the page says why its socket will end, and does not
// come back where no token of its login helps.
func TestRefusedRenewalInBrowser(t *testing.T) {
	t.Parallel()
	page := openTab(t, runChatWith(t, []string{"PASETOKIT_TOKEN__ACCESS_TTL=10s"}).URL)
	page.do(logIn("alice", false), chromedp.Click(chromedp.ID("auto")),
		chromedp.SetValue(chromedp.ID("route"), "/ws/fresh"),
		chromedp.Click(chromedp.ID("connect")), says("status", "Connected to /ws/fresh as alice"),
		chromedp.Click(chromedp.ID("refresh")),
		says("status", "Renewal refused: PASETO access token is not fresh"),
		speaks("with the old token"),
		chromedp.Click(chromedp.ID("auto")),
		says("status", "Refused: 1008 PASETO access token is not fresh"),
		chromedp.WaitNotPresent(chromedp.CSS("#disconnect:enabled")),
	)
}

// TestExpiryInBrowser: a socket ends with its token if that is not refreshed, and
// comes back with the next one.
func TestExpiryInBrowser(t *testing.T) {
	t.Parallel()
	page := openTab(t, runChatWith(t, []string{"PASETOKIT_TOKEN__ACCESS_TTL=5s"}).URL)
	page.do(logIn("alice", false), chromedp.Click(chromedp.ID("auto")),
		says("status", "Closed: 1008 Token expired."),
		chromedp.Click(chromedp.ID("refresh")),
		says("status", "Connected to /ws as alice by subprotocol with the new token"),
		chromedp.Click(chromedp.ID("auto")), says("status", "over the open socket"),
	)
}

// TestAnnouncementInBrowser: what an admin announces is read in every room, and a
// message in its own.
func TestAnnouncementInBrowser(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	admin, alice := openTab(t, s.URL), openTab(t, s.URL)
	alice.do(chromedp.WaitNotVisible(chromedp.ID("announce")), logIn("alice", false), speaks("lobby, good bye"),
		chromedp.SendKeys(chromedp.ID("room"), "Den\r"), says("room-name", "den"), speaks("it is quiet here"))
	admin.do(logIn("admin", false), speaks("only in the lobby"),
		chromedp.SendKeys(chromedp.ID("message"), "closing soon"),
		chromedp.Click(chromedp.ID("announce")), says("log", "closing soon"))
	alice.do(says("log", "closing soon"), chromedp.WaitNotVisible(chromedp.ID("announce")))
	if read := alice.read(`document.getElementById("log").textContent`); strings.Contains(read, "lobby") {
		t.Errorf("in the den alice reads %q", read)
	}
	alice.do(chromedp.Reload(), says("room-name", "den"), // which its address says
		logIn("alice", false), says("log", "it is quiet here"))
}

// TestReplacedTab: of two tabs where one is allowed the older one is closed, says
// why, and does not come back by itself.
func TestReplacedTab(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.before(runChatWith(t, []string{"PASETOKIT_WEBSOCKET__LIMITS__PER_SUBJECT=1"}))
	first := openTab(t, f.URL)
	first.do(logIn("alice", false))
	second := first.another(f.URL)
	second.do(logIn("alice", false))
	first.do(says("status", "Closed: 1008 Replaced by a newer connection"),
		// A new token would bring back a page that waits for one.
		chromedp.Click(chromedp.ID("refresh")), says("status", "The token is refreshed."))
	second.do(speaks("I am the newest"))
	if n := len(f.passed()); n != 2 {
		t.Errorf("%d sockets were opened, want one by each tab", n)
	}
	first.do(chromedp.Click(chromedp.ID("connect")), says("status", "Connected to /ws as alice"))
	second.do(says("status", "Closed: 1008 Replaced by a newer connection"))
}

// TestCapWithCookies: a page that opens a socket for its new token may put its own
// old one out, and is none the worse for it.
func TestCapWithCookies(t *testing.T) {
	t.Parallel()
	page := openTab(t, runChatWith(t, []string{"PASETOKIT_WEBSOCKET__LIMITS__PER_SUBJECT=1"}).URL)
	const keep = `window.said = [];
		new MutationObserver(() => said.push(document.getElementById("status").textContent))
			.observe(document.getElementById("status"), { childList: true })`
	page.do(logIn("alice", true), script(keep))
	for range 3 {
		page.do(forgetStatus, chromedp.Click(chromedp.ID("refresh")),
			says("status", "Connected to /ws as alice by cookie with the new token"))
	}
	page.do(speaks("still here"))
	if said := page.read(`said.join("\n")`); !strings.Contains(said, "Connected") || strings.Contains(said, "Closed") {
		t.Errorf("the page says %q", said)
	}
}

// TestRevocationInBrowser: the socket of a login that is ended elsewhere is closed
// at once, and the page says so.
func TestRevocationInBrowser(t *testing.T) {
	t.Parallel()
	s := runChat(t)
	page := openTab(t, s.URL)
	page.do(logIn("alice", false))
	s.post(s.client, "/logout/everywhere", s.login("alice").AccessToken, nil, nil)
	page.do(says("status", "Closed: 1008 Token has been revoked"), says("status", "You are logged out"),
		chromedp.WaitVisible(chromedp.ID("login")))
}

// TestRestartInBrowser: when the server has stopped and started again, the page
// comes back by itself.
func TestRestartInBrowser(t *testing.T) {
	t.Parallel()
	env := []string{"PASETOKIT_TOKEN__KEYS=" + strings.Repeat("7b", 32)}
	s := runChatWith(t, env)
	page := openTab(t, s.URL+"/?room=den")
	page.do(logIn("alice", false), says("room-name", "den"))
	s.stop()
	page.do(says("status", "Connecting again"))
	s = runChatWith(t, env, "-addr", strings.TrimPrefix(s.URL, "http://"))
	page.do(says("status", "Connected to /ws as alice by subprotocol again"), speaks("back again"))
	bob, _ := s.dial("/ws?room=den", bearer(s.login("bob").AccessToken))
	if bob == nil {
		t.Fatal("the handshake was refused")
	}
	page.do(speaks("hello bob"))
	wantHeard(t, bob, "alice", "hello bob")
}

// TestPageKnowsClosures: the page does after every close what the guard's table
// says.
func TestPageKnowsClosures(t *testing.T) {
	t.Parallel()
	type closed struct {
		Code   wsauth.CloseCode `json:"code"`
		Reason string           `json:"reason"`
	}
	want := map[closed]wsauth.Reconnect{
		{1012, "Server is shutting down"}:    wsauth.ReconnectNow, // websocket.shutdown_code
		{1006, ""}:                           wsauth.ReconnectLater,
		{1008, "of a requirement's Check"}:   wsauth.ReconnectNever,
		{4000, "Logged out by another tab"}:  wsauth.ReconnectNever,
		{wsauth.CloseTryAgainLater, "other"}: wsauth.ReconnectLater,
		{wsauth.CloseMessageTooBig, ""}:      wsauth.ReconnectNever,
	}
	for _, c := range wsauth.Closures() {
		want[closed{c.Standard, c.Cause.Message}] = c.Reconnect
		want[closed{c.Private, c.Cause.Message}] = c.Reconnect
	}
	page := openTab(t, runChat(t).URL)
	for event, want := range want {
		argument, err := json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		got := page.read(fmt.Sprintf("import('./closes.js').then((m) => m.afterwards(%s))", argument))
		if got != string(want) {
			t.Errorf("after %v the page connects %q, want %q", event, got, want)
		}
	}
}

// script runs a script on a page.
func script(text string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, page *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[any](text+"; null")(ctx, page)
		return chromedp.Void{}, err
	}
}

// forgetStatus empties the status line, so that what it says next is new.
var forgetStatus = script(`document.getElementById("status").textContent = ""`)

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
