package doctest_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/nodeclient"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testsite"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// runClient runs the JavaScript of docs/connections.md between what comes before and
// after it, and returns what that prints.
func runClient(t *testing.T, before, after string, args ...string) string {
	t.Helper()
	node, dir := nodeclient.Need(t, "ws")
	script := strings.Join([]string{
		"import ws from 'ws'; globalThis.WebSocket = ws; const args = process.argv.slice(1);",
		before, doctest.Code(t, connectionsDocument, "js"), after,
	}, "\n")
	cmd := testtool.Command(t, node, append([]string{"--input-type=module", "--eval", script, "--"}, args...)...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the script ends with %v:\n%s", err, output)
	}
	return string(output)
}

// TestReconnectScript checks that the function of docs/connections.md tells from a
// close code what Closures says, where the code tells.
func TestReconnectScript(t *testing.T) {
	t.Parallel()
	want := make(map[wsauth.CloseCode]httpauth.Reconnect)
	for _, c := range wsauth.Closures() {
		if class, other := want[c.Private]; other && class != c.Reconnect {
			t.Errorf("the code %d stands for %s and %s", c.Private, class, c.Reconnect)
		}
		want[c.Private] = c.Reconnect
		if c.Standard != wsauth.ClosePolicyViolation {
			want[c.Standard] = c.Reconnect
		}
	}
	want[wsauth.CloseServiceRestart] = httpauth.ReconnectNow
	codes, err := json.Marshal(slices.Sorted(maps.Keys(want)))
	if err != nil {
		t.Fatal(err)
	}
	var got map[wsauth.CloseCode]httpauth.Reconnect
	output := runClient(t, "", `console.log(JSON.stringify(Object.fromEntries(JSON.parse(args[0]).map((code) => [code, afterClose(code)]))))`, string(codes))
	if err := json.Unmarshal([]byte(output), &got); err != nil {
		t.Fatal(err)
	}
	for code, class := range want {
		if got[code] != class {
			t.Errorf("after %d the script says %s, want %s", code, got[code], class)
		}
	}
}

// clientServer is a server for the client of docs/connections.md.
type clientServer struct {
	*httptest.Server

	auth      *paseto.Authorizer
	refreshes atomic.Int32 // requests of POST /refresh
	sockets   atomic.Int32
}

// newClientServer starts a server. POST /sleep does what is given. The first requests of
// POST /refresh get the given statuses, or no answer for 0.
func newClientServer(t *testing.T, cfg paseto.Config, clock func() time.Time, sleep func(*clientServer), statuses ...int) *clientServer {
	t.Helper()
	store := denylist.NewMemory(denylist.WithClock(clock))
	t.Cleanup(func() { store.Close() })
	cfg.Keys = []paseto.Key{paseto.NewLocalKey()}
	auth, err := paseto.New(cfg, paseto.WithDenylist(store), paseto.WithClock(clock))
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := live.New(auth, live.Config{}, live.WithObserver(func(e live.Event) {
		if e.Kind == live.EventRenewed {
			_ = wsauth.ConnOf(e.Right).SendJSON(map[string]string{"event": "renewed"})
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{}, httpauth.WithKeeper(keeper))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{
		Locations: []httpauth.Location{httpauth.LocationMessage}, RenewMessages: true, CloseCodes: wsauth.PrivateCodes,
		MessageTimeout: testtool.Patience, CloseTimeout: testtool.Patience, PingInterval: wsauth.NoPing,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &clientServer{auth: auth}
	refresh := web.Refresh()
	mux := http.NewServeMux()
	mux.Handle("POST /login", web.Login(testsite.CheckPassword))
	mux.HandleFunc("POST /sleep", func(http.ResponseWriter, *http.Request) { sleep(s) })
	mux.HandleFunc("POST /refresh", func(w http.ResponseWriter, r *http.Request) {
		n := int(s.refreshes.Add(1))
		switch {
		case n > len(statuses):
			refresh.ServeHTTP(w, r)
		case statuses[n-1] == 0:
			panic(http.ErrAbortHandler) // the connection breaks
		default:
			w.WriteHeader(statuses[n-1])
		}
	})
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, func(_ context.Context, conn *wsauth.Conn) {
		s.sockets.Add(1)
		err := conn.WriteJSON(map[string]string{"event": "hello"})
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
	}))
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = guard.Shutdown(context.Background())
		s.Close()
	})
	return s
}

// sleepyClient has the client sleep on the first greeting, until its clock has gone on by
// args[1] milliseconds, and leaves when it has heard the events of args[2].
//
// In stopped the clock stands still but for that, and goes on by a minute after a request
// that failed. A client that waits is woken every 20 milliseconds to look at the clock.
const (
	stopped = `
		let now = 0;
		const Date = {now: () => now};
		const AbortSignal = {timeout: () => undefined};
		const setTimeout = (f, ms) => globalThis.setTimeout(f, Math.min(ms, 20));
		const fetch = async (...request) => {
			const answer = await globalThis.fetch(...request).catch((error) => ({error}));
			if (!answer.ok) setImmediate(() => now += 60_000);
			if (answer.error) throw answer.error;
			return answer;
		};`
	sleepyClient = `
		const [api, sleep, until] = args;
		let heard = "";
		console.log(await chat(api, {username: "alice", password: "demo"}, async ({event}, socket) => {
			heard += event + " ";
			if (heard === until) return socket.close(1000);
			if (heard !== "hello ") return;
			await fetch(api + "/sleep", {method: "POST"});
			now += Number(sleep);
		}), heard);`
)

// TestClientAfterSleep puts the client of docs/connections.md to sleep until its token
// has expired, and has the first refreshes fail when it wakes up. Only where a refresh is
// refused does it end, and asks to log in.
func TestClientAfterSleep(t *testing.T) {
	t.Parallel()
	const noAnswer = 0
	again, logIn := " hello hello \n", "log in hello \n"
	for _, test := range []struct {
		name      string
		statuses  []int
		revoke    bool
		want      string
		refreshes int32
	}{
		{"nothing fails", nil, false, again, 1},
		{"no network at first", []int{noAnswer, noAnswer, noAnswer}, false, again, 4},
		{"unavailable once", []int{503}, false, again, 2},
		{"one after the other", []int{noAnswer, 503, 429, 500, 502, 408}, false, again, 7},
		{"401", []int{401}, false, logIn, 1},
		{"400 after an outage", []int{503, 400}, false, logIn, 2},
		{"403", []int{403}, false, logIn, 1},
		{"revoked", nil, true, logIn, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clock := testclock.New(time.Now())
			s := newClientServer(t, paseto.Config{}, clock.Now, func(s *clientServer) {
				clock.Advance(2 * time.Hour)
				if test.revoke {
					if err := s.auth.RevokeSubject(t.Context(), "alice", clock.Now()); err != nil {
						t.Error(err)
					}
				}
			}, test.statuses...)
			if got := runClient(t, stopped, sleepyClient, s.URL, "7200000", "hello hello "); got != test.want {
				t.Errorf("the client prints %q, want %q", got, test.want)
			}
			if n := s.refreshes.Load(); n != test.refreshes {
				t.Errorf("the client asks %d times for newer tokens, want %d", n, test.refreshes)
			}
		})
	}
}

// TestClientRenews has the token of an open socket grow old, and the first refreshes
// fail: the socket stays, with the next token.
func TestClientRenews(t *testing.T) {
	t.Parallel()
	for name, statuses := range map[string][]int{
		"nothing fails": nil,
		"one 503":       {503},
		"no network":    {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := testclock.New(time.Now())
			s := newClientServer(t, paseto.Config{AccessTTL: time.Hour}, clock.Now, func(*clientServer) {
				clock.Advance(45 * time.Minute)
			}, statuses...)
			got := runClient(t, stopped, sleepyClient, s.URL, "2700000", "hello renewed ")
			if want := " hello renewed \n"; got != want {
				t.Errorf("the client prints %q, want %q", got, want)
			}
			if n := s.sockets.Load(); n != 1 {
				t.Errorf("the client opens %d sockets, want 1", n)
			}
		})
	}
}

// TestClientWithShortLives runs the client with tokens that live for three seconds, as
// long as the machine is fast enough for that. The client renews them over one socket.
func TestClientWithShortLives(t *testing.T) {
	t.Parallel()
	testtool.InTime(t, func(ttl time.Duration) bool {
		s := newClientServer(t, paseto.Config{AccessTTL: ttl * 3 / 5}, time.Now, nil)
		got := runClient(t, "", `
			let heard = "";
			console.log(await chat(args[0], {username: "alice", password: "demo"}, ({event}, socket) => {
				heard += event + " ";
				if (/(renewed ){3}|hello .*hello /.test(heard)) socket.close(1000);
			}), heard);`, s.URL)
		return got == " hello renewed renewed renewed \n"
	})
}
