package wsauth

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/pasetokit/pasetokit/paseto"
)

// ErrOrigin: the page that opens the connection is of an origin that may not,
// or a client that authenticates by cookie does not say its origin.
var ErrOrigin = &paseto.Error{Code: "origin_forbidden", Message: "Origin not allowed"}

// origin is a web origin (RFC 6454) with its port made explicit.
type origin struct {
	scheme, host, port string
}

// parseOrigin reads scheme://host[:port] and nothing beside.
func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || !plainHost(u.Hostname()) || !strings.EqualFold(u.Scheme+"://"+u.Host, s) {
		return origin{}, fmt.Errorf("%.128q is not an origin; expected scheme://host or scheme://host:port", s)
	}
	o := origin{scheme: strings.ToLower(u.Scheme)}
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

// splitHost returns the host in lower case and the port, by default that of
// the scheme.
func splitHost(hostport, scheme string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return strings.ToLower(host), port
}

// pattern is an entry of Config.AllowedOrigins.
type pattern struct {
	origin
	below bool // host is a domain, and every host below it matches
}

// ValidateOrigin reports what is wrong with an entry of
// [Config.AllowedOrigins].
func ValidateOrigin(s string) error {
	_, err := parsePattern(s)
	return err
}

func parsePattern(s string) (pattern, error) {
	scheme, host, found := strings.Cut(s, "://")
	host, below := strings.CutPrefix(host, "*.")
	o, err := parseOrigin(scheme + "://" + host)
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return r > '~' }):
		return pattern{}, fmt.Errorf("%.128q is not what browsers send: write the host in Punycode", s)
	case err != nil || !found:
		return pattern{}, fmt.Errorf("%.128q is not an origin; expected scheme://host[:port], where host may begin with \"*.\"", s)
	case below && !strings.Contains(o.host, ".") && o.host != "localhost":
		return pattern{}, fmt.Errorf("%.128q would allow a whole top-level domain", s)
	}
	return pattern{origin: o, below: below}, nil
}

func (p pattern) matches(o origin) bool {
	if p.scheme != o.scheme || p.port != o.port {
		return false
	}
	if p.below {
		return strings.HasSuffix(o.host, "."+p.host)
	}
	return p.host == o.host
}

// checkOrigin refuses a handshake whose Origin is neither the server's own nor
// listed. A missing Origin is not its concern.
func (g *Guard) checkOrigin(r *http.Request) error {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 {
		return originError("%d Origin headers", len(values))
	}
	o, err := parseOrigin(values[0])
	if err != nil {
		return originError("%w", err)
	}
	if o.isOf(r) {
		return nil
	}
	for _, allowed := range g.origins {
		if allowed.matches(o) {
			return nil
		}
	}
	return originError("origin %.128q, host %.128q", values[0], r.Host)
}

// isOf reports whether o is the origin of the server that r came to. Behind a
// proxy that ends TLS it is not known which of http and https that is.
func (o origin) isOf(r *http.Request) bool {
	if o.scheme != "https" && (r.TLS != nil || o.scheme != "http") {
		return false
	}
	host, port := splitHost(r.Host, o.scheme)
	return o.host == host && o.port == port
}

func originError(format string, args ...any) error {
	return &paseto.Error{Code: ErrOrigin.Code, Message: ErrOrigin.Message, Cause: fmt.Errorf(format, args...)}
}
