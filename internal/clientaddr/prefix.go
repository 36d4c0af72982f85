package clientaddr

import (
	"fmt"
	"net/netip"
	"strings"
)

// mappedBits is the length of the prefix ::ffff:0:0, below which IPv4 addresses
// are mapped into IPv6.
const mappedBits = 96

// ParsePrefix reads a CIDR, such as 10.0.0.0/8 or 2001:db8::/32, or a single
// address, which is the prefix of that address alone. Bits beyond the length of
// the prefix are cleared, and IPv4 mapped into IPv6 is taken for IPv4. Host
// names, ports and zones are refused.
func ParsePrefix(s string) (netip.Prefix, error) {
	host, _, isCIDR := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%.128q is neither an IP address nor a CIDR; expected one without a host name or a port, "+
			"such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, or the word unix", s)
	case a.Zone() != "":
		return netip.Prefix{}, fmt.Errorf("%.128q has a zone, by which addresses are not told apart here; expected it without what follows the %%", s)
	case !isCIDR:
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%.128q has no valid length after the slash; expected a number from 0 to %d", s, a.BitLen())
	case a.Is4In6() && p.Bits() < mappedBits:
		return netip.Prefix{}, fmt.Errorf("%.128q covers more than the IPv4 addresses that are mapped into IPv6; "+
			"expected a length from %d to %d, or an IPv4 CIDR such as 10.0.0.0/8", s, mappedBits, a.BitLen())
	}
	return unmap(p), nil
}

// unmap returns p masked, and as a prefix of IPv4 if it is one mapped into IPv6.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= mappedBits {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
	}
	return p.Masked()
}
