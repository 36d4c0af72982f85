package wsauth_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// run serves until ctx ends, as that of signal.NotifyContext does.
func run(ctx context.Context, listener net.Listener, server *http.Server, guard *wsauth.Guard) (err error) {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, guard.Shutdown(ctx, server)) // then close the store
}

// A program shuts the guard and its HTTP server down in one call.
func ExampleGuard_Shutdown() {
	s := newDemo(wsauth.Config{}, welcome)
	defer s.close()
	ctx, stop := context.WithCancel(context.Background())
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ended := make(chan error)
	go func() { ended <- run(ctx, listener, s.srv.Config, s.guard) }()

	alice := s.join(paseto.Grant{Subject: "alice"})
	stop() // a signal comes
	showNext(alice)
	fmt.Println(<-ended)
	// Output:
	// websocket: close 1001 (going away): Server is shutting down
	// <nil>
}
