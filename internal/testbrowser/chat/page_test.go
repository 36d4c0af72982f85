package chat_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/internal/testbrowser"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// phone makes the window as small as a telephone's.
var phone = chromedp.EmulateViewport(390, 844)

// inSight waits until an element lies in the window, with nothing before it.
func inSight(id string) testbrowser.Action {
	return testbrowser.Until(`(() => {
		const element = document.getElementById("` + id + `"), r = element.getBoundingClientRect();
		return element === document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
	})()`)
}

// notes returns what the log of a page tells beside what was said.
func (p tab) notes() string {
	return p.read(`[...document.querySelectorAll("#log .note")].map((e) => e.textContent).join(", ")`)
}

// TestLoginAfterNone: a login chooses a way for its token where none was chosen.
func TestLoginAfterNone(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	for _, cookies := range []bool{false, true} {
		page := openTab(t, s.URL)
		page.Do(chooses("transport", "none"), logIn("alice", cookies), speaks("hello"))
		if kind := page.read(`document.getElementById("status").dataset.kind`); kind != "good" {
			t.Errorf("cookies %t: a login that works ends on %s news: %s", cookies, kind, page.read(`said.join("\n")`))
		}
	}
}

// TestExpiredOnPhone: when the token has expired, the button that helps is in sight on a
// small window, and the button Connect helps as well.
func TestExpiredOnPhone(t *testing.T) {
	t.Parallel()
	for _, button := range []string{"revive", "connect"} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			testtool.InTime(t, func(ttl time.Duration) bool {
				page := openTab(t, testsite.Chat(t, accessTTL(ttl)).URL)
				page.Do(phone, doNotRefresh, hidden("revive"), entersLogin("alice"))
				if page.hears("Connected to /ws as alice", expired) == 1 {
					return false
				}
				page.Do(hidden("revive"), says("status", "Closed: "+expired), inSight("revive"),
					forgetStatus, click(button))
				return page.hears("Connected to /ws as alice by subprotocol with the new token", expired) == 0
			})
		})
	}
}

// TestLogoutClearsPage: what was said in a login goes with it, however it ends: by its
// button, or elsewhere.
func TestLogoutClearsPage(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	empty := testbrowser.Until(`document.getElementById("log").childElementCount === 0`)
	for _, end := range []func(tab){
		func(p tab) { p.Do(click("logout"), says("status", "Logged out")) },
		func(p tab) {
			s.Post(s.Client, "/logout/everywhere", s.Login("alice").AccessToken.Reveal(), nil, nil)
			p.Do(says("status", "You are logged out"))
		},
	} {
		page := openTab(t, s.URL)
		page.Do(logIn("alice", false), speaks("for nobody else"), types("message", "a draft"))
		end(page)
		page.Do(visible("login"), empty)
		if draft := page.read(`document.getElementById("message").value`); draft != "" {
			t.Errorf("the draft %q stays", draft)
		}
	}
}

// TestJoinedAndLeft: nobody joins twice without having left, in the log of the page that
// comes and goes, and of others; also of those who went while the page was away.
func TestJoinedAndLeft(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	alice, bob := openTab(t, s.URL), openTab(t, s.URL)
	alice.Do(logIn("alice", false), speaks("first"))
	bob.Do(logIn("bob", false), speaks("second"),
		click("connect"), says("status", "Connected to /ws as bob"), // beside the open socket
		forgetStatus, click("disconnect"), says("status", "Closed: 1000"),
		click("connect"), says("status", "Connected to /ws as bob"), speaks("third"))
	alice.Do(says("log", "third"))
	if got, want := bob.notes(), "bob joined, bob left, bob joined"; got != want {
		t.Errorf("bob reads %q, want %q", got, want)
	}
	if got, want := alice.notes(), "alice joined, bob joined, bob left, bob joined"; got != want {
		t.Errorf("alice reads %q, want %q", got, want)
	}

	alice.Do(forgetStatus, click("disconnect"), says("status", "Closed: 1000"))
	bob.Do(click("logout"), says("status", "Logged out"))
	alice.Do(click("connect"), says("status", "Connected to /ws as alice"), speaks("fourth"))
	if got, want := alice.notes(), "alice joined, bob joined, bob left, bob joined, alice left, bob left, alice joined"; got != want {
		t.Errorf("alice reads %q, want %q", got, want)
	}
}

// TestReloadInOutage: a page whose cookies cannot be refreshed at the moment does not
// have them deleted.
func TestReloadInOutage(t *testing.T) {
	t.Parallel()
	testtool.InTime(t, func(ttl time.Duration) bool {
		target, err := url.Parse(testsite.Chat(t, accessTTL(ttl)).URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(target)
		transport := new(http.Transport)
		proxy.Transport = transport
		t.Cleanup(transport.CloseIdleConnections)
		var down atomic.Bool
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() && strings.HasSuffix(r.URL.Path, "/refresh") {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(front.Close)

		page := openTab(t, front.URL)
		page.Do(doNotRefresh, click("cookies"), entersLogin("alice"))
		if page.hears("Connected to /ws as alice", expired) == 1 {
			return false
		}
		page.Do(says("status", "Closed: "+expired))
		down.Store(true)
		page.Do(chromedp.Reload(), says("status", "cannot be refreshed: 503"), visible("login"))
		down.Store(false)
		page.Do(chromedp.Reload(), says("status", "Connected to /ws as alice by cookie"))
		return true
	})
}
