// Command bolt keeps revocations in the store bolt.
package main

import (
	"context"
	"log"

	"github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/paseto"
)

func main() {
	store, err := bolt.Open(context.Background(), bolt.Config{})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}, paseto.WithDenylist(store))
	if err != nil {
		log.Fatal(err)
	}
	if err := auth.RevokeSession(context.Background(), "of a login"); err != nil {
		log.Fatal(err)
	}
}
