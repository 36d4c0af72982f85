package httpauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func ExampleHashPassword() {
	password := paseto.NewSecret("correct horse")
	hash := httpauth.HashPassword(password) // to be kept in the database of users
	fmt.Println(hash[:strings.LastIndex(hash, ",")+len(",p=1")])
	fmt.Println(httpauth.CheckPassword(hash, password))
	// Output:
	// $argon2id$v=19$m=19456,t=2,p=1
	// <nil>
}

// The hash of a user who does not exist is empty, and takes as long to check.
func ExampleCheckPassword() {
	hashes := map[string]string{"ada": httpauth.HashPassword(paseto.NewSecret("engine"))}
	_, web := newExample(httpauth.Config{Login: httpauth.LoginLimits{FailuresPerNameAndAddress: 1}})
	login := web.Login(func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		if err := httpauth.CheckPassword(hashes[c.Username], c.Password); err != nil {
			return paseto.Grant{}, err
		}
		return paseto.Grant{Subject: c.Username}, nil
	})
	try(login, http.MethodPost, "/login", "", `{"username":"ada","password":"motor"}`)
	try(login, http.MethodPost, "/login", "", `{"username":"nobody","password":"motor"}`)
	try(login, http.MethodPost, "/login", "", `{"username":"nobody","password":"piston"}`)
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Bad username or password","code":"credentials_invalid"}
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Bad username or password","code":"credentials_invalid"}
	// 429 {"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Too many failed logins. Try again later","code":"logins_limited"}
}
