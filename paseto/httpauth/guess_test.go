package httpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// from sets the address of the client.
func from(address string) part {
	return func(r *http.Request) { r.RemoteAddr = address + ":1234" }
}

// address returns the nth of many addresses.
func address(n int) string { return fmt.Sprintf("10.1.%d.%d", n>>8, n&0xff) }

// credentials is the body of a login.
func credentials(name, password string) part {
	return body(asForm, url.Values{"username": {name}, "password": {password}}.Encode())
}

// office is a site whose users all have the password right.
type office struct {
	*site
	login http.Handler
	asked *int // how often the login function was
}

func newOffice(t *testing.T, s setup) office {
	t.Helper()
	o := office{site: newSite(t, s), asked: new(int)}
	o.login = o.web.Login(func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		*o.asked++
		switch c.Password.Reveal() {
		case "right":
			return paseto.Grant{Subject: c.Username}, nil
		case "barred":
			return paseto.Grant{}, &paseto.Error{Code: "barred", Message: "Barred"}
		case "broken":
			return paseto.Grant{}, fmt.Errorf("the database is away")
		}
		return paseto.Grant{}, httpauth.ErrCredentials
	})
	return o
}

// try logs in, and returns the status. A login that is refused for those before it
// says when to try again, and nothing else.
func (o office) try(t *testing.T, name, password, address string) int {
	t.Helper()
	before := *o.asked
	a := post(t, o.login, from(address), credentials(name, password))
	if a.status == http.StatusTooManyRequests {
		if *o.asked != before {
			t.Error("the login function is asked for a login that is limited")
		}
		checkLimited(t, a)
	}
	return a.status
}

func checkLimited(t *testing.T, a answer) {
	t.Helper()
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 1 || seconds > 3601 {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	a.header.Del("Retry-After") // checkProblem knows it for 503 alone
	if a.header.Get("Connection") != "close" {
		t.Error("the connection is kept")
	}
	checkProblem(t, a, problem{status: http.StatusTooManyRequests, code: "logins_limited", detail: "Too many failed logins. Try again later"})
}

// TestGuessing: wrong passwords in a row are refused soon, whether the user exists or
// not, and so is the right one then; but from elsewhere it is not.
func TestGuessing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, setup{})
	for _, name := range []string{"alice", "nobody"} {
		for n := range 150 {
			want := http.StatusUnauthorized
			if n >= 10 {
				want = http.StatusTooManyRequests
			}
			if got := o.try(t, name, strconv.Itoa(n), address(1)); got != want {
				t.Fatalf("wrong password %d of %s is answered %d, want %d", n+1, name, got, want)
			}
		}
	}
	for _, test := range []struct {
		name, address string
		want          int
	}{
		{"alice", address(1), http.StatusTooManyRequests},
		{"alice", address(2), http.StatusOK},
		{"bob", address(1), http.StatusOK},
	} {
		if got := o.try(t, test.name, "right", test.address); got != test.want {
			t.Errorf("the right password of %s from %s is answered %d, want %d", test.name, test.address, got, test.want)
		}
	}
	o.clock.Advance(6 * time.Minute)
	if got := o.try(t, "alice", "right", address(1)); got != http.StatusOK {
		t.Errorf("six minutes later it is answered %d", got)
	}
}

// TestWhatCountsAsAFailure plays logins, each a letter: w with a wrong password, r
// with the right one, x refused by the program's own error, b answered with an error
// of the server, m malformed, each of which must be answered so; a capital letter is
// the same, refused because of those before. The limit of one name from one address
// is three, and that of the address five.
func TestWhatCountsAsAFailure(t *testing.T) {
	t.Parallel()
	limits := httpauth.LoginLimits{FailuresPerNameAndAddress: 3, FailuresPerAddress: 5}
	passwords := map[rune]string{'w': "wrong", 'r': "right", 'x': "barred", 'b': "broken", 'm': ""}
	statuses := map[rune]int{
		'w': http.StatusUnauthorized, 'r': http.StatusOK, 'x': http.StatusForbidden,
		'b': http.StatusInternalServerError, 'm': http.StatusBadRequest,
	}
	const alice, attacker = "alice", "mallory"
	for _, test := range []struct {
		name   string
		limits httpauth.LoginLimits
		names  []string // in turn
		steps  string
	}{
		{"wrong passwords", limits, []string{alice}, "wwwWR"},
		{"refusals of the program", limits, []string{alice}, "xxxXWR"},
		{"right passwords", limits, []string{alice}, "rrrrrrrwwwR"},
		{"failures of the server", limits, []string{alice}, "bbbbbbbbr"},
		{"malformed bodies", limits, []string{alice}, "mmmmmmmmr"},
		{"a right password among wrong ones gives nothing back", limits, []string{alice}, "wwrwR"},
		{"an account of one's own gives nothing back", limits, []string{alice, attacker}, "wrwrwrWr"},
		{"spellings of one name", limits, []string{alice, "Alice", " ALICE "}, "wwwWWW"},
		{"many names", limits, []string{"a", "b", "c", "d", "e", "f"}, "wwwwwW"},
		{"who is known is not kept out by others of the address", limits, []string{alice, "a", "b", "c", "d", "e", "f"}, "rwwwwwWr"},
		{"spelled otherwise one is not known", limits, []string{alice, "a", "b", "c", "d", "e", "Alice"}, "rwwwwwR"},
		{"no limit", httpauth.LoginLimits{
			FailuresPerNameAndAddress: paseto.NoLimit, FailuresPerAddress: paseto.NoLimit,
			FailuresPerName: paseto.NoLimit, Concurrent: paseto.NoLimit,
		}, []string{alice}, strings.Repeat("w", 300) + "r"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, setup{web: httpauth.Config{Login: test.limits}})
			for i, step := range test.steps {
				kind, want := step, statuses[step]
				if want == 0 {
					kind, want = step+'a'-'A', http.StatusTooManyRequests
				}
				if got := o.try(t, test.names[i%len(test.names)], passwords[kind], address(1)); got != want {
					t.Fatalf("login %d of %s is answered %d, want %d", i+1, test.steps, got, want)
				}
			}
		})
	}
}

// TestNobodyCanLockAUserOut: from 1,000 addresses a name is hammered until it is slowed.
// Its user gets through at once from an address that logged in before, and from one
// that is new, even after a mistake; the attackers only in turn.
func TestNobodyCanLockAUserOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t, setup{})
	const home, attackers = "192.0.2.1", 1000
	if got := o.try(t, "alice", "right", home); got != http.StatusOK {
		t.Fatalf("a login is answered %d", got)
	}
	hammer := func() (guesses int) {
		for n := range attackers {
			if o.try(t, "alice", "wrong", address(n)) == http.StatusUnauthorized {
				guesses++
			}
		}
		return guesses
	}
	total := 0
	for range 3 {
		total += hammer()
	}
	if most := 3*attackers + 100; total > most {
		t.Errorf("1,000 addresses have %d guesses, want at most %d", total, most)
	}
	if got := hammer(); got != 0 {
		t.Fatalf("1,000 addresses have %d guesses more", got)
	}
	for _, test := range []struct {
		when, password, address string
		want                    int
	}{
		{"known address", "right", home, http.StatusOK},
		{"known address, mistake", "wrong", home, http.StatusUnauthorized},
		{"known address, after mistake", "right", home, http.StatusOK},
		{"new address, mistake", "wrong", "192.0.2.2", http.StatusUnauthorized},
		{"new address, after mistake", "right", "192.0.2.2", http.StatusOK},
		{"attacker", "right", address(7), http.StatusTooManyRequests},
		{"new IPv6 network", "wrong", "[2001:db8:1::1]", http.StatusUnauthorized},
		{"the same /48", "wrong", "[2001:db8:1:2::1]", http.StatusUnauthorized},
		{"the same /48 again", "wrong", "[2001:db8:1:3::1]", http.StatusUnauthorized},
		{"the same /48 too often", "wrong", "[2001:db8:1:4::1]", http.StatusTooManyRequests},
	} {
		if got := o.try(t, "alice", test.password, test.address); got != test.want {
			t.Errorf("%s: answered %d, want %d", test.when, got, test.want)
		}
	}
	if got := o.try(t, "bob", "right", address(7)); got != http.StatusOK {
		t.Errorf("another user is answered %d", got)
	}
	o.clock.Advance(36 * time.Second)
	if got := hammer(); got != 1 {
		t.Errorf("36 seconds later 1,000 addresses have %d guesses, want 1", got)
	}
}

// TestKnownSinceTheLastLogin: an address is known for 30 days after the last login that
// succeeded, not the first. A known address gets through where others have failed too
// often.
func TestKnownSinceTheLastLogin(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, test := range []struct {
		name   string
		logins []time.Duration // of the user, each so long after the one before
		then   time.Duration   // how long after the last
		want   int
	}{
		{"a single login", []time.Duration{0}, 29 * day, http.StatusOK},
		{"a single login, too long ago", []time.Duration{0}, 31 * day, http.StatusTooManyRequests},
		{"every day", slices.Repeat([]time.Duration{day}, 30), 25 * time.Hour, http.StatusOK},
		{"every day, too long ago", slices.Repeat([]time.Duration{day}, 30), 31 * day, http.StatusTooManyRequests},
		{"twice in a while", []time.Duration{0, 20 * day}, 20 * day, http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, setup{web: httpauth.Config{Login: httpauth.LoginLimits{FailuresPerAddress: 2}}})
			for _, later := range test.logins {
				o.clock.Advance(later)
				if got := o.try(t, "alice", "right", address(1)); got != http.StatusOK {
					t.Fatalf("a login is answered %d", got)
				}
			}
			o.clock.Advance(test.then)
			for _, name := range []string{"a", "b"} {
				o.try(t, name, "wrong", address(1))
			}
			if got := o.try(t, "alice", "right", address(1)); got != test.want {
				t.Errorf("answered %d, want %d", got, test.want)
			}
		})
	}
}

// TestManyAddressesOfOneNetwork: an IPv6 host that changes its address within its /48
// has as many failures as ten addresses, whatever the names. Known users of the network,
// and other networks, are not kept out.
func TestManyAddressesOfOneNetwork(t *testing.T) {
	t.Parallel()
	o := newOffice(t, setup{web: httpauth.Config{Login: httpauth.LoginLimits{FailuresPerAddress: 2}}})
	const known = "[2001:db8:1:ffff::1]"
	o.try(t, "alice", "right", known)
	guesses := 0
	for n := range 100 {
		if o.try(t, strconv.Itoa(n), "wrong", fmt.Sprintf("[2001:db8:1:%x::1]", n)) == http.StatusUnauthorized {
			guesses++
		}
	}
	if guesses != 20 {
		t.Errorf("one network has %d guesses, want 20", guesses)
	}
	for _, test := range []struct {
		name, address string
		want          int
	}{
		{"alice", known, http.StatusOK},
		{"bob", known, http.StatusTooManyRequests},
		{"bob", "[2001:db8:2::1]", http.StatusOK},
		{"bob", address(1), http.StatusOK},
	} {
		if got := o.try(t, test.name, "right", test.address); got != test.want {
			t.Errorf("%s from %s is answered %d, want %d", test.name, test.address, got, test.want)
		}
	}
}

// TestProxyOverAUnixSocket: its clients are told apart if it is trusted.
func TestProxyOverAUnixSocket(t *testing.T) {
	t.Parallel()
	o := newOffice(t, setup{web: httpauth.Config{
		TrustedProxies: []string{"unix"}, Login: httpauth.LoginLimits{FailuresPerAddress: 1},
	}})
	for _, test := range []struct {
		client, password string
		want             int
	}{
		{"203.0.113.9", "wrong", http.StatusUnauthorized},
		{"203.0.113.9", "right", http.StatusTooManyRequests},
		{"198.51.100.1", "right", http.StatusOK},
	} {
		socket := func(r *http.Request) { r.RemoteAddr = "@" }
		a := post(t, o.login, socket, header("X-Forwarded-For", test.client), credentials("alice", test.password))
		if a.status != test.want {
			t.Errorf("a login of %s is answered %d, want %d", test.client, a.status, test.want)
		}
	}
}

// TestProxyThatIsNotTrusted: to the server all clients are one, and it says so.
func TestProxyThatIsNotTrusted(t *testing.T) {
	t.Parallel()
	const warning = "a proxy that is not trusted"
	for _, test := range []struct {
		name, peer string
		trusted    []string
		forwarded  bool
		want       int
	}{
		{"proxy beside the server", "127.0.0.1", nil, true, 1},
		{"proxy in the network", "10.1.2.3", nil, true, 1},
		{"proxy in a carrier's network", "100.64.0.1", nil, true, 1},
		{"proxy on the link", "[fe80::1%eth0]", nil, true, 1},
		{"proxy in the IPv6 network", "[fd00::1]", nil, true, 1},
		{"trusted proxy", "10.1.2.3", []string{"10.0.0.0/8"}, true, 0},
		{"client that makes it up", "192.0.2.1", nil, true, 0},
		{"no proxy", "10.1.2.3", nil, false, 0},
	} {
		o := newOffice(t, setup{web: httpauth.Config{TrustedProxies: test.trusted}})
		for range 3 {
			parts := []part{from(test.peer), body(asForm, "username=alice&password=right")}
			if test.forwarded {
				parts = append(parts, header("X-Forwarded-For", "198.51.100.1"))
			}
			tokens(t, post(t, o.login, parts...))
		}
		if got := strings.Count(o.log.String(), warning); got != test.want {
			t.Errorf("%s: %d warnings, want %d", test.name, got, test.want)
		}
	}
}
