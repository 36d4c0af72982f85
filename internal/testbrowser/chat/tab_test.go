package chat_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/internal/testbrowser"
)

// What tests do on the page of the chat.

// browser is the browser of all tests. TestMain closes it.
var browser = testbrowser.Browser{Script: keepStatus}

// keepStatus keeps what the status line of a page says, one text after the other: it
// may say the next one before a test looks. The function hears returns which of some
// texts it says first, counted from one, or zero if it has not yet said one of them.
// It passes over what came before that, but not over that itself.
const keepStatus = `
globalThis.said = [];
globalThis.heard = 0;
globalThis.hears = (...texts) => {
	for (; heard < said.length; heard++) {
		const which = texts.findIndex((text) => said[heard].includes(text)) + 1;
		if (which) return which;
	}
	return 0;
};
new MutationObserver((changes) => {
	const status = document.getElementById("status");
	if (changes.some((c) => c.target === status || [...c.addedNodes].some((node) => node.contains(status)))) said.push(status.textContent);
}).observe(document, { childList: true, subtree: true });
`

// tab is a page in the browser.
type tab struct{ testbrowser.Page }

// openTab opens a page of the chat, with cookies of its own.
func openTab(t *testing.T, url string) tab {
	t.Helper()
	p := tab{browser.Open(t, url)}
	p.Do(visible("login"))
	return p
}

// another opens a page with the same cookies.
func (p tab) another(url string) tab {
	return tab{p.Another(url)}
}

// read returns what a script that gives text gives.
func (p tab) read(script string) string { return testbrowser.Evaluate[string](p.Page, script) }

// hears waits until the status line says one of some texts, and returns which, counted
// from zero.
func (p tab) hears(texts ...string) int {
	list, _ := json.Marshal(texts) // never fails for strings
	script := fmt.Sprintf("hears(...%s)", list)
	p.Do(testbrowser.Until("Boolean(" + script + ")"))
	return testbrowser.Evaluate[int](p.Page, script) - 1
}

// says waits until an element of the page contains a text. The status line may
// contain another one by then.
func says(id, text string) testbrowser.Action {
	if id == "status" {
		return testbrowser.Until(fmt.Sprintf("Boolean(hears(%q))", text))
	}
	return testbrowser.Until(fmt.Sprintf("document.getElementById(%q).textContent.includes(%q)", id, text))
}

// forgetStatus passes over what the status line was last heard to say, so that the
// next is new.
var forgetStatus = testbrowser.Script("heard++")

// visible waits until an element can be seen, and hidden until it cannot.
func visible(id string) testbrowser.Action {
	return testbrowser.Until(fmt.Sprintf("document.getElementById(%q)?.checkVisibility()", id))
}

func hidden(id string) testbrowser.Action {
	return testbrowser.Until(fmt.Sprintf("!document.getElementById(%q).checkVisibility()", id))
}

func click(id string) testbrowser.Action { return testbrowser.Click(id) }

// types writes a text into a field.
func types(id, text string) testbrowser.Action { return chromedp.SendKeys(chromedp.ID(id), text) }

// chooses chooses one of the values of a field.
func chooses(id, value string) testbrowser.Action { return chromedp.SetValue(chromedp.ID(id), value) }

// speaks writes a message and waits until the server has passed it on.
func speaks(text string) testbrowser.Action {
	return chromedp.Steps(types("message", text), click("send"), says("log", text))
}

// entersLogin fills the form of a login and sends it.
func entersLogin(name string) testbrowser.Action {
	return chromedp.Steps(types("username", name), types("password", "demo"), click("login"))
}

// logIn logs in, and waits until the socket is open.
func logIn(name string, cookies bool) testbrowser.Action {
	opened := says("status", "Connected to /ws as "+name)
	if cookies {
		return chromedp.Steps(click("cookies"), entersLogin(name), opened)
	}
	return chromedp.Steps(entersLogin(name), opened)
}
