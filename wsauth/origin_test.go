package wsauth_test

import (
	"errors"
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
		admitted bool
		origins  []string
	}{
		{"own", plain, true, []string{"http://chat.example.com"}},
		{"own, TLS ended by a proxy", plain, true, []string{"https://chat.example.com"}},
		{"own, TLS", secure, true, []string{"https://chat.example.com"}},
		{"own, TLS, plain page", secure, false, []string{"http://chat.example.com"}},
		{"listed", plain, true, []string{"https://app.example.com"}},
		{"listed, below", plain, true, []string{"https://a.example.org"}},
		{"other", plain, false, []string{"https://evil.example.net"}},
		{"null", plain, false, []string{"null"}},
		{"empty", plain, false, []string{""}},
		{"no origin", plain, false, []string{"http://chat.example.com/"}},
		// A proxy and the guard may not look at the same one.
		{"twice", plain, false, []string{"http://chat.example.com", "http://chat.example.com"}},
		{"twice, once empty", plain, false, []string{"http://chat.example.com", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			send := bearer(token).and(header("Host", "chat.example.com")).and(header("Origin", test.origins...))
			if test.admitted {
				checkEcho(t, connect(t, test.srv, send), "hello")
				return
			}
			checkRefused(t, test.srv, send, wsauth.ErrOrigin)
		})
	}
}

// TestOriginBeforeToken refuses the origin whatever the token, and before the denylist is
// asked. It is in the error for the log, and not in what the client sees.
func TestOriginBeforeToken(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(brokenStore(t)))
	guard := newGuard(t, auth, setup{})
	srv := listen(t, guard.Require(paseto.Requirement{}, echo))
	evil := header("Origin", "https://evil.org")
	for _, send := range []handshake{evil, evil.and(header("Authorization", "x")), evil.and(bearer(access(t, auth, paseto.Grant{})))} {
		checkRefused(t, srv, send, &paseto.Error{Code: "origin_forbidden", Message: "Origin not allowed"})
	}
	if _, err := guard.Authenticate(evil.request(t.Context()), paseto.Requirement{}); !errors.Is(err, wsauth.ErrOrigin) || !strings.Contains(err.Error(), "evil.org") {
		t.Errorf("error is %v, want ErrOrigin with the origin as its cause", err)
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
