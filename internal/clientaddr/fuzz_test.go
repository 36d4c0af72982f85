package clientaddr_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
)

// FuzzFind holds what is found against the whole header, split: only entries
// that are trusted stand to its right, and the search went on as long as it may.
func FuzzFind(f *testing.F) {
	f.Add("10.0.0.1:1234", "203.0.113.9, 198.51.100.7", "10.0.0.2")
	f.Add("10.0.0.1:1234", "198.51.100.7:567, [2001:db8::7]", "unknown, [fd00::1%eth0]:5")
	f.Add("[fd00::1%eth0]:1", "::ffff:10.0.0.3,::ffff:1.2.3.4", "10.0.0.3 ,\t10.0.0.2")
	f.Add("192.0.2.1:1234", "10.0.0.3", "")
	f.Add("@", "10.0.0.3", "10.0.0.2")
	f.Add("10.0.0.1:1", strings.Repeat(",", 1000), strings.Repeat("10.0.0.1,", 40)+"10.0.0.2")
	f.Add("10.0.0.1:1", "1.2.3.4", "fe80::1%"+strings.Repeat("x", 100))
	trusted := prefixes(f, "10.0.0.0/8", "fd00::/16", "::1")
	trusts := func(a netip.Addr) bool {
		for _, p := range trusted {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	finder := clientaddr.New(trusted)
	f.Fuzz(func(t *testing.T, remote, first, second string) {
		got := finder.Find(request(remote, first, second))
		peer := loosely(remote)
		if got != peer && !trusts(peer) {
			t.Fatalf("found %v, and the peer %v is not trusted", got, peer)
		}

		// What may be found: the peer, and what trusted addresses vouch for.
		may := []netip.Addr{peer}
		entries := strings.Split(first+","+second, ",")
		for i := len(entries) - 1; i >= max(0, len(entries)-32) && trusts(may[len(may)-1]); i-- {
			a := netip.Addr{}
			if len(entries[i]) <= 80 {
				a = loosely(strings.Trim(entries[i], " \t"))
			}
			if !a.IsValid() {
				break
			}
			may = append(may, a)
		}
		if want := may[len(may)-1]; got != want {
			t.Fatalf("found %v, want %v, the last of %v", got, want, may)
		}
	})
}

// loosely returns the address that s is in any of the ways to write one.
func loosely(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		withPort, _ := netip.ParseAddrPort(s)
		a = withPort.Addr()
	}
	if !a.IsValid() {
		withPort, _ := netip.ParseAddrPort(s + ":1") // a port is missing after the brackets
		a = withPort.Addr()
	}
	return a.WithZone("").Unmap()
}

func FuzzParsePrefix(f *testing.F) {
	for _, s := range []string{"10.1.2.3/8", "2001:db8::1", "::ffff:1.2.3.4/100", "::ffff:1.2.3.4/90", "fe80::1%eth0/64", "a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := clientaddr.ParsePrefix(s)
		if err != nil {
			if p != (netip.Prefix{}) {
				t.Fatalf("ParsePrefix(%q) = %v, and an error", s, p)
			}
			return
		}
		if !p.IsValid() || p.Masked() != p || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			t.Fatalf("ParsePrefix(%q) = %v", s, p)
		}
		if again, err := clientaddr.ParsePrefix(p.String()); err != nil || again != p {
			t.Fatalf("ParsePrefix(%q) = %v, which reads as %v, %v", s, p, again, err)
		}
		// The address that was written is one of those that the prefix covers.
		host, _, _ := strings.Cut(s, "/")
		if a := loosely(host); !p.Contains(a) {
			t.Fatalf("ParsePrefix(%q) = %v, which does not cover %v", s, p, a)
		}
	})
}
