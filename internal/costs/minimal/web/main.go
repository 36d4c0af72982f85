// Command web has a login, and a page for those who have logged in.
package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
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
	mux := http.NewServeMux()
	mux.Handle("POST /login", web.Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) {
		return paseto.Grant{}, httpauth.ErrCredentials
	}))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("GET /", web.Require(paseto.Requirement{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	log.Fatal(server.ListenAndServe())
}
