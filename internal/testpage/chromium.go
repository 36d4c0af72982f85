package testpage

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// browserPage opens the sockets that its server asks for, and reports when each has
// begun and how it was closed. Messages to it are of no concern.
const browserPage = `<!DOCTYPE html>
<title>sockets</title>
<script>
const report = (path, body) => fetch(path, {method: "POST", body: JSON.stringify(body)});
function connect({id, url, protocols, messages}) {
	const socket = new WebSocket(url, protocols);
	socket.onopen = () => {
		messages.forEach(message => socket.send(message));
		report("/begun/" + id);
	};
	socket.onclose = ({code, reason, wasClean}) => report("/closed/" + id, {code, reason, wasClean});
}
(async () => { for (;;) connect(await (await fetch("/next")).json()); })();
</script>`

// Chromium is a page in a real browser.
type Chromium struct {
	*httptest.Server

	orders  chan order
	last    *atomic.Int64 // the ID of the last order
	sockets *sync.Map     // by the ID of its order, each a browserSocket
}

// order tells the page to open a socket.
type order struct {
	ID        string   `json:"id"`
	URL       string   `json:"url"`
	Protocols []string `json:"protocols"`
	Messages  []string `json:"messages"`
}

// browserSocket is what the page reports of a socket.
type browserSocket struct {
	begun  chan struct{} // closed by begin
	begin  func()
	closed chan Outcome // gets one
}

// NewChromium starts a browser, which ends with the test.
func NewChromium(t *testing.T) Chromium {
	t.Helper()
	program := testtool.Need(t, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
	c := Chromium{orders: make(chan order), last: new(atomic.Int64), sockets: new(sync.Map)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(browserPage))
	})
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case o := <-c.orders:
			_ = json.NewEncoder(w).Encode(o)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /begun/{id}", func(_ http.ResponseWriter, r *http.Request) {
		c.socket(r).begin()
	})
	mux.HandleFunc("POST /closed/{id}", func(w http.ResponseWriter, r *http.Request) {
		var how Outcome
		if err := json.NewDecoder(r.Body).Decode(&how); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.socket(r).begin()
		c.socket(r).closed <- how
	})
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	showPage(t, program, c.URL)
	return c
}

// socket returns the socket that a request is about.
func (c Chromium) socket(r *http.Request) browserSocket {
	known, _ := c.sockets.Load(r.PathValue("id"))
	s, _ := known.(browserSocket) // the page is told no other ID
	return s
}

// showPage has a browser show a page until the end of the test.
func showPage(t *testing.T, program, url string) {
	t.Helper()
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	said := new(testlog.Buffer)
	cmd := exec.Command(program, "--headless", "--user-data-dir="+profile, //nolint:gosec,noctx // The arguments are our own, and the test ends it.
		"--no-sandbox", // root cannot have one, and the page is our own
		"--disable-gpu", "--disable-dev-shm-usage", "--disable-component-update",
		"--disable-background-networking", "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
		url)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		limit := time.AfterFunc(testtool.Patience, func() { _ = cmd.Process.Kill() })
		defer limit.Stop()
		_ = cmd.Wait()
		testtool.Eventually(t, "the browser leaves its profile", func() bool { return os.RemoveAll(profile) == nil })
		if t.Failed() {
			t.Logf("the browser said:\n%s", said.String())
		}
	})
}

// Origin implements [Page].
func (c Chromium) Origin() string { return c.URL }

// Open implements [Page].
func (c Chromium) Open(t *testing.T, url string, v Visit) func() Outcome {
	t.Helper()
	if v.Query != "" {
		url += "?" + v.Query
	}
	s := browserSocket{begun: make(chan struct{}), closed: make(chan Outcome, 1)}
	s.begin = sync.OnceFunc(func() { close(s.begun) })
	o := order{ID: strconv.FormatInt(c.last.Add(1), 10), URL: url, Protocols: append([]string{}, v.Protocols...), Messages: append([]string{}, v.Messages...)}
	c.sockets.Store(o.ID, s)
	limit := time.NewTimer(testtool.Patience)
	defer limit.Stop()
	select {
	case c.orders <- o:
	case <-limit.C:
		t.Fatal("the page does not ask for orders")
	}
	testtool.Await(t, s.begun, "the page opens a socket")
	return func() Outcome {
		t.Helper()
		return testtool.Await(t, s.closed, "the page's socket is closed")
	}
}
