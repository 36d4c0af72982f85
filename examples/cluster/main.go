// Command cluster is one node of a service that runs on several machines. Nodes
// that share a key take each other's tokens, and nodes that share a Redis know
// what the others have revoked, and how many sockets a user has; README.md walks
// through it with two.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pasetokit/pasetokit/config"
	redisconfig "github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "`address` to listen on; port 0 takes any free one")
	redis := flag.String("redis", "", "`addresses` of the Redis that all nodes share, with commas between")
	key := flag.String("key", "", "`file` with the key that all nodes share")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if flag.NArg() > 0 {
		fail(fmt.Errorf("unexpected argument %q; -help lists the flags", flag.Arg(0)))
	}
	if err := run(ctx, *addr, *redis, *key); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "cluster:", err)
	os.Exit(1)
}

// run serves a node until ctx ends.
func run(ctx context.Context, addr, redis, key string) error {
	cfg, err := configure(redis, key)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	kit, err := config.Open(ctx, cfg, config.WithLogger(logger))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(fmt.Errorf("choose another address with -addr: %w", err), kit.Close())
	}
	n := node{name: listener.Addr().String(), kit: kit}
	server := &http.Server{
		Handler:      n.routes(),
		ReadTimeout:  patience,
		WriteTimeout: patience,
		ErrorLog:     httpauth.ErrorLog(logger),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Println("listening on http://" + n.name)

	select {
	case err = <-served:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return errors.Join(err, kit.Guard.Shutdown(ctx, server), kit.Close())
}

// patience is how long a client may take for a request and its answer, and all of
// them to go when the node stops.
const patience = time.Minute

// configure returns the configuration of the environment, with what the flags
// say over it.
func configure(redis, key string) (*config.Config, error) {
	cfg, err := config.Load()
	if err != nil {
		return nil, err
	}
	cfg.Denylist.Store = "redis"
	of, _ := cfg.Denylist.Redis.(*redisconfig.Settings) // by the import
	if cfg.Live.PerSubject == 0 {
		cfg.Live.PerSubject = 3
	}
	if redis != "" {
		of.Addresses = strings.Split(redis, ",")
	}
	if key != "" {
		cfg.Token.Keys = []config.Key{{File: key}}
	}
	switch {
	case len(cfg.Token.Keys) == 0:
		return nil, errors.New("no key is given, and all nodes need the same one; " +
			"make it with `go run ./cmd/pasetokit keygen --out paseto.key` and start with -key paseto.key")
	case len(of.Addresses) == 0:
		return nil, errors.New("no Redis is given, and all nodes need the same one; start with -redis 127.0.0.1:6379")
	}
	return cfg, nil
}

// node is one of the servers.
type node struct {
	name string
	kit  *config.Kit
}

func (n node) routes() http.Handler {
	mux := http.NewServeMux()
	web, guard := n.kit.HTTP, n.kit.Guard
	mux.Handle("POST /login", web.Login(check))
	mux.Handle("POST /refresh", web.Refresh())
	mux.Handle("POST /logout", web.Logout())
	mux.Handle("POST /logout/everywhere", web.LogoutEverywhere())
	mux.Handle("POST /ticket", web.Ticket())
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, http.HandlerFunc(n.me)))
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, n.echo))
	return mux
}

// me says what the token says, and which node has read it.
func (n node) me(w http.ResponseWriter, r *http.Request) {
	claims := paseto.FromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{ // a client that has gone away is no failure
		"node": n.name, "subject": claims.Subject, "session": claims.Session, "token": claims.ID,
	})
}

// echo repeats what a client says, and which node has heard it.
func (n node) echo(_ context.Context, conn *wsauth.Conn) {
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil {
			return
		}
		answer := fmt.Appendf(nil, "%s heard %s say %s", n.name, conn.Claims().Subject, data)
		if conn.WriteMessage(kind, answer) != nil {
			return
		}
	}
}

// demoHash is the hash of the password demo, which alice and bob have. A real program
// has hashes in its database, where all nodes find them.
const demoHash = "$argon2id$v=19$m=19456,t=2,p=1$Z48V3tjx2JAL/j6TQcT/Hw$SAxoR2hgTzU5vwOlZAzZgsTq3ZUQVN+Jlw5P+kCyUYY"

var hashes = map[string]string{"alice": demoHash, "bob": demoHash}

func check(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	if err := httpauth.CheckPassword(hashes[c.Username], c.Password); err != nil { // "" for an unknown user
		return paseto.Grant{}, err
	}
	return paseto.Grant{Subject: c.Username}, nil
}
