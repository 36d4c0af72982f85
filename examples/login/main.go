// Command login is the smallest complete program: log in, refresh, log out, a
// guarded route and a guarded WebSocket, configured by the environment.
package main

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log"
	"net/http"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func main() {
	log.SetFlags(0)
	cfg, err := config.Load()
	if err == nil && len(cfg.Token.Keys) == 0 {
		log.Fatal("no key is configured; make one: export PASETOKIT_TOKEN__KEYS=$(openssl rand -hex 32)")
	}
	var kit *config.Kit
	if err == nil {
		kit, err = config.Open(context.Background(), cfg)
	}
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /login", kit.HTTP.Login(check))
	http.Handle("POST /refresh", kit.HTTP.Refresh())
	http.Handle("POST /logout", kit.HTTP.Logout())
	http.Handle("GET /me", kit.HTTP.Require(paseto.Requirement{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, "You are", paseto.FromContext(r.Context()).Subject)
	}))
	http.Handle("/ws", kit.Guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		for kind, data, err := conn.ReadMessage(); err == nil; kind, data, err = conn.ReadMessage() {
			_ = conn.WriteMessage(kind, data) // a failed write ends the reading too
		}
	}))
	log.Print("log in at http://127.0.0.1:8080/login as demo with the password demo")
	server := &http.Server{Addr: "127.0.0.1:8080", ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// check knows one user, demo; a real program has salt and hash in its database.
func check(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	sum := argon2.IDKey([]byte(c.Password.Reveal()), []byte("salt of the demo"), 2, 19<<10, 1, 32)
	known, _ := hex.DecodeString("93187964c963ff443f0ba66d2f9127b50ee1c4a19bb0f77bf0522a54f4de8fd5")
	if matches := subtle.ConstantTimeCompare(sum, known) == 1; !matches || c.Username != "demo" {
		return paseto.Grant{}, httpauth.ErrCredentials
	}
	return paseto.Grant{Subject: c.Username}, nil
}
