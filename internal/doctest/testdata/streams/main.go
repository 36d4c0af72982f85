package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves with the configuration files until the program is told to end.
func serve(files []string) error {
	cfg, err := config.Load(files...)
	if err != nil {
		return err
	}
	kit, err := config.Open(context.Background(), cfg, config.WithLogger(slog.New(slog.NewTextHandler(os.Stderr, nil))))
	if err != nil {
		return err
	}
	ctx, stopped := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stopped()
	listener, err := net.Listen("tcp", os.Getenv("ADDRESS"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: routes(kit.HTTP), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	<-ctx.Done()
	return errors.Join(stop(context.WithoutCancel(ctx), kit.HTTP, server), kit.Close())
}

func login(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	if c.Password.Reveal() != "demo" {
		return paseto.Grant{}, httpauth.ErrCredentials
	}
	return paseto.Grant{Subject: c.Username}, nil
}
