package chat_test

import (
	"encoding/json"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testsite"
)

// TestChatInBrowser: a person logs in, is heard by another, and sees why a
// socket was refused.
func TestChatInBrowser(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	page := openTab(t, s.URL)

	listener, _ := s.Dial("/ws", testsite.Bearer(s.Login("bob").AccessToken.Reveal()))
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
	s := testsite.Chat(t, nil)
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
		_, data, err := testsite.Read(conn)
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
