// Command login is the smallest complete program: log in, refresh, log out, a
// guarded route and a guarded WebSocket, configured by the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

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
		kit, err = config.Open(context.Background(), cfg, config.WithLogger(slog.Default()))
	}
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /login", kit.HTTP.Login(check))
	http.Handle("POST /refresh", kit.HTTP.Refresh())
	http.Handle("POST /logout", kit.HTTP.Logout())
	http.Handle("GET /me", kit.HTTP.Require(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, "You are", paseto.FromContext(r.Context()).Subject)
	})))
	http.Handle("/ws", kit.Guard.Require(paseto.Requirement{}, func(ctx context.Context, conn *wsauth.Conn) {
		for kind, data, err := conn.ReadMessage(); err == nil; kind, data, err = conn.ReadMessage() {
			_ = conn.WriteMessage(kind, data) // a failed write ends the reading too
		}
	}))
	log.Print("log in at http://127.0.0.1:8080/login as demo with the password demo")
	server := &http.Server{
		Addr: "127.0.0.1:8080", ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		ErrorLog: httpauth.ErrorLog(slog.Default()),
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	served := make(chan error, 1)
	go func() { served <- server.ListenAndServe() }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	err = errors.Join(err, kit.Guard.Shutdown(ctx, server), kit.Close())
	cancel()
	if err != nil {
		log.Fatal(err)
	}
}

// hashes has one user, with the password demo; a real program has them in its
// database, as httpauth.HashPassword made them.
var hashes = map[string]string{"demo": "$argon2id$v=19$m=19456,t=2,p=1$Z48V3tjx2JAL/j6TQcT/Hw$SAxoR2hgTzU5vwOlZAzZgsTq3ZUQVN+Jlw5P+kCyUYY"}

func check(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	if err := httpauth.CheckPassword(hashes[c.Username], c.Password); err != nil { // "" for an unknown user
		return paseto.Grant{}, err
	}
	return paseto.Grant{Subject: c.Username}, nil
}
