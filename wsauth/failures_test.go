package wsauth_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// The challenges of refusals over HTTP, after RFC 6750.
const (
	noChallenge = ""
	bare        = `Bearer realm="api"`
	badRequest  = `Bearer realm="api", error="invalid_request", error_description="`
	badToken    = `Bearer realm="api", error="invalid_token", error_description="`
)

// failure is a handshake that must be refused, and how.
type failure struct {
	name    string
	in      []httpauth.Location
	paseto  paseto.Config
	req     paseto.Requirement
	opts    []httpauth.RouteOption
	send    func(t *testing.T, auth *paseto.Authorizer) handshake
	message string

	code      paseto.Code
	status    int
	challenge string
}

// sends is the send of a handshake that needs no token of the Authorizer.
func sends(h handshake) func(*testing.T, *paseto.Authorizer) handshake {
	return func(*testing.T, *paseto.Authorizer) handshake { return h }
}

// sendsToken sends an access token.
func sendsToken(g paseto.Grant) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, auth *paseto.Authorizer) handshake {
		t.Helper()
		return bearer(access(t, auth, g))
	}
}

func sendsType(tokenType string) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, auth *paseto.Authorizer) handshake {
		t.Helper()
		return bearer(issue(t, auth, tokenType, paseto.Grant{}))
	}
}

// sendsOther sends a token of an Authorizer with other settings.
func sendsOther(cfg paseto.Config, g paseto.Grant, opts ...paseto.Option) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, _ *paseto.Authorizer) handshake {
		t.Helper()
		return bearer(access(t, newAuthorizer(t, cfg, opts...), g))
	}
}

func sendsRevoked(revoke func(*paseto.Authorizer, *paseto.Claims) error) func(*testing.T, *paseto.Authorizer) handshake {
	return func(t *testing.T, auth *paseto.Authorizer) handshake {
		t.Helper()
		pair, err := auth.IssuePair(paseto.Grant{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if err := revoke(auth, pair.Access.Claims); err != nil {
			t.Fatal(err)
		}
		return bearer(pair.Access.Token.Reveal())
	}
}

// tokenFailures are about what is in the token.
func tokenFailures() []failure {
	const part = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	token := func(s string) func(*testing.T, *paseto.Authorizer) handshake { return sends(bearer(s)) }
	issuer := paseto.Config{RequireIssuer: "https://id.example.com"}
	audience := paseto.Config{RequireAudience: []string{"chat", "feed"}}
	yesterday := paseto.WithClock(func() time.Time { return start.Add(-24 * time.Hour) })
	ctx := context.Background()
	rows := []failure{
		{name: "one part", send: token("nonsense"), message: "Invalid PASETO format", code: "token_malformed"},
		{name: "unknown version", send: token("v9.local." + part), message: "Invalid PASETO version v9", code: "version_unsupported"},
		{name: "purpose without a key", paseto: paseto.Config{Keys: []paseto.Key{localKey}}, send: token("v4.public." + part),
			message: "Invalid PASETO purpose public", code: "purpose_unsupported"},

		{name: "not wrapped in base64", req: paseto.Requirement{Base64: true}, send: sendsToken(paseto.Grant{}),
			message: "Invalid base64 encoding", code: "base64_invalid"},

		{name: "tampered", send: token("v4.local." + part), message: "Failed to decrypt.", code: "decryption_failed"},
		{name: "wrong implicit assertion, local", req: paseto.Requirement{Implicit: []byte("room 1")},
			send: sendsToken(paseto.Grant{Implicit: []byte("room 2")}), message: "Failed to decrypt.", code: "decryption_failed"},
		{name: "wrong implicit assertion, public", req: paseto.Requirement{Implicit: []byte("room 1")},
			send:    sendsToken(paseto.Grant{Purpose: paseto.Public, Implicit: []byte("room 2")}),
			message: "Failed to verify.", code: "verification_failed"},

		{name: "expired", send: sendsOther(paseto.Config{}, paseto.Grant{}, yesterday), message: "Token expired.", code: "token_expired"},
		{name: "no expiry", send: sendsOther(paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry}, paseto.Grant{TTL: paseto.NoExpiry}),
			message: "Token is missing the 'exp' claim", code: "expiry_missing"},
		{name: "not valid yet", send: sendsToken(paseto.Grant{NotBefore: start.Add(time.Minute)}),
			message: "Token is not valid yet", code: "token_not_yet_valid"},
		{name: "no issuer", paseto: issuer, send: sendsToken(paseto.Grant{}),
			message: "Token is missing the 'iss' claim", code: "issuer_missing"},
		{name: "wrong issuer", paseto: issuer, send: sendsToken(paseto.Grant{Issuer: "https://id.example.org"}),
			message: "Token issuer is not valid", code: "issuer_invalid"},
		{name: "wrong audience", paseto: audience, send: sendsToken(paseto.Grant{Audience: []string{"mail", "Chat"}}),
			message: "aud verification failed.", code: "audience_invalid"},

		{name: "access for refresh", req: paseto.Requirement{Type: "refresh"}, send: sendsType("access"),
			message: "Refresh token required but access provided", code: "type_mismatch"},
		{name: "other for access", send: sendsType("other"),
			message: "Access token required but other provided", code: "type_mismatch"},

		{name: "token revoked", message: "Token has been revoked", code: "token_revoked",
			send: sendsRevoked(func(a *paseto.Authorizer, c *paseto.Claims) error { return a.Revoke(ctx, c) })},
		{name: "subject revoked", message: "Token has been revoked", code: "token_revoked",
			send: sendsRevoked(func(a *paseto.Authorizer, c *paseto.Claims) error {
				return a.RevokeSubject(ctx, c.Subject, time.Time{})
			})},
	}
	for i := range rows {
		rows[i] = rows[i].answered()
	}
	return append(rows, []failure{
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, send: sendsToken(paseto.Grant{}),
			message: "PASETO access token is not fresh", code: "token_not_fresh", status: 401,
			challenge: `Bearer realm="api", error="insufficient_user_authentication", error_description="PASETO access token is not fresh"`},
		{name: "scope missing", req: paseto.Requirement{Scopes: []string{"chat", "admin"}}, send: sendsToken(paseto.Grant{Scopes: []string{"chat"}}),
			message: "Token scope is not sufficient", code: "scope_insufficient", status: 403,
			challenge: `Bearer realm="api", error="insufficient_scope", error_description="Token scope is not sufficient", scope="chat admin"`},
		{name: "check fails", send: sendsToken(paseto.Grant{}),
			req:     paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return errors.New("banned since May") }},
			message: "Access denied", code: "access_denied", status: 403},
		{name: "check refuses", send: sendsToken(paseto.Grant{}),
			req: paseto.Requirement{Check: func(context.Context, *paseto.Claims) error {
				return &paseto.Error{Code: "banned", Message: "You are banned", Cause: errors.New("since May")}
			}},
			message: "You are banned", code: "banned", status: 403},
	}...)
}

// TestFailures are answered over HTTP where that is configured. How they close else is among
// the closings.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(tokenFailures(), credentialFailures(), ticketFailures()) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, test.paseto)
			guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP, Locations: test.in}})
			srv := httptest.NewUnstartedServer(guard.Require(test.req, unreachable(t), test.opts...))
			srv.Config.MaxHeaderBytes = 4 << 20
			srv.Start()
			t.Cleanup(srv.Close)
			ws, resp := dial(t, srv, test.send(t, auth))
			if ws != nil {
				t.Fatal("the handshake succeeded")
			}
			checkProblem(t, resp, test.status, test.code, test.message)
			if got := resp.Header.Get("WWW-Authenticate"); got != test.challenge {
				t.Errorf("challenge is\n%q, want\n%q", got, test.challenge)
			}
			if got := resp.Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q, want no-store", got)
			}
		})
	}
}

// brokenStore returns a denylist that is down.
func brokenStore(t testing.TB) *testdenylist.Store {
	t.Helper()
	store := testdenylist.New(t)
	store.OnLook(down)
	return store
}

// TestFailuresOfTheServer are answered over HTTP whatever is configured: they
// say nothing of the token, and a client should see that it may try again.
func TestFailuresOfTheServer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		req        paseto.Requirement
		want       *paseto.Error
		retryAfter string
	}{
		{"denylist down", paseto.Requirement{}, &paseto.Error{Code: "denylist_unavailable", Message: "Token revocation cannot be checked at the moment"}, "5"},
		{"denylist down, optional", paseto.Requirement{Optional: true}, &paseto.Error{Code: paseto.ErrUnavailable}, "5"},
		{"fresh refresh token", paseto.Requirement{Type: "refresh", Fresh: true},
			&paseto.Error{Code: "server_error", Message: "The server could not answer the request"}, ""},
		{"impossible scope", paseto.Requirement{Scopes: []string{"a b"}}, &paseto.Error{Code: httpauth.ErrServer}, ""},
	} {
		for _, reject := range []wsauth.Reject{wsauth.RejectClose, wsauth.RejectHTTP} {
			t.Run(test.name+", reject "+string(reject), func(t *testing.T) {
				t.Parallel()
				auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(brokenStore(t)))
				srv := listen(t, newGuard(t, auth, setup{Config: wsauth.Config{Reject: reject}}).Require(test.req, unreachable(t)))
				resp := checkRefused(t, srv, bearer(access(t, auth, paseto.Grant{})), test.want)
				if got := resp.Header.Get("Retry-After"); got != test.retryAfter {
					t.Errorf("Retry-After is %q, want %q", got, test.retryAfter)
				}
			})
		}
	}
}
