package chat_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/testsite"
)

// front is an address that is known before the server behind it starts. It
// keeps the handshakes that it passes on.
type front struct {
	*httptest.Server

	mu         sync.Mutex
	proxy      *httputil.ReverseProxy
	handshakes []*http.Request
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := new(front)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		proxy := f.proxy
		if websocket.IsWebSocketUpgrade(r) {
			f.handshakes = append(f.handshakes, r.Clone(r.Context()))
		}
		f.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// before puts the front before a site.
func (f *front) before(s *testsite.Site) {
	target, err := url.Parse(s.URL)
	if err != nil {
		panic(err) // it is the URL of a server that runs
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.proxy = httputil.NewSingleHostReverseProxy(target)
	f.proxy.Transport = s.Client.Transport
}

// passed returns the handshakes until now.
func (f *front) passed() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.handshakes)
}

// TestTicketFromAnotherOrigin: a person logs in on the page of one origin, and
// its socket opens at the server of another, by a ticket that then is used.
func TestTicketFromAnotherOrigin(t *testing.T) {
	t.Parallel()
	pages, server := newFront(t), newFront(t)
	s := testsite.Chat(t, []string{
		"PASETOKIT_WEBSOCKET__ALLOWED_ORIGINS=" + pages.URL,
		"PASETOKIT_HTTP__ALLOWED_ORIGINS=" + pages.URL,
	})
	server.before(s)
	pages.before(testsite.Chat(t, nil, "-server", server.URL))

	listener, _ := s.Dial("/ws", testsite.Bearer(s.Login("bob").AccessToken.Reveal()))
	if listener == nil {
		t.Fatal("the handshake was refused")
	}
	page := openTab(t, pages.URL)
	page.Do(says("where", server.URL),
		entersLogin("alice"),
		says("status", "Connected to /ws/ticket as alice by ticket"),
		says("people", "bob"),
		types("message", "hello from abroad"),
		click("send"),
		says("log", "hello from abroad"),
	)
	wantHeard(t, listener, "alice", "hello from abroad")

	page.Do(
		click("refresh"),
		says("status", "renewed, over the open socket"),
		click("connect"),
		says("status", "Connected to /ws/ticket as alice by ticket"),
	)
	handshakes := server.passed()
	if len(handshakes) != 2 {
		t.Fatalf("%d handshakes, want one for each socket and none for the new token", len(handshakes))
	}
	for _, r := range handshakes {
		if !r.URL.Query().Has("ticket") || r.Header.Get("Cookie")+r.Header.Get("Authorization")+r.Header.Get("Sec-WebSocket-Protocol") != "" {
			t.Errorf("the handshake carries %v %v, want a ticket alone", r.URL.Query(), r.Header)
		}
		if r.Header.Get("Origin") != pages.URL {
			t.Errorf("the handshake is of the origin %s, want %s", r.Header.Get("Origin"), pages.URL)
		}
		of := http.Header{"Origin": {pages.URL}}
		conn, _ := s.Dial(r.URL.RequestURI(), of)
		testsite.WantUseless(t, conn, "Ticket has been used")
		conn, _ = s.Dial("/ws?"+r.URL.RawQuery, of)
		testsite.WantUseless(t, conn, "Ticket is not valid here")
		conn, _ = s.Dial(r.URL.RequestURI(), http.Header{"Origin": {s.URL}})
		testsite.WantUseless(t, conn, "Ticket is not valid here")
	}
	if first, second := handshakes[0].URL.String(), handshakes[1].URL.String(); first == second {
		t.Error("both sockets were opened by one ticket")
	}

	page.Do(click("logout-everywhere"), says("status", "Logged out: the server has revoked every token of alice"))
}

// TestTicketInBrowser: a page of the server itself can use tickets too, beside
// the cookies of its login.
func TestTicketInBrowser(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	page := openTab(t, s.URL)
	page.Do(
		logIn("alice", true),
		chooses("transport", "ticket"),
		click("connect"), says("status", "Connected to /ws/ticket as alice by ticket"),
		chooses("route", "/ws"),
		click("connect"), says("status", "More than one token was sent"),
	)
}

// TestNoTicketInBrowser: where a server gives no tickets, the page says so.
func TestNoTicketInBrowser(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, []string{"PASETOKIT_DENYLIST__DISABLED=true"})
	page := openTab(t, s.URL)
	page.Do(
		logIn("alice", false),
		chooses("transport", "ticket"),
		click("connect"), says("status", "501 This server cannot issue tickets"),
		chooses("transport", "subprotocol"),
		click("connect"), says("status", "Connected to /ws as alice by subprotocol"),
	)
}

// TestNoTicketForStrangers: a page of an origin that the server does not know
// can do nothing with it, and says what may be the cause.
func TestNoTicketForStrangers(t *testing.T) {
	t.Parallel()
	s := testsite.Chat(t, nil)
	page := openTab(t, testsite.Chat(t, nil, "-server", s.URL).URL)
	page.Do(
		entersLogin("alice"),
		says("status", "Login refused: "+s.URL+" does not answer, or not to pages of"),
	)
}
