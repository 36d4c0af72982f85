package httpauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err    error
		status int
	}{
		{paseto.ErrNoToken, 401},
		{paseto.ErrMalformedCredential, 400},
		{paseto.ErrAmbiguousCredential, 400},
		{paseto.ErrLocation, 500},
		{paseto.ErrMalformed, 401},
		{paseto.ErrVersion, 401},
		{paseto.ErrPurpose, 401},
		{paseto.ErrBase64, 401},
		{paseto.ErrDecrypt, 401},
		{paseto.ErrSignature, 401},
		{paseto.ErrClaims, 401},
		{paseto.ErrExpired, 401},
		{paseto.ErrNoExpiry, 401},
		{paseto.ErrNotYetValid, 401},
		{paseto.ErrNoIssuer, 401},
		{paseto.ErrIssuer, 401},
		{paseto.ErrAudience, 401},
		{paseto.ErrType, 401},
		{paseto.ErrRevoked, 401},
		{paseto.ErrReused, 401},
		{paseto.ErrRefreshes, 429},
		{paseto.ErrTicket, 401},
		{paseto.ErrTicketUsed, 401},
		{paseto.ErrNotFresh, 401},
		{paseto.ErrScope, 403},
		{paseto.ErrForbidden, 403},
		{paseto.ErrUnavailable, 503},
		{httpauth.ErrCredentials, 401},
		{httpauth.ErrCrossOrigin, 403},
		{&paseto.Error{Code: "of my own"}, 403},
		{fmt.Errorf("wrapped: %w", paseto.ErrRevoked), 401},
		{errors.Join(errors.New("other"), paseto.ErrScope), 403},
		{context.Canceled, 503},
		{fmt.Errorf("asking: %w", context.DeadlineExceeded), 503},
		{paseto.ErrRequirement, 500},
		{paseto.ErrGrant, 500},
		{paseto.ErrNoDenylist, 500},
		{errors.New("boom"), 500},
	} {
		t.Run(test.err.Error(), func(t *testing.T) {
			t.Parallel()
			if got := httpauth.Status(test.err); got != test.status {
				t.Errorf("status is %d, want %d", got, test.status)
			}
			rec := httptest.NewRecorder()
			httpauth.Refuse(rec, test.err, httpauth.Challenge{})
			if rec.Code != test.status {
				t.Errorf("Refuse answers with %d, want %d", rec.Code, test.status)
			}
			// RFC 9110, section 15.5.2: a 401 always has a challenge.
			if has := rec.Header().Get("WWW-Authenticate") != ""; test.status == http.StatusUnauthorized && !has {
				t.Error("there is no challenge")
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	const evil = "a \"b\" \\c\r\nX-Evil: é\x00"
	const tame = "a b cX-Evil: "
	for _, test := range []struct {
		name      string
		err       error
		challenge httpauth.Challenge
		want      problem
	}{
		{"defaults", paseto.ErrNoToken, httpauth.Challenge{}, refusal(401, paseto.ErrNoToken, `Bearer realm="api"`)},
		{
			"scheme and realm", paseto.ErrRevoked, httpauth.Challenge{Scheme: "PASETO", Realm: "chess"},
			refusal(401, paseto.ErrRevoked, `PASETO realm="chess", error="invalid_token", error_description="Token has been revoked"`),
		},
		{"refresh token reused", paseto.ErrReused, httpauth.Challenge{}, refusal(401, paseto.ErrReused, challenge("invalid_token", "Refresh token has been used before"))},
		{"ticket elsewhere", paseto.ErrTicket, httpauth.Challenge{}, refusal(401, paseto.ErrTicket, challenge("invalid_token", "Ticket is not valid here"))},
		{"ticket used", paseto.ErrTicketUsed, httpauth.Challenge{}, refusal(401, paseto.ErrTicketUsed, challenge("invalid_token", "Ticket has been used"))},
		{
			"scopes", paseto.ErrScope, httpauth.Challenge{Scopes: []string{"read", "write"}},
			refusal(403, paseto.ErrScope, challenge("insufficient_scope", "Token scope is not sufficient")+`, scope="read write"`),
		},
		{
			"scopes of another refusal", paseto.ErrExpired, httpauth.Challenge{Scopes: []string{"read"}},
			refusal(401, paseto.ErrExpired, challenge("invalid_token", "Token expired.")),
		},
		{"no scopes", paseto.ErrScope, httpauth.Challenge{}, refusal(403, paseto.ErrScope, challenge("insufficient_scope", "Token scope is not sufficient"))},
		{
			"characters that no header may have", &paseto.Error{Code: paseto.ErrScope, Message: evil},
			httpauth.Challenge{Realm: evil, Scopes: []string{evil}},
			problem{403, "scope_insufficient", evil,
				`Bearer realm="` + tame + `", error="insufficient_scope", error_description="` + tame + `", scope="` + tame + `"`},
		},
		{
			"cause", &paseto.Error{Code: "locked", Message: "Account locked", Cause: errors.New("hush")}, httpauth.Challenge{},
			problem{status: 403, code: "locked", detail: "Account locked"},
		},
		{
			"failure of the server", errors.New("hush"), httpauth.Challenge{},
			problem{status: 500, code: "server_error", detail: "The server could not answer the request"},
		},
		{"context", context.Canceled, httpauth.Challenge{}, unavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rec := httptest.NewRecorder()
			// What the handler meant to answer must not survive.
			rec.Header().Set("Cache-Control", "public")
			rec.Header().Set("Content-Type", "text/html")
			httpauth.Refuse(rec, test.err, test.challenge)
			checkProblem(t, read(t, rec.Result()), test.want)
		})
	}
}

func TestWriteProblem(t *testing.T) {
	t.Parallel()
	limited := &paseto.Error{Code: "rate_limited", Message: "Too many requests"}
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusUnauthorized} {
		rec := httptest.NewRecorder()
		httpauth.WriteProblem(rec, status, limited)
		checkProblem(t, read(t, rec.Result()), refusal(status, limited, ""))
	}
}
