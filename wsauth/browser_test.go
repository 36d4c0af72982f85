package wsauth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/internal/testbrowser"
)

// browserPage keeps what the onclose of each of its sockets says. Messages to it are of
// no concern.
const browserPage = `<!DOCTYPE html>
<title>sockets</title>
<script>
const closed = {};
function connect(id, url, protocols, messages) {
	const socket = new WebSocket(url, protocols);
	let begun;
	const settled = new Promise(resolve => begun = resolve);
	closed[id] = new Promise(resolve => {
		socket.onclose = e => {
			begun();
			resolve({code: e.code, reason: e.reason, wasClean: e.wasClean});
		};
	});
	socket.onopen = () => {
		messages.forEach(message => socket.send(message));
		begun();
	};
	return settled;
}
</script>`

// chromium is a page in a real browser.
type chromium struct {
	page testbrowser.Page
	url  string
	last *atomic.Int64 // the number of its last socket
}

func newChromium(t *testing.T) chromium {
	t.Helper()
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, browserPage)
	}))
	browser := new(testbrowser.Browser)
	t.Cleanup(browser.Close)
	return chromium{page: browser.Open(t, srv.URL), url: srv.URL, last: new(atomic.Int64)}
}

func (c chromium) origin() string { return c.url }

func (c chromium) open(t *testing.T, url string, v visit) func() outcome {
	t.Helper()
	if v.query != "" {
		url += "?" + v.query
	}
	id := c.last.Add(1)
	arguments, err := json.Marshal([]any{id, url, append([]string{}, v.protocols...), append([]string{}, v.messages...)})
	if err != nil {
		t.Fatal(err)
	}
	testbrowser.Evaluate[chromedp.Void](c.page, fmt.Sprintf("connect(...%s)", arguments))
	return func() outcome {
		t.Helper()
		return testbrowser.Evaluate[outcome](c.page, fmt.Sprintf("closed[%d]", id))
	}
}

// TestClosuresInBrowser is TestClosures for what a browser lets a page do. What is
// refused over HTTP is among it.
func TestClosuresInBrowser(t *testing.T) {
	t.Parallel()
	playAll(t, newChromium(t), slices.DeleteFunc(closings(), func(c closing) bool { return c.rough }))
}
