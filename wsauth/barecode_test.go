package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestBareCode returns codes as they are from a Check: the client is told what an *Error
// with the message of the code would tell.
func TestBareCode(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	send := bearer(access(t, auth, paseto.Grant{}))
	overHTTP := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})
	closing := newGuard(t, auth, setup{})
	for code, message := range map[paseto.Code]string{
		paseto.ErrForbidden:     "Access denied",
		paseto.ErrExpired:       "Token expired.",
		httpauth.ErrCredentials: "Bad username or password",
		live.ErrOtherSubject:    "Token is of another subject or session",
		"banned":                "Access denied", // a code of the program's own
	} {
		for form, err := range map[string]error{
			"bare": code, "wrapped": fmt.Errorf("alice: %w", code), "without a message": &paseto.Error{Code: code},
		} {
			t.Run(string(code)+", "+form, func(t *testing.T) {
				t.Parallel()
				req := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return err }}
				checkRefused(t, listen(t, overHTTP.Require(req, unreachable(t))), send, &paseto.Error{Code: code, Message: message})
				checkClosed(t, connect(t, listen(t, closing.Require(req, unreachable(t))), send), wsauth.ClosePolicyViolation, message)
				claims, err := closing.Authenticate(send.request(t.Context()), req)
				if claims != nil || !errors.Is(err, code) || httpauth.Refusal(err).Message != message {
					t.Errorf("Authenticate returns %v, %v; want %q", claims, err, message)
				}
			})
		}
	}
}
