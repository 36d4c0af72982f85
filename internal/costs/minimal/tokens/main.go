// Command tokens issues and verifies a token.
package main

import (
	"context"
	"log"

	"github.com/pasetokit/pasetokit/paseto"
)

func main() {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		log.Fatal(err)
	}
	claims, err := auth.Verify(context.Background(), issued.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		log.Fatal(err)
	}
	log.Print(claims.Subject)
}
