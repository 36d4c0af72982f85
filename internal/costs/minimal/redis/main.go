// Command redis keeps revocations in the store redis.
package main

import (
	"context"
	"log"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/paseto"
)

func main() {
	store, err := redis.Open(context.Background(), redis.Config{})
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
