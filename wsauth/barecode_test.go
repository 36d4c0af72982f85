package wsauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestBareCode returns codes as they are wherever a program may return an error: the
// client is told what an *Error with the message of the code would tell.
func TestBareCode(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	newWeb := func(t *testing.T) *httpauth.Web { // one for each, because failed logins are counted
		t.Helper()
		web, err := httpauth.New(auth, httpauth.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return web
	}
	token := access(t, auth, paseto.Grant{})
	guard := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectHTTP}})
	closing := newGuard(t, auth, setup{Config: wsauth.Config{Reject: wsauth.RejectClose}})
	failing := func(err error) paseto.Requirement {
		return paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return err }}
	}
	answer := func(h http.Handler, r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	get := func() *http.Request {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
		r.Header = bearer(token).header
		return r
	}
	places := map[string]func(*testing.T, error) *http.Response{
		"login function": func(t *testing.T, err error) *http.Response {
			t.Helper()
			login := newWeb(t).Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) { return paseto.Grant{}, err })
			body := strings.NewReader(`{"username":"alice","password":"open sesame"}`)
			r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", body)
			r.Header.Set("Content-Type", "application/json")
			return answer(login, r)
		},
		"check of a request": func(t *testing.T, err error) *http.Response {
			t.Helper()
			reached := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
			return answer(newWeb(t).Require(failing(err), reached), get())
		},
		"check of a handshake": func(t *testing.T, err error) *http.Response {
			t.Helper()
			_, resp := dial(t, listen(t, guard.Require(failing(err), unreachable(t))), bearer(token))
			return resp
		},
		"Refuse": func(_ *testing.T, err error) *http.Response {
			w := httptest.NewRecorder()
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return w.Result()
		},
		"WriteProblem": func(_ *testing.T, err error) *http.Response {
			w := httptest.NewRecorder()
			httpauth.WriteProblem(w, httpauth.Status(err), err)
			return w.Result()
		},
		"Authenticate": func(t *testing.T, err error) *http.Response {
			t.Helper()
			claims, err := guard.Authenticate(get(), failing(err))
			if claims != nil {
				t.Errorf("there are claims: %v", claims)
			}
			w := httptest.NewRecorder()
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return w.Result()
		},
	}
	for _, test := range []struct {
		code    paseto.Code
		status  int
		message string
	}{
		{paseto.ErrForbidden, http.StatusForbidden, "Access denied"},
		{paseto.ErrExpired, http.StatusUnauthorized, "Token expired."},
		{httpauth.ErrCredentials, http.StatusUnauthorized, "Bad username or password"},
		{live.ErrOtherSubject, http.StatusForbidden, "Token is of another subject or session"},
		{"banned", http.StatusForbidden, "Access denied"}, // a code of the program's own
	} {
		for form, err := range map[string]error{
			"bare": test.code, "wrapped": fmt.Errorf("alice: %w", test.code), "without a message": &paseto.Error{Code: test.code},
		} {
			for place, give := range places {
				t.Run(fmt.Sprintf("%s, %s, %s", place, string(test.code), form), func(t *testing.T) {
					t.Parallel()
					resp := give(t, err)
					defer resp.Body.Close()
					checkProblem(t, resp, test.status, test.code, test.message)
				})
			}
			t.Run(fmt.Sprintf("check of a socket, %s, %s", string(test.code), form), func(t *testing.T) {
				t.Parallel()
				srv := listen(t, closing.Require(failing(err), unreachable(t)))
				checkClosed(t, connect(t, srv, bearer(token)), wsauth.ClosePolicyViolation, test.message)
			})
		}
	}
}
