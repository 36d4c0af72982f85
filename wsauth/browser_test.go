package wsauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/internal/testtool"
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
	ctx  context.Context
	url  string
	last *atomic.Int64 // the number of its last socket
}

func newChromium(t *testing.T) chromium {
	t.Helper()
	program := testtool.Need(t, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	srv := listen(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, browserPage)
	}))
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
	t.Cleanup(cancel)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	ctx, cancel = context.WithTimeout(ctx, 10*patience)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL)); err != nil {
		t.Fatal(err)
	}
	return chromium{ctx: ctx, url: srv.URL, last: new(atomic.Int64)}
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
	evaluate[chromedp.Void](t, c, fmt.Sprintf("connect(...%s)", arguments))
	return func() outcome {
		t.Helper()
		return evaluate[outcome](t, c, fmt.Sprintf("closed[%d]", id))
	}
}

// evaluate returns what a promise of the page is kept with.
func evaluate[T any](t *testing.T, c chromium, promise string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	kept, err := chromedp.Run(ctx, chromedp.Evaluate[T](promise, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("the page does not answer: %v", err)
	}
	return kept
}

// TestClosuresInBrowser is TestClosures for what a browser lets a page do. What is
// refused over HTTP is among it.
func TestClosuresInBrowser(t *testing.T) {
	t.Parallel()
	playAll(t, newChromium(t), slices.DeleteFunc(closings(), func(c closing) bool { return c.rough }))
}
