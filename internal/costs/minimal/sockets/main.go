// Command sockets has a login, and sockets for those who have logged in.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func main() {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}})
	if err != nil {
		log.Fatal(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := wsauth.New(web, wsauth.Config{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", web.Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) {
		return paseto.Grant{}, httpauth.ErrCredentials
	}))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, func(context.Context, *wsauth.Conn) {}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	log.Fatal(server.ListenAndServe())
}
