package httpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestBareCode returns codes as they are wherever a program may return an error: the
// client is told what an *Error with the message of the code would tell.
func TestBareCode(t *testing.T) {
	t.Parallel()
	for _, code := range []paseto.Code{paseto.ErrForbidden, paseto.ErrExpired, httpauth.ErrCredentials, "banned"} {
		for form, err := range map[string]error{
			"bare": code, "wrapped": fmt.Errorf("alice: %w", code), "without a message": &paseto.Error{Code: code},
		} {
			t.Run(string(code)+", "+form, func(t *testing.T) {
				t.Parallel()
				s := newSite(t, setup{})
				want := &paseto.Error{Code: code, Message: code.Message()}
				check := func(place string, a answer) {
					t.Helper()
					if a.status != httpauth.Status(code) {
						t.Errorf("%s: status is %d", place, a.status)
					}
					checkProblem(t, a, refusal(a.status, want, a.header.Get("WWW-Authenticate")))
				}
				req := paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return err }}
				check("check", get(t, s.web.Require(req, http.HandlerFunc(whoami)), bearer(s.access(t, paseto.Grant{}))))
				login := s.web.Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) { return paseto.Grant{}, err })
				check("login", post(t, login, body(asForm, passwordForm)))
				for place, write := range map[string]func(http.ResponseWriter){
					"Refuse":       func(w http.ResponseWriter) { httpauth.Refuse(w, err, httpauth.Challenge{}) },
					"WriteProblem": func(w http.ResponseWriter) { httpauth.WriteProblem(w, httpauth.Status(err), err) },
				} {
					w := httptest.NewRecorder()
					write(w)
					check(place, read(t, w.Result()))
				}
			})
		}
	}
}
