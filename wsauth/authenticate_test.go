package wsauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestAuthenticate decides as Require does, and answers nothing.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectClose}})
	token := access(t, auth, paseto.Grant{Subject: "alice"})
	for _, test := range []struct {
		name    string
		req     paseto.Requirement
		opts    []httpauth.RouteOption
		send    handshake
		subject string
		want    error
	}{
		{name: "token", send: bearer(token), subject: "alice"},
		{name: "token in the query", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationQuery)}, send: query("token=" + token), subject: "alice"},
		{name: "anonymous", req: paseto.Requirement{Optional: true}, send: none()},
		{name: "no token", send: none(), want: paseto.ErrNoToken},
		{name: "malformed", send: header("Authorization", "x"), want: paseto.ErrMalformedCredential},
		{name: "ambiguous", send: header("Authorization", "Bearer x", "Bearer y"), want: paseto.ErrAmbiguousCredential},
		{name: "not fresh", req: paseto.Requirement{Fresh: true}, send: bearer(token), want: paseto.ErrNotFresh},
		{name: "origin", send: bearer(token).and(header("Origin", "https://evil.org")), want: wsauth.ErrOrigin},
		{name: "cookie without origin", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationCookie), httpauth.WithKey("auth")},
			send: header("Cookie", "auth="+token), want: wsauth.ErrOrigin},
		{name: "location", opts: []httpauth.RouteOption{httpauth.WithLocations("json")}, send: bearer(token), want: paseto.ErrLocation},
		{name: "requirement", req: paseto.Requirement{Fresh: true, Type: "refresh"}, send: bearer(token), want: paseto.ErrRequirement},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ws?"+test.send.query, nil)
			r.Header = test.send.and(none()).header
			claims, err := guard.Authenticate(r, test.req, test.opts...)
			if !errors.Is(err, test.want) {
				t.Fatalf("error is %v, want %v", err, test.want)
			}
			if claims.Anonymous() != (test.subject == "") || claims != nil && claims.Subject != test.subject {
				t.Errorf("claims are %v, want those of %q", claims, test.subject)
			}
		})
	}
}

// waitingStore answers when it is no longer asked.
type waitingStore struct{ denylist.Store }

func (waitingStore) Revoked(ctx context.Context, _ denylist.Token) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

// TestClientGivesUp while the denylist is asked. That is no failure of the
// denylist, and nobody is let in.
func TestClientGivesUp(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, paseto.WithDenylist(waitingStore{}))
	guard := newGuard(t, auth, setup{Config: wsauth.Config{}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/ws", nil)
	r.Header = bearer(access(t, auth, paseto.Grant{})).header
	if claims, err := guard.Authenticate(r, paseto.Requirement{}); !errors.Is(err, context.Canceled) || claims != nil {
		t.Errorf("claims are %v, error is %v; want the context's", claims, err)
	}
	r.Header = header("Connection", "Upgrade").and(header("Upgrade", "websocket")).
		and(header("Sec-Websocket-Version", "13")).and(header("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")).and(handshake{header: r.Header}).header
	w := httptest.NewRecorder()
	guard.Require(paseto.Requirement{}, unreachable(t)).ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status is %d, want 503", w.Code)
	}
}
