// Package origin reads web origins (RFC 6454) and compares them.
package origin

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/pasetokit/pasetokit/internal/clientlog"
)

// Origin is a web origin with its port made explicit.
type Origin struct {
	scheme, host, port string
}

// Parse reads scheme://host[:port] and nothing beside.
func Parse(s string) (Origin, error) {
	u, err := url.Parse(s)
	if err != nil || !plainHost(u.Hostname()) || !strings.EqualFold(u.Scheme+"://"+u.Host, s) {
		return Origin{}, fmt.Errorf("%q is not an origin; expected scheme://host or scheme://host:port", clientlog.Cut(s))
	}
	o := Origin{scheme: strings.ToLower(u.Scheme)}
	o.host, o.port = splitHost(u.Host, o.scheme)
	return o, nil
}

// plainHost reports whether host is written as browsers write it: ASCII, with
// no empty label.
func plainHost(host string) bool {
	return host != "" && host[0] != '.' && !strings.Contains(host, "..") &&
		!strings.ContainsFunc(host, func(r rune) bool {
			return r >= 0x80 || r != '-' && r != '.' && r != '_' && r != ':' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
}

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// splitHost returns the host in lower case and the port, by default that of
// the scheme.
func splitHost(hostport, scheme string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if port == "" {
		port = defaultPorts[scheme]
	}
	return strings.ToLower(host), port
}

// Pattern is an origin, or all that are of hosts below one.
type Pattern struct {
	Origin
	below bool // host is a domain, and every host below it matches
}

// ParsePattern reads an origin whose host may begin with "*.", which stands for
// every host below.
func ParsePattern(s string) (Pattern, error) {
	scheme, host, found := strings.Cut(s, "://")
	host, below := strings.CutPrefix(host, "*.")
	o, err := Parse(scheme + "://" + host)
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return r > '~' }):
		return Pattern{}, fmt.Errorf("%.128q is not what browsers send: write the host in Punycode", s)
	case err != nil || !found:
		return Pattern{}, fmt.Errorf("%.128q is not an origin; expected scheme://host[:port], where host may begin with \"*.\"", s)
	case below && !strings.Contains(o.host, ".") && o.host != "localhost":
		return Pattern{}, fmt.Errorf("%.128q would allow a whole top-level domain", s)
	}
	return Pattern{Origin: o, below: below}, nil
}

// Matches reports whether o is the pattern's origin, or one of its hosts'.
func (p Pattern) Matches(o Origin) bool {
	if p.scheme != o.scheme || p.port != o.port {
		return false
	}
	if p.below {
		return strings.HasSuffix(o.host, "."+p.host)
	}
	return p.host == o.host
}

// IsOf reports whether o is the origin of the server that r came to. Behind a
// proxy that ends TLS it is not known which of http and https that is.
func (o Origin) IsOf(r *http.Request) bool {
	if o.scheme != "https" && (r.TLS != nil || o.scheme != "http") {
		return false
	}
	host, port := splitHost(r.Host, o.scheme)
	return o.host == host && o.port == port
}

// IsSerialized reports whether s is an origin as browsers send it (RFC 6454,
// section 6.2): in lower case, and without the default port of its scheme.
func IsSerialized(s string) bool {
	o, err := Parse(s)
	if err != nil {
		return false
	}
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port != "" && o.port != defaultPorts[o.scheme] {
		host += ":" + o.port
	}
	return o.scheme+"://"+host == s
}
