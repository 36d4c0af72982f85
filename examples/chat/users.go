package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"runtime"

	"golang.org/x/crypto/argon2"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// demoPassword is everybody's.
const demoPassword = "demo"

// The cost of argon2id after OWASP's Password Storage Cheat Sheet.
const (
	argonMemory  = 19 << 10 // KiB
	argonPasses  = 2
	argonThreads = 1
	argonLength  = 32
)

// users knows who may log in.
type users struct {
	byName  map[string]user
	nobody  user          // stands in for names that do not exist
	hashing chan struct{} // bounds the memory that many logins at once can take
}

type user struct {
	hash   hash
	scopes []string
}

// userNames lists the users of the demonstration.
func userNames() []string { return []string{"alice", "bob", "admin"} }

// userScopes lists what some of them may do beyond the others.
func userScopes() map[string][]string { return map[string][]string{"admin": {"admin"}} }

// newUsers returns the users of the demonstration. A real program reads salts
// and hashes from its database.
func newUsers() *users {
	u := &users{
		byName:  make(map[string]user),
		nobody:  user{hash: newHash(rand.Text())},
		hashing: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	for _, name := range userNames() {
		u.byName[name] = user{hash: newHash(demoPassword), scopes: userScopes()[name]}
	}
	return u
}

// check is an [httpauth.LoginFunc]. It takes as long for an unknown name as for
// a wrong password, so that nobody learns from it who exists.
func (u *users) check(ctx context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	select {
	case u.hashing <- struct{}{}:
		defer func() { <-u.hashing }()
	case <-ctx.Done():
		return paseto.Grant{}, ctx.Err()
	}
	who, known := u.byName[c.Username]
	if !known {
		who = u.nobody
	}
	if matches := who.hash.of(c.Password.Reveal()); !matches || !known {
		return paseto.Grant{}, httpauth.ErrCredentials
	}
	return paseto.Grant{Subject: c.Username, Scopes: who.scopes}, nil
}

// hash is what is kept of a password.
type hash struct{ salt, sum []byte }

func newHash(password string) hash {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return hash{salt: salt, sum: argon(password, salt)}
}

// of reports whether h is the hash of password.
func (h hash) of(password string) bool {
	return subtle.ConstantTimeCompare(h.sum, argon(password, h.salt)) == 1
}

func argon(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonThreads, argonLength)
}
