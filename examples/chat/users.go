package main

import (
	"context"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// demoPassword is everybody's.
const demoPassword = "demo"

// users has those who may log in, by name.
type users map[string]user

type user struct {
	hash   string // of the password
	scopes []string
}

// userNames lists the users of the demonstration.
func userNames() []string { return []string{"alice", "bob", "admin"} }

// userScopes lists what some of them may do beyond the others.
func userScopes() map[string][]string { return map[string][]string{"admin": {"admin"}} }

// newUsers returns the users of the demonstration. A real program reads hashes
// from its database.
func newUsers() users {
	u := make(users)
	for _, name := range userNames() {
		u[name] = user{hash: httpauth.HashPassword(paseto.NewSecret(demoPassword)), scopes: userScopes()[name]}
	}
	return u
}

// check is an [httpauth.LoginFunc]. The hash of an unknown name is empty, for which
// CheckPassword takes as long.
func (u users) check(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	who := u[c.Username]
	if err := httpauth.CheckPassword(who.hash, c.Password); err != nil {
		return paseto.Grant{}, err
	}
	return paseto.Grant{Subject: c.Username, Scopes: who.scopes}, nil
}
