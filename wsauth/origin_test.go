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

// TestOrigin admits the pages of the server itself, which it knows by the Host that the client
// asked for, and those that are listed. Package origin tests what is the same origin.
func TestOrigin(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	token := access(t, auth, paseto.Grant{})
	h := newGuard(t, auth, setup{Config: wsauth.Config{AllowedOrigins: []string{"https://app.example.com", "https://*.example.org"}}}).
		Require(paseto.Requirement{}, echo)
	plain, secure := listen(t, h), httptest.NewTLSServer(h)
	t.Cleanup(secure.Close)
	for _, test := range []struct {
		name     string
		srv      *httptest.Server
		origin   string
		admitted bool
	}{
		{"own", plain, "http://chat.example.com", true},
		{"own, TLS ended by a proxy", plain, "https://chat.example.com", true},
		{"own, TLS", secure, "https://chat.example.com", true},
		{"own, TLS, plain page", secure, "http://chat.example.com", false},
		{"listed", plain, "https://app.example.com", true},
		{"listed, below", plain, "https://a.example.org", true},
		{"other", plain, "https://evil.example.net", false},
		{"null", plain, "null", false},
		{"empty", plain, "", false},
		{"no origin", plain, "http://chat.example.com/", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkOrigin(t, test.srv, bearer(token).and(header("Host", "chat.example.com")).and(header("Origin", test.origin)), test.admitted)
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

// TestRepeatedOrigin is refused although one of the two, or both, would do: a
// proxy and the guard may not look at the same one.
func TestRepeatedOrigin(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, echo))
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
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(brokenStore(t)))
	srv := listen(t, newGuard(t, auth, setup{}).Require(paseto.Requirement{}, echo))
	evil := header("Origin", "https://evil.org")
	for _, send := range []handshake{evil, evil.and(header("Authorization", "x")), evil.and(bearer(access(t, auth, paseto.Grant{})))} {
		checkOrigin(t, srv, send, false)
	}
}

// TestAllowedOriginsValidation names the entry that is wrong, and no other.
func TestAllowedOriginsValidation(t *testing.T) {
	t.Parallel()
	web := newWeb(t, newAuthorizer(t, paseto.Config{}), httpauth.Config{})
	guard, err := wsauth.New(web, wsauth.Config{AllowedOrigins: []string{"https://good.example.com", "https://*.com"}})
	if guard != nil || !errors.Is(err, paseto.ErrConfig) {
		t.Fatalf("New returns %v, want an error that wraps ErrConfig", err)
	}
	if got := err.Error(); !strings.Contains(got, "AllowedOrigins") || !strings.Contains(got, "top-level domain") || strings.Contains(got, "good.example.com") {
		t.Errorf("error is %q", got)
	}
}

// TestOriginCause is in the error for the log, and not in what the client sees.
func TestOriginCause(t *testing.T) {
	t.Parallel()
	guard := newGuard(t, newAuthorizer(t, paseto.Config{}), setup{})
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/ws", nil)
	r.Header.Set("Origin", "https://evil.org")
	_, err := guard.Authenticate(r, paseto.Requirement{})
	if !errors.Is(err, wsauth.ErrOrigin) || !strings.Contains(err.Error(), "evil.org") {
		t.Errorf("error is %v, want ErrOrigin with the origin as its cause", err)
	}
}
