// Package clientaddr tells from which address a request comes, also behind
// proxies, and which addresses count as one client where limits are kept.
package clientaddr

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const (
	// maxEntries bounds how many entries of X-Forwarded-For are looked at.
	maxEntries = 32
	// maxEntry bounds the bytes of one: the longest address with a zone, a port
	// and brackets has 69.
	maxEntry = 80
)

// Finder finds the address of the client that sent a request. The zero Finder
// trusts no proxy. A Finder is safe for concurrent use.
type Finder struct {
	trusted []netip.Prefix
	unix    bool // whether peers over Unix sockets are trusted
}

// Unix is the entry of [Parse] that trusts the peers of Unix sockets, which have no
// address.
const Unix = "unix"

// New returns a Finder that believes what the proxies with trusted addresses
// say in X-Forwarded-For; with none it takes the address of the peer. A trusted
// proxy must append the address of its own peer to the header, or set it anew:
// one that passes the header on as it came, and a prefix that covers clients,
// let clients claim any address.
func New(trusted []netip.Prefix) Finder {
	f := Finder{trusted: make([]netip.Prefix, 0, len(trusted))}
	for _, p := range trusted {
		f.trusted = append(f.trusted, unmap(p))
	}
	return f
}

// Parse returns a [New] Finder that trusts what entries say, each [Unix] or read by
// [ParsePrefix], and what is wrong with the entries that cannot be read.
func Parse(entries []string) (Finder, []error) {
	var trusted []netip.Prefix
	var wrong []error
	unix := false
	for _, entry := range entries {
		if entry == Unix {
			unix = true
			continue
		}
		p, err := ParsePrefix(entry)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		trusted = append(trusted, p)
	}
	f := New(trusted)
	f.unix = unix
	return f, wrong
}

// Find returns the address of the client that sent r, without a zone, and as
// IPv4 if it is one mapped into IPv6.
//
// It is that of r.RemoteAddr, unless this one is trusted. Then X-Forwarded-For,
// its lines taken together, is read from right to left past the addresses that
// are trusted, and the client's is the first that is not, or the leftmost. What
// is not an address ("unknown", "_hidden", an empty entry) ends the search, and
// so does the 32nd entry: the client's address is then the last that was read,
// for nobody who is trusted vouches for more.
//
// The address is the zero [netip.Addr] if r.RemoteAddr has none, as over a Unix
// socket, and its peer is not trusted, or names no client: take all these clients
// for one.
func (f Finder) Find(r *http.Request) netip.Addr {
	addr := parse(r.RemoteAddr) // and from here on what trusted peers vouch for
	left := maxEntries
	trusted := f.trusts(addr) || f.unix && isUnix(r.RemoteAddr)
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for more := true; more; left-- {
			if left == 0 || !trusted {
				return addr
			}
			var entry string
			line, entry, more = cutLast(line)
			next := parse(entry)
			if !next.IsValid() {
				return addr
			}
			addr, trusted = next, f.trusts(next)
		}
	}
	return addr
}

func (f Finder) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(f.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isUnix reports whether an address is that of a Unix socket, as package net writes
// it: a path, a name that begins with @, or nothing where the peer has no name.
func isUnix(remote string) bool {
	return remote == "" || remote[0] == '@' || remote[0] == '/'
}

// cutLast cuts the last entry, trimmed, off a list, and reports whether there
// are others before it. However long the list is, only its end is looked at: an
// entry that is too long comes back empty.
func cutLast(list string) (before, entry string, more bool) {
	from := max(0, len(list)-maxEntry-1)
	comma := strings.LastIndexByte(list[from:], ',')
	if comma < 0 {
		if len(list) > maxEntry {
			return "", "", false
		}
		return "", strings.Trim(list, " \t"), false
	}
	return list[:from+comma], strings.Trim(list[from+comma+1:], " \t"), true
}

// parse returns the address that s is, with or without a port and brackets, and
// the zero one if it is none.
func parse(s string) netip.Addr {
	var a netip.Addr
	switch inner, bracket := strings.CutPrefix(s, "["); {
	case bracket && strings.HasSuffix(inner, "]"):
		if a, _ = netip.ParseAddr(inner[:len(inner)-1]); !a.Is6() {
			return netip.Addr{}
		}
	case bracket || strings.Count(s, ":") == 1:
		withPort, _ := netip.ParseAddrPort(s)
		a = withPort.Addr()
	default:
		a, _ = netip.ParseAddr(s)
	}
	return a.WithZone("").Unmap()
}

// Bucket returns the addresses that limits count together with a: of IPv4 the
// address alone, of IPv6 its /64, which is the least that one host is given. A
// client may well have more: a site often gets a /48, which is 65,536 of them.
// The zero address gives the zero Prefix.
func Bucket(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	p, _ := a.Prefix(min(a.BitLen(), 64)) // fails for the zero address alone
	return p
}
