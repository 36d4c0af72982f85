package wsauth_test

import (
	"context"

	"github.com/pasetokit/pasetokit/wsauth"
)

// toldOf is an echo that tells of its connection.
func toldOf(conns chan<- *wsauth.Conn) wsauth.Handler {
	return func(ctx context.Context, conn *wsauth.Conn) {
		conns <- conn
		echo(ctx, conn)
	}
}
