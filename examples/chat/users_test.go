package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	u := newUsers()
	for _, tc := range []struct {
		name, username, password string
		scopes                   []string
		wantErr                  error
	}{
		{name: "user", username: "alice", password: demoPassword},
		{name: "admin has a scope", username: "admin", password: demoPassword, scopes: []string{"admin"}},
		{name: "wrong password", username: "bob", password: "Demo", wantErr: httpauth.ErrCredentials},
		{name: "unknown user", username: "mallory", password: demoPassword, wantErr: httpauth.ErrCredentials},
		{name: "name in another case", username: "Alice", password: demoPassword, wantErr: httpauth.ErrCredentials},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			grant, err := u.check(t.Context(), httpauth.Credentials{Username: tc.username, Password: paseto.NewSecret(tc.password)})
			if !errors.Is(err, tc.wantErr) {
				t.Fatalf("got error %v, want %v", err, tc.wantErr)
			}
			if err == nil && (grant.Subject != tc.username || !slices.Equal(grant.Scopes, tc.scopes)) {
				t.Errorf("got grant %+v", grant)
			}
		})
	}
	if u["alice"].hash == u["bob"].hash {
		t.Error("the same password gave two users the same hash")
	}
}
