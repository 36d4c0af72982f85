package wsauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// ownOrigins are handshakes with a server that lists no origins: it knows its
// own by the Host that the client asked for.
var ownOrigins = []struct {
	name     string
	tls      bool
	host     string
	origin   string
	admitted bool
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

func TestOwnOrigin(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	h := newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo)
	plain, secure := listen(t, h), httptest.NewTLSServer(h)
	t.Cleanup(secure.Close)
	for _, test := range ownOrigins {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			srv := plain
			if test.tls {
				srv = secure
			}
			send := bearer(token).and(header("Host", test.host)).and(header("Origin", test.origin))
			checkOrigin(t, srv, send, test.admitted)
		})
	}
}

// checkOrigin checks that a handshake is admitted, or refused for its origin.
func checkOrigin(t *testing.T, srv *httptest.Server, send handshake, admitted bool) {
	t.Helper()
	ws, resp := dial(t, srv, send)
	switch {
	case admitted && ws == nil:
		t.Errorf("refused with %s", resp.Status)
	case admitted:
		checkEcho(t, ws, "hello")
	case ws != nil:
		t.Error("the handshake succeeded")
	default:
		checkProblem(t, resp, http.StatusForbidden, "origin_forbidden", "Origin not allowed")
	}
}

func TestListedOrigins(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	h := newGuard(t, auth, setup{Config: wsauth.Config{AllowedOrigins: []string{
		"https://app.example.com",
		"http://localhost:3000",
		"HTTPS://Upper.Example.NET:443",
		"https://[2001:db8::1]:8443",
		"https://*.example.org",
		"http://*.localhost:5173",
		"capacitor://localhost",
	}}}).Require(paseto.Requirement{}, echo)
	srv := listen(t, h)
	for _, test := range []struct {
		origin   string
		admitted bool
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
		t.Run(test.origin, func(t *testing.T) {
			t.Parallel()
			checkOrigin(t, srv, bearer(token).and(header("Host", "api.example.com")).and(header("Origin", test.origin)), test.admitted)
		})
	}
}

// TestRepeatedOrigin is refused although one of the two, or both, would do: a
// proxy and the guard may not look at the same one.
func TestRepeatedOrigin(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
	for _, origins := range [][]string{
		{"http://chat.example.com", "http://chat.example.com"},
		{"http://chat.example.com", "http://evil.org"},
		{"http://chat.example.com", ""},
	} {
		send := bearer(access(t, auth, paseto.Grant{})).and(header("Host", "chat.example.com")).and(header("Origin", origins...))
		checkOrigin(t, srv, send, false)
	}
}

// TestOriginBeforeToken refuses the origin whatever the token, and before the
// denylist is asked.
func TestOriginBeforeToken(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(brokenStore{}))
	srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{}}).Require(paseto.Requirement{}, echo))
	evil := header("Origin", "https://evil.org")
	for _, send := range []handshake{evil, evil.and(header("Authorization", "x")), evil.and(bearer(access(t, auth, paseto.Grant{})))} {
		checkOrigin(t, srv, send, false)
	}
}

func TestAllowedOriginsValidation(t *testing.T) {
	t.Parallel()
	const form = "is not an origin"
	auth := newAuthorizer(t, paseto.Config{})
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
		t.Run(test.entry, func(t *testing.T) {
			t.Parallel()
			guard, err := wsauth.New(newWeb(t, auth, httpauth.Config{}), wsauth.Config{AllowedOrigins: []string{"https://good.example.com", test.entry}})
			if err == nil || guard != nil {
				t.Fatal("the entry is accepted")
			}
			if !errors.Is(err, paseto.ErrConfig) {
				t.Errorf("the error does not wrap ErrConfig: %v", err)
			}
			if !strings.Contains(err.Error(), "AllowedOrigins") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %q, want it to name AllowedOrigins and %q", err, test.want)
			}
			if strings.Contains(err.Error(), "good.example.com") {
				t.Errorf("error blames the other entry: %v", err)
			}
		})
	}
}

// TestOriginCause is in the error for the log, and not in what the client sees.
func TestOriginCause(t *testing.T) {
	t.Parallel()
	guard := newGuard(t, newAuthorizer(t, paseto.Config{}), setup{Config: wsauth.Config{}})
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/ws", nil)
	r.Header.Set("Origin", "https://evil.org")
	_, err := guard.Authenticate(r, paseto.Requirement{})
	if !errors.Is(err, wsauth.ErrOrigin) || !strings.Contains(err.Error(), "evil.org") {
		t.Errorf("error is %v, want ErrOrigin with the origin as its cause", err)
	}
}
