package pasetokit_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/wsauth"
)

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
