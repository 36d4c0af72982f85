package clientaddr_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
)

func TestParsePrefix(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, s, want string }{
		{"IPv4 CIDR", "10.0.0.0/8", "10.0.0.0/8"},
		{"IPv6 CIDR", "2001:db8::/32", "2001:db8::/32"},
		{"bits beyond the length", "10.1.2.3/8", "10.0.0.0/8"},
		{"IPv6 bits beyond the length", "2001:db8:1::1/32", "2001:db8::/32"},
		{"IPv4 address", "192.0.2.7", "192.0.2.7/32"},
		{"IPv6 address", "2001:db8::1", "2001:db8::1/128"},
		{"4-in-6 address", "::ffff:192.0.2.7", "192.0.2.7/32"},
		{"4-in-6 CIDR", "::ffff:10.1.2.3/104", "10.0.0.0/8"},
		{"all 4-in-6", "::ffff:0:0/96", "0.0.0.0/0"},
		{"all IPv4", "0.0.0.0/0", "0.0.0.0/0"},
		{"all IPv6", "::/0", "::/0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := clientaddr.ParsePrefix(test.s)
			if err != nil || got.String() != test.want {
				t.Errorf("ParsePrefix(%q) = %v, %v, want %s", test.s, got, err, test.want)
			}
		})
	}
}

func TestParsePrefixRefuses(t *testing.T) {
	t.Parallel()
	const neither = "neither an IP address nor a CIDR; expected one without a host name or a port"
	for _, test := range []struct{ name, s, want string }{
		{"empty", "", neither},
		{"slash alone", "/", neither},
		{"host name", "proxy.example.com", neither},
		{"port", "10.0.0.1:80", neither},
		{"port and brackets", "[2001:db8::1]:80", neither},
		{"wildcard", "10.0.0.*", neither},
		{"several", "10.0.0.1,10.0.0.2", neither},
		{"space", " 10.0.0.1", neither},
		{"leading zero", "10.0.0.01", neither},
		{"too short", "10.0.0/8", neither},
		{"very long", strings.Repeat("x", 10_000), neither},
		{"zone", "fe80::1%eth0", "expected it without what follows the %"},
		{"zone and length", "fe80::1%eth0/64", "expected it without what follows the %"},
		{"IPv4 length", "10.0.0.0/33", "expected a number from 0 to 32"},
		{"IPv6 length", "2001:db8::/129", "expected a number from 0 to 128"},
		{"negative length", "10.0.0.0/-1", "expected a number from 0 to 32"},
		{"no length", "10.0.0.0/", "expected a number from 0 to 32"},
		{"mask", "10.0.0.0/255.0.0.0", "expected a number from 0 to 32"},
		{"two lengths", "10.0.0.0/8/8", "expected a number from 0 to 32"},
		{"more than 4-in-6", "::ffff:10.0.0.0/90", "expected a length from 96 to 128, or an IPv4 CIDR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := clientaddr.ParsePrefix(test.s)
			if err == nil || got != (netip.Prefix{}) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("ParsePrefix = %v, %v, want an error with %q", got, err, test.want)
			}
			if msg := err.Error(); len(msg) > 400 || len(test.s) < 100 && !strings.Contains(msg, test.s) {
				t.Errorf("the error does not name %.128q briefly: %v", test.s, err)
			}
		})
	}
}
