package origin_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/internal/origin"
)

func TestIsSerialized(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"https://app.example.com":      true,
		"https://app.example.com:8443": true,
		"http://127.0.0.1:8081":        true,
		"http://[::1]:8081":            true,
		"http://localhost":             true,
		"":                             false,
		"null":                         false,
		"https://":                     false,
		"https://App.example.com":      false,
		"HTTPS://app.example.com":      false,
		"https://app.example.com:443":  false,
		"http://localhost:80":          false,
		"https://app.example.com:":     false,
		"https://app.example.com/":     false,
		"https://app.example.com?x":    false,
		"https://user@app.example.com": false,
		"https://*.example.com":        false,
		"https://exämple.com":          false,
		"https://a,b":                  false,
		"app.example.com":              false,
	} {
		if got := origin.IsSerialized(s); got != want {
			t.Errorf("IsSerialized(%q) = %t", s, got)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, origin string
		want            bool
	}{
		{"https://app.example.com", "https://app.example.com", true},
		{"https://app.example.com:443", "https://app.example.com", true},
		{"https://app.example.com", "https://APP.example.com:443", true},
		{"https://app.example.com", "http://app.example.com", false},
		{"https://app.example.com", "https://app.example.com:8443", false},
		{"https://app.example.com", "https://other.example.com", false},
		{"https://*.example.com", "https://a.example.com", true},
		{"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.example.com", "https://example.com", false},
		{"https://*.example.com", "https://evilexample.com", false},
		{"https://*.example.com", "https://a.example.com.evil.org", false},
	} {
		p, err := origin.ParsePattern(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		o, err := origin.Parse(test.origin)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Matches(o); got != test.want {
			t.Errorf("%s matches %s: %t", test.pattern, test.origin, got)
		}
	}
}

func TestIsOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		server, origin string
		want           bool
	}{
		{"http://chat.example.com/ws", "http://chat.example.com", true},
		{"http://chat.example.com/ws", "https://chat.example.com", true}, // behind a proxy that ends TLS
		{"https://chat.example.com/ws", "https://chat.example.com", true},
		{"https://chat.example.com/ws", "http://chat.example.com", false},
		{"http://chat.example.com:8080/ws", "http://chat.example.com:8080", true},
		{"http://chat.example.com:8080/ws", "http://chat.example.com", false},
		{"http://chat.example.com/ws", "http://other.example.com", false},
		{"http://chat.example.com/ws", "ftp://chat.example.com", false},
	} {
		o, err := origin.Parse(test.origin)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.IsOf(httptest.NewRequest(http.MethodGet, test.server, http.NoBody), ""); got != test.want {
			t.Errorf("%s is of %s: %t", test.origin, test.server, got)
		}
	}
}
