package holders

import (
	"cmp"
	"context"
	"net/http"

	"github.com/coder/websocket"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Sockets opens connections of github.com/coder/websocket. When the right of a connection ends, it closes the connection with
// the code and the message of the cause. Serve must read with the Read that it gets. Its context ends when the connection is closed.
func Sockets(guard *wsauth.Guard, keeper *live.Keeper, route *live.Route, serve func(context.Context, *websocket.Conn, Read)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		claims, err := guard.Authenticate(r, route.Requirement)
		if err != nil {
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return
		}
		right, err := keeper.Open(r.Context(), claims, route, nil)
		if err != nil {
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return
		}
		defer right.Release()
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // guard has checked the origin
		if err != nil {
			return // Accept has answered
		}
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(right.Context())) // the right's own context would stop the close frame
		context.AfterFunc(right.Context(), func() {
			code, message := guard.CloseFor(right.Err())
			_ = conn.Close(websocket.StatusCode(code), message)
			cancel(right.Err())
		})
		defer func() {
			right.GiveUp(live.ErrClosed) // unless it has ended already
			<-ctx.Done()
		}()
		serve(ctx, conn, func() (websocket.MessageType, []byte, error) {
			kind, data, err := conn.Read(ctx)
			return kind, data, cmp.Or(right.Err(), err) // a message that comes after the end is dropped
		})
	}
}

// Read returns the next message that comes in.
type Read func() (websocket.MessageType, []byte, error)
