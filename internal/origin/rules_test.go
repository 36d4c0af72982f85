package origin_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/origin"
)

// ownOrigins are handshakes with a server that lists no origins: it knows its
// own by the Host that the client asked for.
var ownOrigins = []struct {
	name   string
	tls    bool
	host   string
	origin string
	own    bool
}{
	{"same", false, "chat.example.com:8080", "http://chat.example.com:8080", true},
	{"same, default port", false, "chat.example.com", "http://chat.example.com", true},
	{"same, default port in the origin", false, "chat.example.com", "http://chat.example.com:80", true},
	{"same, default port in the host", false, "chat.example.com:80", "http://chat.example.com", true},
	{"same, TLS ended by a proxy", false, "chat.example.com", "https://chat.example.com", true},
	{"same, upper case", false, "chat.example.com", "HTTP://CHAT.EXAMPLE.COM", true},
	{"same, upper case host", false, "CHAT.example.com:8080", "http://chat.example.com:8080", true},
	{"same, IPv4", false, "192.0.2.1:8080", "http://192.0.2.1:8080", true},
	{"same, IPv6", false, "[2001:db8::1]:8080", "http://[2001:db8::1]:8080", true},
	{"same, IPv6, default port", false, "[2001:db8::1]", "http://[2001:db8::1]:80", true},
	{"same, IPv6, upper case", false, "[2001:db8::a]", "http://[2001:DB8::A]", true},
	{"same, TLS", true, "chat.example.com", "https://chat.example.com", true},
	{"same, TLS, default port", true, "chat.example.com:443", "https://chat.example.com", true},
	{"same, TLS, port", true, "chat.example.com:8443", "https://chat.example.com:8443", true},

	{"other host", false, "chat.example.com", "http://evil.example.org", false},
	{"host below", false, "chat.example.com", "http://a.chat.example.com", false},
	{"host above", false, "chat.example.com", "http://example.com", false},
	{"host as a prefix", false, "chat.example.com", "http://chat.example.com.evil.org", false},
	{"host as a suffix", false, "chat.example.com", "http://evilchat.example.com", false},
	{"host with a dot", false, "chat.example.com", "http://chat.example.com.", false},
	{"other port", false, "chat.example.com:8080", "http://chat.example.com:8081", false},
	{"no port", false, "chat.example.com:8080", "http://chat.example.com", false},
	{"port of the other scheme", false, "chat.example.com:80", "https://chat.example.com", false},
	{"other IPv6", false, "[2001:db8::1]:8080", "http://[2001:db8::2]:8080", false},
	{"TLS, plain page", true, "chat.example.com", "http://chat.example.com", false},
	{"TLS, plain page, port", true, "chat.example.com:8443", "http://chat.example.com:8443", false},
	{"TLS, plain page on the TLS port", true, "chat.example.com", "http://chat.example.com:443", false},
	{"scheme that no server has", false, "chat.example.com:8080", "ftp://chat.example.com:8080", false},
	{"scheme of an app", false, "localhost", "capacitor://localhost", false},
	{"scheme of an extension", false, "chat.example.com:8080", "chrome-extension://chat.example.com:8080", false},
	{"scheme that is none", false, "chat.example.com", "://chat.example.com", false},

	{"null", false, "chat.example.com", "null", false},
	{"null for a host", false, "null", "null", false},
	{"empty", false, "chat.example.com", "", false},
	{"host alone", false, "chat.example.com", "chat.example.com", false},
	{"no scheme", false, "chat.example.com", "//chat.example.com", false},
	{"no host", false, "chat.example.com", "http://", false},
	{"path", false, "chat.example.com", "http://chat.example.com/", false},
	{"query", false, "chat.example.com", "http://chat.example.com?", false},
	{"fragment", false, "chat.example.com", "http://chat.example.com#", false},
	{"userinfo", false, "chat.example.com", "http://user@chat.example.com", false},
	{"userinfo that looks like us", false, "chat.example.com", "http://chat.example.com@evil.org", false},
	{"empty userinfo", false, "chat.example.com", "http://@chat.example.com", false},
	{"space", false, "chat.example.com", "http://chat.example.com http://evil.org", false},
	{"list", false, "chat.example.com", "http://chat.example.com,http://evil.org", false},
	{"escape", false, "chat.example.com", "http://chat%2Eexample.com", false},
	{"port that is none", false, "chat.example.com", "http://chat.example.com:http", false},
	{"open bracket", false, "[2001:db8::1]", "http://[2001:db8::1", false},
	{"not ASCII", false, "kat.example.com", "http://\u212Aat.example.com", false}, // the Kelvin sign folds to k
}

func TestOwn(t *testing.T) {
	t.Parallel()
	for _, test := range ownOrigins {
		r := httptest.NewRequest(http.MethodGet, "/ws", http.NoBody)
		r.Host = test.host
		if test.tls {
			r.TLS = new(tls.ConnectionState)
		}
		o, err := origin.Parse(test.origin)
		if got := err == nil && o.IsOf(r, ""); got != test.own {
			t.Errorf("%s: %q is that of %s: %t", test.name, test.origin, test.host, got)
		}
	}
}

func TestListed(t *testing.T) {
	t.Parallel()
	listed := origin.ParsePatterns([]string{
		"https://app.example.com",
		"http://localhost:3000",
		"HTTPS://Upper.Example.NET:443",
		"https://[2001:db8::1]:8443",
		"https://*.example.org",
		"http://*.localhost:5173",
		"capacitor://localhost",
	})
	for _, test := range []struct {
		origin string
		listed bool
	}{
		{"https://app.example.com", true},
		{"https://app.example.com:443", true},
		{"https://APP.example.com", true},
		{"http://localhost:3000", true},
		{"https://upper.example.net", true},
		{"https://[2001:db8::1]:8443", true},
		{"capacitor://localhost", true},
		{"http://app.example.com", false},
		{"http://app.example.com:443", false},
		{"https://app.example.com:8443", false},
		{"https://example.com", false},
		{"https://www.app.example.com", false},
		{"https://app.example.com.evil.org", false},
		{"https://evilapp.example.com", false},
		{"http://localhost", false},
		{"http://localhost:3001", false},
		{"http://127.0.0.1:3000", false},

		{"https://a.example.org", true},
		{"https://a.b.example.org", true},
		{"https://A.EXAMPLE.ORG:443", true},
		{"http://app.localhost:5173", true},
		{"https://example.org", false},
		{"https://evilexample.org", false},
		{"https://a.example.org.evil.com", false},
		{"https://a.example.org:8443", false},
		{"http://a.example.org", false},
		{"https://user@a.example.org", false},
		{"http://localhost:5173", false},
		{"http://app.localhost", false},
		{"null", false},
	} {
		o, err := origin.Parse(test.origin)
		if got := err == nil && listed.Match(o); got != test.listed {
			t.Errorf("%q is listed: %t", test.origin, got)
		}
	}
}

func TestPatternRefused(t *testing.T) {
	t.Parallel()
	const form = "is not an origin"
	for _, test := range []struct{ entry, want string }{
		{"", form},
		{"*", form},
		{"null", form},
		{"example.com", form},
		{"//example.com", form},
		{"https://", form},
		{"https://*", form},
		{"https://*.", form},
		{"https://*.*.example.com", form},
		{"https://a.*.example.com", form},
		{"https://*example.com", form},
		{"https://example.com/", form},
		{"https://example.com/chat", form},
		{"https://user@example.com", form},
		{"https://example.com:*", form},
		{"https://example.com https://example.org", form},
		{"https://[::1", form},
		{"https://exa\nmple.com", form},
		{"https://bücher.example", "Punycode"},
		{"https://*.com", "top-level domain"},
		{"https://*.com.", "top-level domain"},
		{"https://*.COM:8443", "top-level domain"},
	} {
		if _, err := origin.ParsePattern(test.entry); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("ParsePattern(%q) = %v, want an error that says %q", test.entry, err, test.want)
		}
	}
}
