package httpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// desk is a site whose login function takes until the test ends it, in a bubble.
type desk struct {
	*site
	login http.Handler
	mu    sync.Mutex
	at    map[string][]chan error // who is being served, the first first
	order []string                // who was, in order
}

func newDesk(t *testing.T, limits httpauth.LoginLimits) *desk {
	t.Helper()
	d := &desk{site: newSite(t, setup{web: httpauth.Config{Login: limits}}), at: make(map[string][]chan error)}
	d.login = d.web.Login(func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		done := make(chan error)
		d.mu.Lock()
		d.at[c.Username] = append(d.at[c.Username], done)
		d.order = append(d.order, c.Username)
		d.mu.Unlock()
		err := <-done
		if err == errPanic {
			panic(err)
		}
		return paseto.Grant{Subject: c.Username}, err
	})
	t.Cleanup(func() { d.endAll(t) }) // or a failure would leave goroutines in the bubble
	return d
}

var errPanic = fmt.Errorf("the login function panics")

// visit is a login under way.
type visit struct {
	name   string
	answer *answer // nil until there is one
	hangUp context.CancelFunc
}

// come has a client log in, and returns when it is served, waits, or is refused.
func (d *desk) come(t *testing.T, name, address string) *visit {
	t.Helper()
	v := &visit{name: name}
	ctx, cancel := context.WithCancel(t.Context())
	v.hangUp = cancel
	go func() {
		defer func() {
			if p := recover(); p != nil && p != errPanic {
				t.Errorf("%s: panic %v", name, p)
			}
		}()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "https://example.com/", http.NoBody)
		from(address)(r)
		credentials(name, "x")(r)
		rec := httptest.NewRecorder()
		d.login.ServeHTTP(rec, r)
		a := read(t, rec.Result())
		v.answer = &a
	}()
	synctest.Wait()
	return v
}

// end ends the login of a client that is being served.
func (d *desk) end(t *testing.T, name string, err error) {
	t.Helper()
	d.mu.Lock()
	served := d.at[name]
	if len(served) == 0 {
		d.mu.Unlock()
		t.Fatalf("%s is not being served", name)
	}
	d.at[name] = served[1:]
	d.mu.Unlock()
	served[0] <- err
	synctest.Wait()
}

// endAll serves everybody to the end.
func (d *desk) endAll(t *testing.T) {
	t.Helper()
	for names := d.served(); len(names) > 0; names = d.served() {
		d.end(t, names[0], httpauth.ErrCredentials)
	}
}

// served returns who is being served.
func (d *desk) served() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name, served := range d.at {
		for range served {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d *desk) wantServed(t *testing.T, want ...string) {
	t.Helper()
	if got := d.served(); !slices.Equal(got, want) {
		t.Fatalf("served are %v, want %v", got, want)
	}
}

func wantBusy(t *testing.T, visits ...*visit) {
	t.Helper()
	for _, v := range visits {
		if v.answer == nil {
			t.Errorf("%s is not refused", v.name)
			continue
		}
		checkProblem(t, *v.answer, problem{status: http.StatusServiceUnavailable, code: "logins_overloaded", detail: "Too many logins at once. Try again soon"})
		if v.answer.header.Get("Connection") != "close" {
			t.Errorf("the connection of %s is kept", v.name)
		}
	}
}

// TestManyLoginsAtOnce: 60 clients of one address take half of the places, and as many
// wait as may. Whoever comes from elsewhere is served at once.
func TestManyLoginsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const places = 4
		d := newDesk(t, httpauth.LoginLimits{Concurrent: places})
		refused := 0
		for n := range 60 {
			if v := d.come(t, fmt.Sprintf("guess%02d", n), "192.0.2.1"); v.answer != nil {
				wantBusy(t, v)
				refused++
			}
		}
		if got := len(d.served()); got != places/2 {
			t.Fatalf("%d logins of one address are under way, want %d", got, places/2)
		}
		if want := 60 - places/2 - 4*places; refused != want {
			t.Errorf("%d logins are refused, want %d", refused, want)
		}
		honest := d.come(t, "alice", "192.0.2.2")
		d.end(t, "alice", nil)
		if honest.answer == nil || honest.answer.status != http.StatusOK {
			t.Errorf("an honest login is answered %+v", honest.answer)
		}
		d.endAll(t)
		if got := len(d.order); got != 61-refused {
			t.Errorf("%d logins were served, want %d", got, 61-refused)
		}
	})
}

// TestNobodyCanTakeAllPlaces: an attacker has accounts, and logs in with them from several
// networks all the time. A user who is known, and one who is new, come before the
// attacker's next logins.
func TestNobodyCanTakeAllPlaces(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		account, home func(n int) string // of the attacker's nth login
	}{
		{"one account, one IPv6 network", same("mallory"), func(n int) string { return fmt.Sprintf("[2001:db8:0:%x::1]", n%4) }},
		{"one account, many networks", same("mallory"), address},
		{"many accounts, one network", func(n int) string { return fmt.Sprint("mallory", n) }, same("198.51.100.1")},
		{"many accounts, two networks", func(n int) string { return fmt.Sprint("mallory", n) }, func(n int) string { return address(n % 2) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, httpauth.LoginLimits{Concurrent: 4})
				logIn := func(name, address string) {
					d.come(t, name, address)
					d.end(t, name, nil)
				}
				logIn("alice", "192.0.2.7")
				for n := range 50 {
					logIn(test.account(n), test.home(n))
				}
				for n := range 50 {
					d.come(t, test.account(n), test.home(n))
				}
				d.order = nil
				for _, v := range []*visit{d.come(t, "alice", "192.0.2.7"), d.come(t, "bob", "192.0.2.8")} {
					if v.answer != nil {
						t.Errorf("%s is answered %d", v.name, v.answer.status)
					}
				}
				d.endAll(t)
				if len(d.order) < 2 || d.order[0] != "alice" || d.order[1] != "bob" {
					t.Errorf("served were %v, want alice and bob first", d.order)
				}
			})
		})
	}
}

// same returns the text whatever is asked.
func same(text string) func(int) string { return func(int) string { return text } }

// TestMoreAtOnceThanMayFail: logins that are refused for those under way, which may all
// be right, come back soon.
func TestMoreAtOnceThanMayFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, httpauth.LoginLimits{Concurrent: 8, FailuresPerNameAndAddress: 2})
		d.come(t, "service", "192.0.2.1")
		d.come(t, "service", "192.0.2.1")
		wantBusy(t, d.come(t, "service", "192.0.2.1"))
		d.end(t, "service", nil)
		d.come(t, "service", "192.0.2.1")
		d.wantServed(t, "service", "service")
		d.end(t, "service", httpauth.ErrCredentials)
		d.end(t, "service", httpauth.ErrCredentials)
		checkLimited(t, *d.come(t, "service", "192.0.2.1").answer)
	})
}

// TestPlacesAreGivenBack on every way out, to those that wait.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
	}{
		{"success", nil},
		{"wrong password", httpauth.ErrCredentials},
		{"failure", context.DeadlineExceeded},
		{"panic", errPanic},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, httpauth.LoginLimits{Concurrent: 1, FailuresPerNameAndAddress: 1})
				d.come(t, "alice", "192.0.2.1")
				d.come(t, "bob", "192.0.2.2")
				d.wantServed(t, "alice")
				d.end(t, "alice", test.err)
				d.wantServed(t, "bob")
				d.end(t, "bob", nil)
				// Nor has the attempt kept its token of the limit.
				if v := d.come(t, "alice", "192.0.2.1"); test.err == httpauth.ErrCredentials {
					checkLimited(t, *v.answer)
				}
				d.endAll(t)
			})
		})
	}
}

// TestWaitingEnds: who waits is told after five seconds, or hangs up, and is in nobody's
// way then.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, httpauth.LoginLimits{Concurrent: 1})
		served := d.come(t, "alice", "192.0.2.1")
		gone := d.come(t, "bob", "192.0.2.2")
		waiting := d.come(t, "carol", "192.0.2.3")
		gone.hangUp()
		synctest.Wait()
		if gone.answer == nil || d.web.Queued() != 1 {
			t.Fatalf("a client that hung up still waits; %d do", d.web.Queued())
		}
		time.Sleep(5 * time.Second) // of the bubble
		synctest.Wait()
		wantBusy(t, waiting)
		if d.web.Queued() != 0 {
			t.Errorf("%d still wait", d.web.Queued())
		}
		// The function of a client that hangs up goes on, and so does its place.
		served.hangUp()
		next := d.come(t, "dave", "192.0.2.4")
		d.wantServed(t, "alice")
		d.end(t, "alice", nil)
		d.wantServed(t, "dave")
		d.end(t, "dave", nil)
		if next.answer.status != http.StatusOK || !slices.Equal(d.order, []string{"alice", "dave"}) {
			t.Errorf("answered %d; served were %v", next.answer.status, d.order)
		}
	})
}

// TestWhoIsServedFirst: known addresses, then those with the fewest failures, then those
// that came first. They take the places of others in a full queue too.
func TestWhoIsServedFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, httpauth.LoginLimits{Concurrent: 1})
		log := func(name, address string, err error) {
			d.come(t, name, address)
			d.end(t, name, err)
		}
		log("known", "192.0.2.1", nil)
		log("other", "192.0.2.1", httpauth.ErrCredentials)
		for n := range 8 {
			for range 2 {
				log(fmt.Sprintf("guess%d", n), address(n), httpauth.ErrCredentials)
			}
		}
		d.order = nil
		d.come(t, "first", "192.0.2.9")
		var queue []*visit
		for n := range 8 { // which fill the queue
			queue = append(queue, d.come(t, fmt.Sprintf("guess%d", n), address(n)))
		}
		wantBusy(t, d.come(t, "guess", address(0)))
		d.come(t, "new", "192.0.2.3")
		d.come(t, "known", "192.0.2.1")
		d.come(t, "newer", "192.0.2.4")
		wantBusy(t, queue[5:]...)
		d.endAll(t)
		if got, want := strings.Join(d.order, " "), "first known new newer guess0 guess1 guess2 guess3 guess4"; got != want {
			t.Errorf("served were\n%s, want\n%s", got, want)
		}
	})
}

// TestNoPlacesToCount: with NoLimit there are as many as come.
func TestNoPlacesToCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, httpauth.LoginLimits{Concurrent: paseto.NoLimit})
		for n := range 50 {
			d.come(t, fmt.Sprint(n), "192.0.2.1")
		}
		if got := len(d.served()); got != 50 {
			t.Errorf("%d logins are under way, want 50", got)
		}
		d.endAll(t)
	})
}
