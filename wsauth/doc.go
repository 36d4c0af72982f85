// Package wsauth guards WebSockets with PASETO tokens: a [Guard] decides at the
// handshake who may connect, and closes a [Conn] when its right ends.
//
//	web, err := httpauth.New(auth, httpauth.Config{})
//	guard, err := wsauth.New(web, wsauth.Config{})
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
// its Origin, how often its address has tried of late, where it carries its
// token, the token, the requirement, the denylist, how many connections there
// are. Ordinary HTTP middleware does not see what passes over a connection
// afterwards, so all of it happens here.
//
// A browser shows a page nothing of an HTTP refusal. By default the guard
// therefore completes the handshake of a refused client and closes at once,
// with code 1008 and the refusal's message as reason; [RejectHTTP] answers with
// a status such as 401 or 403 instead. What is not about a token is always
// answered over HTTP: an origin that is not allowed, a request that is not a handshake,
// an address that tries too often, a denylist that cannot be asked, a server that is
// full, shuts down or fails.
//
// The guard takes the connection over from net/http. A middleware around it must let
// it: its ResponseWriter has the method Hijack, or Unwrap, which returns the one
// behind it (see [http.ResponseController]). [http.TimeoutHandler] has neither; put
// the guard outside of it. Where this is wrong, handshakes are answered with status
// 500, and the log names the ResponseWriter.
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
// A page cannot set headers on a WebSocket. It can rely on a cookie ([httpauth.LocationCookie]),
// offer the token as a subprotocol ([httpauth.LocationSubprotocol]):
//
//	new WebSocket(url, ["paseto.bearer", token])
//
// or buy a ticket and put that into the URL ([httpauth.LocationTicket]), which is the best way
// for a page of another origin; see [httpauth.Web.Ticket]. The access token
// itself can go into the URL too ([httpauth.LocationQuery]). URLs end up in logs and histories:
// use [httpauth.LocationQuery] only with tokens that expire soon, and a log without query
// strings. A ticket found there is used up. Or it sends the token in the first
// message ([httpauth.LocationMessage]), before which the application gets to know nothing of the
// connection.
//
// A browser that has the cookie sends it with every handshake. On a route that
// accepts [httpauth.LocationCookie] and another location, a page that uses the other one then
// brings two tokens and is refused: give the two kinds of page routes of their
// own, with [httpauth.WithLocations].
//
// # The life of a connection
//
// A connection has a [live.Right], and is closed when that ends: when its token expires or is
// revoked, at a shutdown, and for whatever else package live lists. It is closed too when its
// peer answers no ping ([Config.PingInterval]), lets too much wait ([Config.SendQueue]) or
// sends too much ([Config.Messages]). Neither its peer nor its handler can hold that up.
//
// Its context then ends with the cause. The handler should return soon, and has to
// read as long as the connection lives: pongs, closes and renewals are heard in
// [Conn.ReadMessage] alone.
//
// A client keeps its connection with a newer token (see [live.Right.Renew]): in a message of
// the application's own protocol, whose handler calls [Conn.Renew], or in one that the
// application need not know ([Config.RenewMessages], [WithTokenMessages]). With [WithLogin] an
// anonymous connection can log in by the same ways.
//
// # Limits
//
// [Limits] bounds how many connections may wait for a first message, and how many handshakes
// an address may begin, or fail. Behind a proxy, set [httpauth.Config.TrustedProxies] before
// you limit addresses. How many connections there may be, in all and for each subject, is in
// [live.Config].
//
// # Sending
//
// [Conn.WriteMessage] waits for the peer, for [Config.WriteTimeout] at most.
// [Conn.Send] and [Guard.Broadcast] wait for nobody, and a peer that reads too
// slowly is closed. [Guard.Connections] and [Guard.ConnectionsOf] find connections
// of this guard.
//
// # Closing
//
// [Closures] lists every cause with its close code and with what a client should do
// then. With [StandardCodes] whatever is wrong with a token is 1008; [PrivateCodes]
// has codes that tell a client what to do, and [GraphQLWSCodes] those that the npm
// client graphql-ws understands. [Config.CloseCodeFor] changes single ones.
// docs/connections.md has the same as a table, and clients.
//
// # Memory
//
// An idle connection has one goroutine, over plain TCP on a stack of 2 KiB until its
// first message comes, and neither a read nor a write buffer. The handler's context has
// nothing of the request, unless [WithConnContext] keeps it or the requirement has a
// Check, which sees the request's values: they stay in memory for as long as the
// connection does.
package wsauth
