// Package origin reads web origins (RFC 6454) and compares them.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
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
	case below && !strings.Contains(strings.TrimSuffix(o.host, "."), ".") && o.host != "localhost":
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

// Patterns are the origins that a server lists beside its own.
type Patterns []Pattern

// ParsePatterns reads patterns. It leaves out those that are not valid.
func ParsePatterns(list []string) (all Patterns) {
	for _, s := range list {
		if p, err := ParsePattern(s); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// Match reports whether o is of one of the patterns.
func (ps Patterns) Match(o Origin) bool {
	return slices.ContainsFunc(ps, func(p Pattern) bool { return p.Matches(o) })
}

// ErrNone is the error of [Of] for a request without an Origin header.
var ErrNone = errors.New("there is no Origin")

// Of returns the origin of the page that had a browser send r.
func Of(r *http.Request) (Origin, error) {
	switch values := r.Header.Values("Origin"); len(values) {
	case 0:
		return Origin{}, ErrNone
	case 1:
		return Parse(values[0])
	default:
		return Origin{}, fmt.Errorf("%d Origin headers", len(values))
	}
}

// IsOf reports whether o is the own origin of the server that r came to: of the host and
// port that the client asked for, and of the scheme by which clients reach the server.
// Where that is empty, it is https for a request that came by TLS, and else http or
// https: a proxy may have ended TLS.
func (o Origin) IsOf(r *http.Request, scheme string) bool {
	if scheme == "" && r.TLS != nil {
		scheme = "https"
	}
	if o.scheme != scheme && (scheme != "" || o.scheme != "http" && o.scheme != "https") {
		return false
	}
	host, port := splitHost(r.Host, o.scheme)
	return o.host == host && o.port == port
}

// String returns o as browsers send it (RFC 6454, section 6.2): in lower case, and
// without the default port of its scheme.
func (o Origin) String() string {
	host := o.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if o.port != "" && o.port != defaultPorts[o.scheme] {
		host += ":" + o.port
	}
	return o.scheme + "://" + host
}

// IsSerialized reports whether s is an origin as browsers send it.
func IsSerialized(s string) bool {
	o, err := Parse(s)
	return err == nil && o.String() == s
}
