package wsauth_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestLogHasNoTokens refuses handshakes in every way that has seen a token, and
// finds each refusal in the log and no token.
func TestLogHasNoTokens(t *testing.T) {
	t.Parallel()
	logger, log := newLogger()
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithLogger(logger))
	unavailable := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(brokenStore(t)), paseto.WithLogger(logger))
	secret := access(t, auth, paseto.Grant{Subject: "alice"})
	signed := access(t, auth, paseto.Grant{Purpose: paseto.Public, Subject: "alice"})
	other := access(t, newAuthorizer(t, paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}), paseto.Grant{})
	once := ticketFor(t, auth, paseto.Grant{Subject: "alice"})
	bound := buy(t, auth, secret, paseto.TicketGrant{Path: "/other", Origin: "https://app.example.com"})
	used := ticketFor(t, auth, paseto.Grant{Subject: "alice"})
	if _, err := auth.RedeemTicket(t.Context(), used, paseto.Requirement{}, paseto.TicketUse{}); err != nil {
		t.Fatal(err)
	}
	banned := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New("banned") }}
	for _, test := range []struct {
		name  string
		auth  *paseto.Authorizer
		req   paseto.Requirement
		send  handshake
		level string
		code  string
	}{
		{"malformed query", auth, paseto.Requirement{}, query("token=" + secret + "&a=%"), "INFO", "credential_malformed"},
		{"repeated", auth, paseto.Requirement{}, header("Authorization", "Bearer "+secret, "Bearer "+signed), "INFO", "credential_ambiguous"},
		{"cut short", auth, paseto.Requirement{}, query("token=" + cutShort(secret)), "INFO", "decryption_failed"},
		{"empty footer", auth, paseto.Requirement{}, query("token=" + footerless(signed) + "."), "INFO", "token_malformed"},
		{"origin", auth, paseto.Requirement{}, bearer(secret).and(header("Origin", "https://evil.org")), "INFO", "origin_forbidden"},
		{"check", auth, banned, bearer(signed), "INFO", "access_denied"},
		{"ticket for another place", auth, paseto.Requirement{}, ticket(bound), "INFO", "ticket_invalid"},
		{"ticket repeated", auth, paseto.Requirement{}, ticket(once).and(ticket(once)), "INFO", "credential_ambiguous"},
		{"ticket in a malformed query", auth, paseto.Requirement{}, ticket(once + "%"), "INFO", "credential_malformed"},
		{"ticket and denylist", unavailable, paseto.Requirement{}, ticket(once), "ERROR", "denylist_unavailable"},
		{"ticket used", auth, paseto.Requirement{}, ticket(used), "INFO", "ticket_used"},
		{"denylist", unavailable, paseto.Requirement{}, query("token=" + secret), "ERROR", "denylist_unavailable"},
		{"requirement", auth, paseto.Requirement{Fresh: true, Type: "refresh"}, query("token=" + secret), "ERROR", "server_error"},
	} {
		before := len(log.String())
		guard := newGuard(t, test.auth, setup{Config: wsauth.Config{Locations: everywhere}}, logger)
		srv := listen(t, guard.Require(test.req, unreachable(t)))
		if ws, resp := dial(t, srv, test.send); ws != nil {
			_, _, _ = ws.ReadMessage()
		} else {
			_, _ = io.Copy(io.Discard, resp.Body)
		}
		logged := log.String()[before:]
		for _, want := range []string{"level=" + test.level, "code=" + test.code, "handshake refused", "path=/ws", "remote=127.0.0.1:"} {
			if !strings.Contains(logged, want) {
				t.Errorf("%s: %q is not in the log:\n%s", test.name, want, logged)
			}
		}
	}
	for _, token := range []string{secret, signed, other, once, bound, used} {
		// Some forty characters of a token are enough to look for it by.
		if part := token[len("v4.public.") : len("v4.public.")+40]; strings.Contains(log.String(), part) {
			t.Errorf("a token is in the log:\n%s", log)
		}
	}
}

// footerless returns a token without its footer.
func footerless(token string) string { return token[:strings.LastIndexByte(token, '.')] }

// cutShort returns a token without its footer and the end of its payload, which
// is still base64.
func cutShort(token string) string {
	const head = len("v4.local.")
	token = footerless(token)
	return token[:head+(len(token)-head-1)/4*4]
}

// TestLogOfBrokenRoute tells the operator at the start, not at the first
// client.
func TestLogOfBrokenRoute(t *testing.T) {
	t.Parallel()
	logger, log := newLogger()
	guard := newGuard(t, newAuthorizer(t, paseto.Config{}), setup{}, logger)
	guard.Require(paseto.Requirement{}, unreachable(t), httpauth.WithLocations("json"))
	guard.Require(paseto.Requirement{Fresh: true, Type: "refresh"}, unreachable(t))
	guard.Require(paseto.Requirement{Type: "ticket"}, unreachable(t))
	for _, want := range []string{"json token location is not supported", "only access tokens are fresh", "redeemed by RedeemTicket"} {
		if got := log.String(); strings.Count(got, "level=ERROR") != 3 || !strings.Contains(got, want) {
			t.Errorf("log is %q, want three errors, one with %q", got, want)
		}
	}
}

// TestLogOfFailedUpgrade names what was wrong with the handshake.
func TestLogOfFailedUpgrade(t *testing.T) {
	t.Parallel()
	logger, log := newLogger()
	auth := newAuthorizer(t, paseto.Config{})
	srv := listen(t, newGuard(t, auth, setup{}, logger).Require(paseto.Requirement{}, unreachable(t)))
	token := access(t, auth, paseto.Grant{})
	raw(t, srv, strings.Replace(upgrade("Authorization: Bearer "+token), "Version: 13", "Version: 8", 1))
	until(t, "it is logged", func() bool { return log.String() != "" })
	if got := log.String(); !strings.Contains(got, "handshake refused") || !strings.Contains(got, "Version") || strings.Contains(got, token) {
		t.Errorf("log is %q", got)
	}
}
