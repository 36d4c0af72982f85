package chat_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/internal/testbrowser"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestLogOutOtherTabs: one tab stays, and the others of the same user say why they
// do not: those of other logins, and those that share its cookies.
func TestLogOutOtherTabs(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	page := openTab(t, s.URL)
	page.Do(logIn("alice", true))
	sharing := page.another(s.URL)
	sharing.Do(says("status", "Connected to /ws as alice by cookie"))
	elsewhere := openTab(t, s.URL)
	elsewhere.Do(logIn("alice", false))

	page.Do(click("logout-others"),
		says("status", "Logged out: 2 other connections closed, 1 other login ended"))
	sharing.Do(says("status", "4000 Logged out by another tab"), visible("login"))
	elsewhere.Do(says("status", "1008 Token has been revoked"), says("status", "You are logged out"),
		visible("login"))
	page.Do(speaks("still here"))
}

// expired is what the page says of a token that it used too late.
const expired = "1008 Token expired."

// TestRenewalInBrowser: a page keeps its socket longer than the token lives that
// opened it.
func TestRenewalInBrowser(t *testing.T) {
	t.Parallel()
	testtool.InTime(t, func(ttl time.Duration) bool {
		f := newFront(t)
		f.before(testsite.Chat(t, accessTTL(ttl)))
		page := openTab(t, f.URL)
		page.Do(entersLogin("alice"))
		if page.hears("Connected to /ws as alice", expired) == 1 {
			return false
		}
		for range 3 { // each half a life later at least: the first token has ended
			if page.hears("The token is renewed, over the open socket", expired) == 1 {
				return false
			}
			page.Do(forgetStatus)
		}
		page.Do(speaks("the same socket"), says("fresh", "refreshed"))
		if n := len(f.passed()); n != 1 {
			t.Errorf("%d sockets were opened, want one", n)
		}
		return true
	})
}

// accessTTL is the environment of a chat whose access tokens live that long.
func accessTTL(ttl time.Duration) []string {
	return []string{"PASETOKIT_TOKEN__ACCESS_TTL=" + ttl.String()}
}

// doNotRefresh has the page refresh its token only when it is told to.
var doNotRefresh = testbrowser.Script(`document.getElementById("auto").checked = false`)

// TestRefusedRenewalInBrowser: the page says why its socket will end, and does not
// come back where no token of its login helps.
func TestRefusedRenewalInBrowser(t *testing.T) {
	t.Parallel()
	testtool.InTime(t, func(ttl time.Duration) bool {
		page := openTab(t, testsite.Chat(t, accessTTL(ttl)).URL)
		page.Do(doNotRefresh, chooses("route", "/ws/fresh"), entersLogin("alice"))
		if page.hears("Connected to /ws/fresh as alice", expired) == 1 {
			return false
		}
		page.Do(click("refresh"))
		if page.hears("Renewal refused: PASETO access token is not fresh", expired) == 1 {
			return false
		}
		page.Do(click("auto"), says("status", "Refused: 1008 PASETO access token is not fresh"),
			testbrowser.Until(`document.getElementById("disconnect").disabled`))
		return true
	})
}

// TestExpiryInBrowser: a socket ends with its token if that is not refreshed, and
// comes back with the next one.
func TestExpiryInBrowser(t *testing.T) {
	t.Parallel()
	testtool.InTime(t, func(ttl time.Duration) bool {
		page := openTab(t, testsite.Chat(t, accessTTL(ttl)).URL)
		page.Do(doNotRefresh, entersLogin("alice"))
		if page.hears("Connected to /ws as alice", expired) == 1 {
			return false
		}
		page.Do(says("status", "Closed: "+expired), forgetStatus, click("refresh"))
		if page.hears("Connected to /ws as alice by subprotocol with the new token", expired) == 1 {
			return false
		}
		page.Do(click("auto"))
		return page.hears("over the open socket", expired) == 0
	})
}

// TestAnnouncementInBrowser: what an admin announces is read in every room, and a
// message in its own.
func TestAnnouncementInBrowser(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	admin, alice := openTab(t, s.URL), openTab(t, s.URL)
	alice.Do(hidden("announce"), logIn("alice", false), speaks("lobby, good bye"),
		types("room", "Den\r"), says("room-name", "den"), speaks("it is quiet here"))
	admin.Do(logIn("admin", false), speaks("only in the lobby"),
		types("message", "closing soon"),
		click("announce"), says("log", "closing soon"))
	alice.Do(says("log", "closing soon"), hidden("announce"))
	if read := alice.read(`document.getElementById("log").textContent`); strings.Contains(read, "lobby") {
		t.Errorf("in the den alice reads %q", read)
	}
	alice.Do(chromedp.Reload(), says("room-name", "den"), // which its address says
		logIn("alice", false), says("log", "it is quiet here"))
}

// TestReplacedTab: of two tabs where one is allowed the older one is closed, says
// why, and does not come back by itself.
func TestReplacedTab(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.before(testsite.Chat(t, []string{"PASETOKIT_LIVE__PER_SUBJECT=1"}))
	first := openTab(t, f.URL)
	first.Do(logIn("alice", false))
	second := first.another(f.URL)
	second.Do(logIn("alice", false))
	first.Do(says("status", "Closed: 1008 Replaced by a newer connection"),
		// A new token would bring back a page that waits for one.
		click("refresh"), says("status", "The token is refreshed."))
	second.Do(speaks("I am the newest"))
	if n := len(f.passed()); n != 2 {
		t.Errorf("%d sockets were opened, want one by each tab", n)
	}
	first.Do(click("connect"), says("status", "Connected to /ws as alice"))
	second.Do(says("status", "Closed: 1008 Replaced by a newer connection"))
}

// TestCapWithCookies: a page that opens a socket for its new token may put its own
// old one out, and is none the worse for it.
func TestCapWithCookies(t *testing.T) {
	t.Parallel()
	page := openTab(t, testsite.Chat(t, []string{"PASETOKIT_LIVE__PER_SUBJECT=1"}).URL)
	page.Do(logIn("alice", true))
	for range 3 {
		page.Do(forgetStatus, click("refresh"),
			says("status", "Connected to /ws as alice by cookie with the new token"))
	}
	page.Do(speaks("still here"))
	if said := page.read(`said.join("\n")`); !strings.Contains(said, "Connected") || strings.Contains(said, "Closed") {
		t.Errorf("the page says %q", said)
	}
}

// TestRevocationInBrowser: the socket of a login that is ended elsewhere is closed
// at once, and the page says so.
func TestRevocationInBrowser(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	page := openTab(t, s.URL)
	page.Do(logIn("alice", false))
	s.Post(s.Client, "/logout/everywhere", s.Login("alice").AccessToken.Reveal(), nil, nil)
	page.Do(says("status", "Closed: 1008 Token has been revoked"), says("status", "You are logged out"),
		visible("login"))
}

// TestRestartInBrowser: when the server has stopped and started again, the page
// comes back by itself.
func TestRestartInBrowser(t *testing.T) {
	t.Parallel()
	env := []string{"PASETOKIT_TOKEN__KEYS=" + strings.Repeat("7b", 32)}
	s := testsite.Chat(t, env)
	page := openTab(t, s.URL+"/?room=den")
	page.Do(logIn("alice", false), says("room-name", "den"))
	s.Signal(os.Interrupt)
	page.Do(says("status", "Connecting again"))
	s = testsite.Chat(t, env, "-addr", strings.TrimPrefix(s.URL, "http://"))
	page.Do(says("status", "Connected to /ws as alice by subprotocol again"), speaks("back again"))
	bob, _ := s.Dial("/ws?room=den", testsite.Bearer(s.Login("bob").AccessToken.Reveal()))
	if bob == nil {
		t.Fatal("the handshake was refused")
	}
	page.Do(speaks("hello bob"))
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
	want := map[closed]httpauth.Reconnect{
		{1012, "Server is shutting down"}:    httpauth.ReconnectNow, // websocket.shutdown_code
		{1006, ""}:                           httpauth.ReconnectLater,
		{1008, "of a requirement's Check"}:   httpauth.ReconnectNever,
		{4000, "Logged out by another tab"}:  httpauth.ReconnectNever,
		{wsauth.CloseTryAgainLater, "other"}: httpauth.ReconnectLater,
		{wsauth.CloseMessageTooBig, ""}:      httpauth.ReconnectNever,
	}
	for _, c := range wsauth.Closures() {
		want[closed{c.Standard, c.Cause.Message()}] = c.Reconnect
		want[closed{c.Private, c.Cause.Message()}] = c.Reconnect
		want[closed{c.GraphQLWS, c.Cause.Message()}] = c.Reconnect
	}
	page := openTab(t, testsite.Chat(t, nil).URL)
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
