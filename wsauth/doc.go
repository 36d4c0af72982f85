// Package wsauth guards WebSockets with PASETO tokens: a [Guard] decides at the
// handshake who may connect, and a [Conn] ends when its token expires.
//
//	guard, err := wsauth.New(auth, wsauth.Config{})
//	mux.Handle("/ws", guard.Require(paseto.Requirement{}, chat))
//
//	func chat(ctx context.Context, conn *wsauth.Conn) {
//		for {
//			messageType, data, err := conn.ReadMessage()
//			if err != nil {
//				return
//			}
//			...
//		}
//	}
//
// # The handshake
//
// A handshake is checked in this order, cheap and safe first: that it is one,
// its Origin, where it carries its token, the token, the requirement, the
// denylist. Ordinary HTTP middleware does not see what passes over a connection
// afterwards, so all of it happens here.
//
// A browser shows a page nothing of an HTTP refusal. By default the guard
// therefore completes the handshake of a refused client and closes at once,
// with code 1008 and the refusal's message as reason; [RejectHTTP] answers with
// status 401 or 403 instead. What is not about a token is always answered over
// HTTP: an origin that is not allowed, a handshake that is none, a denylist that
// cannot be asked, a server that shuts down or fails.
//
// # Origins
//
// Browsers let any page open a WebSocket to any host and send their cookies
// along. The guard admits pages of its own origin and of the listed ones. A
// client that sends no Origin is no browser, and is admitted where its
// authority is not a cookie.
//
// # Where browsers put a token
//
// A page cannot set headers on a WebSocket. It can rely on a cookie ([Cookie]),
// offer the token as a subprotocol ([Subprotocol]):
//
//	new WebSocket(url, ["paseto.bearer", token])
//
// or buy a ticket and put that into the URL ([Ticket]), which is the best way
// for a page of another origin; see [httpauth.Web.Ticket]. The access token
// itself can go into the URL too ([Query]). URLs end up in logs and histories:
// use [Query] only with tokens that expire soon, and a log without query
// strings. A ticket found there is used up.
//
// A browser that has the cookie sends it with every handshake. On a route that
// accepts [Cookie] and another location, a page that uses the other one then
// brings two tokens and is refused: give the two kinds of page routes of their
// own, with [In].
package wsauth
