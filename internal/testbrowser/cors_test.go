package testbrowser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/testbrowser"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ticketClient has what a page does with its token, and with a ticket that it was given.
// In the first the code of docs/revocation.md buys a ticket and opens a socket. Both
// resolve to what the server says first.
const ticketClient = `
const hear = (socket) => new Promise((resolve) => {
	socket.addEventListener("message", ({ data }) => resolve(data));
	socket.addEventListener("close", ({ code }) => resolve("closed with " + code));
});
globalThis.withTicket = (api, ticket) => hear(new WebSocket(api.replace("http", "ws") + "/ws?ticket=" + ticket));
globalThis.withToken = async (api, token) => {
	try {
		const refused = await fetch(api + "/me");
		if (!refused.headers.get("WWW-Authenticate")) return "the page cannot read why it is refused";
		const me = await (await fetch(api + "/me", { headers: { Authorization: "Bearer " + token } })).text();
		%s
		return me + " hears " + await hear(socket);
	} catch (error) {
		return error.name;
	}
};
`

// TestOtherOriginsInBrowser: the page of an allowed origin uses a guarded route, buys a
// ticket and opens a socket with it at the server of another origin. Its browser asks
// for leave before each request, without a credential. The page of a third origin can
// do none of that, nor use a ticket that it was given.
func TestOtherOriginsInBrowser(t *testing.T) {
	t.Parallel()
	origin := func() string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, `<!doctype html><title>page</title>`)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	ours, theirs := origin(), origin()
	client := fmt.Sprintf(ticketClient, doctest.Code(t, "docs/revocation.md", "js"))

	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(strings.Repeat("7b", 32))}}
	cfg.HTTP.AllowedOrigins = []string{ours}
	cfg.WebSocket.AllowedOrigins = []string{ours}
	cfg.WebSocket.Locations = []httpauth.Location{httpauth.LocationTicket}
	s := testsite.Start(t, cfg)
	token := s.Login("alice").AccessToken.Reveal()
	claims, err := s.Kit.Authorizer.Verify(t.Context(), token, paseto.Requirement{})
	if err != nil {
		t.Fatal(err)
	}
	browser := new(testbrowser.Browser)
	t.Cleanup(browser.Close)
	for _, page := range []struct{ origin, requests, socket string }{
		{ours, "alice hears hello alice", "hello alice"},
		{theirs, "TypeError", "closed with 1006"},
	} {
		p := browser.Open(t, page.origin)
		p.Do(testbrowser.Script(client))
		script := fmt.Sprintf("withToken(%q, %q)", s.URL, token)
		if got := testbrowser.Evaluate[string](p, script); got != page.requests {
			t.Errorf("the page that asks for a ticket gets %q, want %q", got, page.requests)
		}
		ticket, err := s.Kit.Authorizer.IssueTicket(claims, paseto.TicketGrant{})
		if err != nil {
			t.Fatal(err)
		}
		script = fmt.Sprintf("withTicket(%q, %q)", s.URL, ticket.Token.Reveal())
		if got := testbrowser.Evaluate[string](p, script); got != page.socket {
			t.Errorf("the page that has a ticket gets %q, want %q", got, page.socket)
		}
	}
}
