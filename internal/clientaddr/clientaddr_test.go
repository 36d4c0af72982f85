package clientaddr_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// prefixes parses what a configuration would have.
func prefixes(t testing.TB, ss ...string) []netip.Prefix {
	t.Helper()
	var ps []netip.Prefix
	for _, s := range ss {
		p, err := clientaddr.ParsePrefix(s)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

// request is one from remote with these lines of X-Forwarded-For.
func request(remote string, lines ...string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
	for _, line := range lines {
		r.Header.Add("X-Forwarded-For", line)
	}
	return r
}

// addr is the address s, the zero one for an empty s.
func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func TestFindPeer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, remote, want string }{
		{"IPv4", "192.0.2.1:1234", "192.0.2.1"},
		{"IPv6", "[2001:db8::1]:1234", "2001:db8::1"},
		{"zone", "[fe80::1%eth0]:1234", "fe80::1"},
		{"4-in-6", "[::ffff:192.0.2.1]:1234", "192.0.2.1"},
		{"no port, as middleware may leave it", "192.0.2.1", "192.0.2.1"},
		{"Unix socket", "@", ""},
		{"Unix socket without a name", "", ""},
		{"path of a Unix socket", "/run/app.sock", ""},
		{"host name", "localhost:1234", ""},
		{"pipe", "pipe", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for name, f := range map[string]clientaddr.Finder{
				"the zero Finder":          {},
				"a Finder that trusts all": clientaddr.New(prefixes(t, "0.0.0.0/0", "::/0")),
			} {
				if got := f.Find(request(test.remote)); got != addr(test.want) {
					t.Errorf("%s finds %v, want %v", name, got, addr(test.want))
				}
			}
			if got := (clientaddr.Finder{}).Find(request(test.remote, "198.51.100.7")); got != addr(test.want) {
				t.Errorf("the zero Finder believes X-Forwarded-For: it finds %v", got)
			}
		})
	}
}

func TestFindForwarded(t *testing.T) {
	t.Parallel()
	const proxy = "10.0.0.1:1234"
	for _, test := range []struct {
		name, remote string
		lines        []string
		want         string
	}{
		{"no header", proxy, nil, "10.0.0.1"},
		{"empty header", proxy, []string{""}, "10.0.0.1"},
		{"one entry", proxy, []string{"198.51.100.7"}, "198.51.100.7"},
		{"peer not trusted", "192.0.2.1:1234", []string{"198.51.100.7"}, "192.0.2.1"},
		{"peer not known", "@", []string{"198.51.100.7"}, ""},
		{"trusted peer as 4-in-6", "[::ffff:10.0.0.1]:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		{"trusted peer with a zone", "[fd00::1%eth0]:1234", []string{"198.51.100.7"}, "198.51.100.7"},
		{"claim of the client", proxy, []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		{"claim of the client to be a proxy", proxy, []string{"203.0.113.9, 10.0.0.9, 198.51.100.7"}, "198.51.100.7"},
		{"claim of the client in a line of its own", proxy, []string{"203.0.113.9", "198.51.100.7"}, "198.51.100.7"},
		{"two proxies", proxy, []string{"203.0.113.9, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		{"two proxies in two lines", proxy, []string{"203.0.113.9, 198.51.100.7", "10.0.0.2"}, "198.51.100.7"},
		{"two proxies of two families", proxy, []string{"198.51.100.7,fd00::2"}, "198.51.100.7"},
		{"all trusted", proxy, []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"all trusted, in two lines", proxy, []string{"10.0.0.4, 10.0.0.3", "10.0.0.2"}, "10.0.0.4"},
		{"port", proxy, []string{"198.51.100.7:567"}, "198.51.100.7"},
		{"trusted with a port", proxy, []string{"198.51.100.7:567, 10.0.0.2:89"}, "198.51.100.7"},
		{"IPv6", proxy, []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", proxy, []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", proxy, []string{"[2001:db8::7]:5"}, "2001:db8::7"},
		{"IPv6 with a zone", proxy, []string{"fe80::7%eth0"}, "fe80::7"},
		{"IPv6 at its longest", proxy, []string{"[2001:0db8:0000:0000:0000:ffff:255.255.255.255%abcdefghijklmno]:65535"}, "2001:db8::ffff:ffff:ffff"},
		{"4-in-6", proxy, []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"trusted 4-in-6", proxy, []string{"198.51.100.7, ::ffff:10.0.0.2"}, "198.51.100.7"},
		{"white space", proxy, []string{" \t198.51.100.7 \t,\t 10.0.0.2  "}, "198.51.100.7"},
		{"unknown", proxy, []string{"203.0.113.9, unknown"}, "10.0.0.1"},
		{"unknown beyond a proxy", proxy, []string{"203.0.113.9, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"hidden", proxy, []string{"203.0.113.9, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"Unix socket of a proxy", proxy, []string{"203.0.113.9, unix:, 10.0.0.2"}, "10.0.0.2"},
		{"empty entry", proxy, []string{"203.0.113.9, , 10.0.0.2"}, "10.0.0.2"},
		{"empty line", proxy, []string{"203.0.113.9", "", "10.0.0.2"}, "10.0.0.2"},
		{"host name", proxy, []string{"203.0.113.9, example.com, 10.0.0.2"}, "10.0.0.2"},
		{"IPv4 in brackets", proxy, []string{"203.0.113.9, [198.51.100.7], 10.0.0.2"}, "10.0.0.2"},
		{"half a bracket", proxy, []string{"203.0.113.9, [2001:db8::7, 10.0.0.2"}, "10.0.0.2"},
		{"port out of range", proxy, []string{"203.0.113.9, 198.51.100.7:65536, 10.0.0.2"}, "10.0.0.2"},
		{"leading zero", proxy, []string{"203.0.113.9, 198.51.100.07, 10.0.0.2"}, "10.0.0.2"},
		{"too long", proxy, []string{"203.0.113.9, fe80::7%" + strings.Repeat("x", 100) + ", 10.0.0.2"}, "10.0.0.2"},
		{"too long at the left", proxy, []string{"fe80::7%" + strings.Repeat("x", 100) + ",10.0.0.2"}, "10.0.0.2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := clientaddr.New(prefixes(t, "10.0.0.0/24", "fd00::/64"))
			if got := f.Find(request(test.remote, test.lines...)); got != addr(test.want) {
				t.Errorf("Find = %v, want %v", got, addr(test.want))
			}
		})
	}
}

// TestUnix: the peer of a Unix socket, which has no address, can be trusted, and nobody
// else is by that.
func TestUnix(t *testing.T) {
	t.Parallel()
	const client = "198.51.100.7"
	for _, test := range []struct {
		name, remote, forwarded, want string
		trusted                       []string
	}{
		{"without a name", "@", client, client, []string{"unix"}},
		{"without a name, as BSD has it", "", client, client, []string{"unix"}},
		{"path", "/run/app.sock", client, client, []string{"unix"}},
		{"abstract name", "@app", client, client, []string{"unix"}},
		{"claim of the client", "@", "203.0.113.9, " + client, client, []string{"unix"}},
		{"another proxy", "@", client + ", 10.0.0.2", client, []string{"10.0.0.0/24", "unix"}},
		{"another proxy, not trusted", "@", client + ", 10.0.0.2", "10.0.0.2", []string{"unix"}},
		{"no address", "@", "unknown", "", []string{"unix"}},
		{"unix as an entry", "@", client + ", @", "", []string{"unix"}},
		{"not listed", "@", client, "", []string{"10.0.0.0/24"}},
		{"peer with an address", "192.0.2.1:1234", client, "192.0.2.1", []string{"unix"}},
		{"host name", "localhost:1234", client, "", []string{"unix"}},
		{"pipe", "pipe", client, "", []string{"unix"}},
	} {
		f, wrong := clientaddr.Parse(test.trusted)
		if got := f.Find(request(test.remote, test.forwarded)); got != addr(test.want) || len(wrong) > 0 {
			t.Errorf("%s: Find = %v, want %v; %v", test.name, got, addr(test.want), wrong)
		}
	}
	for _, entry := range []string{"Unix", "unix:", "unix:/run/app.sock", "@", "/run/app.sock"} {
		if _, wrong := clientaddr.Parse([]string{entry}); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "the word unix") {
			t.Errorf("%q is read: %v", entry, wrong)
		}
	}
}

// TestFindBounded: what a client put before many trusted entries is out of
// reach.
func TestFindBounded(t *testing.T) {
	t.Parallel()
	f := clientaddr.New(prefixes(t, "10.0.0.0/8"))
	proxies := strings.Repeat(", 10.0.0.2", 30)
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"32 entries", []string{"198.51.100.7, 10.0.0.3" + proxies}, "198.51.100.7"},
		{"33 entries", []string{"198.51.100.7, 10.0.0.4, 10.0.0.3" + proxies}, "10.0.0.4"},
		{"33 entries in two lines", []string{"198.51.100.7, 10.0.0.4", "10.0.0.3" + proxies}, "10.0.0.4"},
		{"33 lines", append(make([]string, 1, 33), strings.Split(strings.Repeat("10.0.0.2,", 32), ",")[:32]...), "10.0.0.2"},
	} {
		if got := f.Find(request("10.0.0.1:1234", test.lines...)); got != addr(test.want) {
			t.Errorf("%s: Find = %v, want %s", test.name, got, test.want)
		}
	}
}

// TestNewNormalizes: prefixes that did not come from ParsePrefix are taken for
// what they mean, and those of the caller stay its own.
func TestNewNormalizes(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("::ffff:10.1.2.3/104"), {}}
	f := clientaddr.New(trusted)
	trusted[0] = netip.MustParsePrefix("192.0.2.0/24")
	if got := f.Find(request("10.9.9.9:1234", "198.51.100.7")); got != addr("198.51.100.7") {
		t.Errorf("Find = %v: 10.0.0.0/8 is not trusted", got)
	}
	if got := f.Find(request("192.0.2.1:1234", "198.51.100.7")); got != addr("192.0.2.1") {
		t.Errorf("Find = %v: the caller's slice is used", got)
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, addr, want string }{
		{"IPv4", "192.0.2.1", "192.0.2.1/32"},
		{"IPv4 of the same network", "192.0.2.2", "192.0.2.2/32"},
		{"4-in-6", "::ffff:192.0.2.1", "192.0.2.1/32"},
		{"IPv6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"IPv6 of the same network", "2001:db8:1:2::1", "2001:db8:1:2::/64"},
		{"IPv6 of another network", "2001:db8:1:3::1", "2001:db8:1:3::/64"},
		{"zone", "fe80::1%eth0", "fe80::/64"},
	} {
		if got := clientaddr.Bucket(addr(test.addr)); got != netip.MustParsePrefix(test.want) {
			t.Errorf("%s: Bucket(%s) = %v, want %s", test.name, test.addr, got, test.want)
		}
	}
	if got := clientaddr.Bucket(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("Bucket of the zero address = %v", got)
	}
}
