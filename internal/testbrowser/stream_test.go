package testbrowser_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/testbrowser"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// streamPage follows a stream with the code of docs/streams.md, and shows what it hears.
const streamPage = `
const heard = [];
const show = (text) => { heard.push(text); document.body.append(text); };
fetch("/login", {
	method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({username: "alice", password: "demo"}),
}).then(() => follow("/events", show)).then((outcome) => show("outcome: " + outcome));
`

// TestEventSourceInBrowser: a page hears events beyond the expiry of its token, keeps a stream
// by renewal, goes on after its connection broke, also with a token that expired meanwhile,
// and is told when it is logged out.
func TestEventSourceInBrowser(t *testing.T) {
	t.Parallel()
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(strings.Repeat("7c", 32))}}
	cfg.HTTP.Locations = []httpauth.Location{httpauth.LocationCookie}
	cfg.HTTP.Cookie.Insecure = true
	clock := testclock.New(time.Now())
	kit, err := config.Open(t.Context(), cfg, config.WithClock(clock.Now))
	if err != nil {
		t.Fatal(err)
	}
	web, auth := kit.HTTP, kit.Authorizer
	say, renewed := make(chan string), make(chan string, 1)
	var streams atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `<!doctype html><title>page</title><body>`)
	})
	mux.Handle("POST /login", web.Login(testsite.CheckPassword))
	mux.Handle("POST /refresh", web.Refresh())
	mux.HandleFunc("POST /renew", func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		web.Renew().ServeHTTP(answer, r)
		renewed <- answer.Body.String()
		w.WriteHeader(answer.Code)
	})
	mux.Handle("GET /events", web.Stream(paseto.Requirement{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		events, err := httpauth.Events(r)
		if err != nil {
			t.Error(err)
			return
		}
		id := strconv.FormatInt(streams.Add(1), 10)
		_ = events.Send(httpauth.Event{ID: id, Data: id + " after " + events.LastEventID(), Retry: time.Millisecond})
		for {
			select {
			case <-r.Context().Done():
				return
			case text := <-say:
				_ = events.Send(httpauth.Event{Data: text})
			}
		}
	})))
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
		defer cancel()
		if err := web.Keeper().Shutdown(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
		_ = kit.Close()
	})
	expire := func() { clock.Advance(auth.Config().AccessTTL + auth.Config().Leeway) }
	recheck := func() {
		if err := web.Keeper().Recheck(t.Context()); err != nil {
			t.Error(err)
		}
	}
	browser := new(testbrowser.Browser)
	t.Cleanup(browser.Close)
	page := browser.Open(t, server.URL)
	hears := func(what string) {
		t.Helper()
		page.Do(testbrowser.Until(fmt.Sprintf(`heard.at(-1) === %q`, what)))
	}
	page.Do(testbrowser.Script(doctest.Code(t, "docs/streams.md", "js") + streamPage))
	hears("1 after ")

	expire()
	recheck()
	hears("2 after 1")

	clock.Advance(time.Minute) // so that the next token expires later
	page.Do(testbrowser.Script(`keep(0.001)`))
	if answer := testtool.Await(t, renewed, "a renewal"); !strings.HasPrefix(answer, `{"renewed":1,`) {
		t.Errorf("the renewal is answered with %s", answer)
	}
	clock.Advance(auth.Config().AccessTTL + auth.Config().Leeway - time.Minute) // the old one has expired
	recheck()
	say <- "still open"
	hears("still open")

	server.CloseClientConnections() // the browser connects again by itself
	hears("3 after 2")
	expire()
	server.CloseClientConnections() // and is refused
	hears("4 after 3")

	if err := auth.RevokeSubject(t.Context(), "alice", clock.Now()); err != nil {
		t.Fatal(err)
	}
	hears("outcome: Log in again")
	if n := streams.Load(); n != 4 {
		t.Errorf("%d streams were opened, want 4", n)
	}
}
