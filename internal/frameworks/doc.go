// Package frameworks is the code for other routers than that of net/http which
// docs/http.md shows. It is a module of its own, so that nobody who uses this
// project downloads them.
package frameworks

import (
	"context"
	"net/http"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

type roomKey struct{}

// withRoom keeps the room of the path for chat.
func withRoom(ctx context.Context, r *http.Request) context.Context {
	return context.WithValue(ctx, roomKey{}, r.PathValue("room"))
}

func chat(ctx context.Context, conn *wsauth.Conn) {
	room, _ := ctx.Value(roomKey{}).(string)
	_ = conn.WriteMessage(wsauth.TextMessage, []byte(paseto.FromContext(ctx).Subject+" is in "+room))
}
