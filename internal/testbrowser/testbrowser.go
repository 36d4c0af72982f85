// Package testbrowser runs pages in a real Chromium. Tests share one, since it takes a slow machine long to start it, and
// each has cookies of its own. Where Chromium is missing a test is skipped, or fails if NO_SKIP is set.
package testbrowser

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Action is something to do on a page.
type Action = chromedp.Action[chromedp.Void]

// Browser is a Chromium that starts with its first page. It is safe for concurrent use.
type Browser struct {
	// Script runs in every document, before the document's own scripts.
	Script string

	start sync.Once
	ctx   context.Context
	stop  func()
	err   error
}

// Open opens a page that shares no cookies with the pages that are open, and waits until it is loaded. It is closed with
// the test.
func (b *Browser) Open(t testing.TB, url string) Page {
	t.Helper()
	program := testtool.Need(t, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	b.start.Do(func() { b.run(program) })
	if b.err != nil {
		t.Fatalf("the browser does not start: %v", b.err)
	}
	return b.open(b.ctx, t, url, chromedp.WithNewBrowserContext())
}

func (b *Browser) run(program string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // root cannot have one, and the pages are our own
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b.ctx, b.err = ctx, begin(ctx, cancel)
	b.stop = func() {
		ctx, stop := context.WithTimeout(ctx, testtool.Patience)
		defer stop()
		_ = chromedp.Cancel(ctx) // gracefully
		cancel()
		stopAllocator()
	}
}

// begin does something for the first time with a context. What the first call is given bounds the life of the browser and
// of the page, so that it gets no deadline.
func begin(ctx context.Context, cancel func(), actions ...Action) error {
	limit := time.AfterFunc(testtool.Patience, cancel)
	defer limit.Stop()
	return chromedp.Do(ctx, actions...)
}

// Close ends the browser. No page may be opened after that.
func (b *Browser) Close() {
	b.start.Do(func() { b.err = errors.New("it is closed") })
	if b.stop != nil {
		b.stop()
	}
}

func (b *Browser) open(beside context.Context, t testing.TB, url string, opts ...chromedp.ContextOption) Page {
	t.Helper()
	ctx, cancel := chromedp.NewContext(beside, opts...)
	t.Cleanup(cancel)
	prepare := func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: b.Script})
		return chromedp.Void{}, err
	}
	if err := begin(ctx, cancel, prepare, chromedp.Navigate(url)); err != nil {
		t.Fatalf("the page does not open: %v", err)
	}
	return Page{browser: b, t: t, ctx: ctx}
}

// Page is a page in a browser.
type Page struct {
	browser *Browser
	t       testing.TB
	ctx     context.Context
}

// Another opens a page that shares its cookies with this one.
func (p Page) Another(url string) Page {
	p.t.Helper()
	return p.browser.open(p.ctx, p.t, url)
}

// Do does something on the page. The test fails if that is not done within [testtool.Patience], and tells the page's status.
func (p Page) Do(actions ...Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, testtool.Patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%v; the page says %s", err, p.status())
	}
}

// status returns what the page says in its elements of the role status.
func (p Page) status() string {
	const script = `JSON.stringify([...document.querySelectorAll("[role=status]")].map((e) => e.textContent))`
	ctx, cancel := context.WithTimeout(p.ctx, testtool.Patience)
	defer cancel()
	status, err := chromedp.Run(ctx, chromedp.Evaluate[string](script))
	if err != nil {
		return err.Error()
	}
	return status
}

// Evaluate returns the value of a script; a promise is awaited.
func Evaluate[T any](p Page, script string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, testtool.Patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("the page does not answer: %v", err)
	}
	return value
}

// Script runs a script on the page, without waiting for a promise.
func Script(text string) Action {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[any](text+"; null")(ctx, target)
		return chromedp.Void{}, err
	}
}

// Until waits until an expression of the page is true. It is evaluated anew whenever the document changes.
func Until(expression string) Action {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Poll[bool](expression, chromedp.WithPollingMutation(), chromedp.WithPollingTimeout(0))(ctx, target)
		if err != nil {
			err = fmt.Errorf("waiting for %s: %w", expression, err)
		}
		return chromedp.Void{}, err
	}
}

// Click clicks on an element as soon as a person could.
func Click(id string) Action {
	return Until(fmt.Sprintf(`((e) => Boolean(e?.checkVisibility() && !e.disabled && (e.click(), true)))(document.getElementById(%q))`, id))
}
