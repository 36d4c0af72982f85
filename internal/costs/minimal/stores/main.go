// Command stores is configured by a file, which may name the stores bolt and redis.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/config"
	_ "github.com/pasetokit/pasetokit/config/bolt"
	_ "github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func main() {
	cfg, err := config.Load("auth.yaml")
	if err != nil {
		log.Fatal(err)
	}
	kit, err := config.Open(context.Background(), cfg)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", kit.HTTP.Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) {
		return paseto.Grant{}, httpauth.ErrCredentials
	}))
	mux.Handle("/ws", kit.Guard.Require(paseto.Requirement{}, func(context.Context, *wsauth.Conn) {}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	log.Fatal(server.ListenAndServe())
}
