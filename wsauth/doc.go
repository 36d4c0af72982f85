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
// The guard checks a handshake in this order, cheap and safe things first: whether it is a
// handshake, its Origin, how often its address has tried, where it carries its token, the
// token, the requirement, the denylist, how many connections there are. Ordinary HTTP
// middleware does not see the messages of a connection, so all of this happens here.
//
// A browser tells a page nothing about an HTTP refusal. So by default the guard completes
// the handshake of a refused client and closes the connection at once, with code 1008 and
// the refusal's message as reason. [RejectHTTP] answers with a status such as 401 or 403
// instead. Refusals that are not about a token are always answered over HTTP: an origin that
// is not allowed, a request that is not a handshake, an address that tries too often, a
// denylist that cannot be asked, and a server that is full, shuts down or fails.
//
// The guard takes the connection over from net/http. Middleware around the guard must allow
// that: its ResponseWriter needs the method Hijack, or the method Unwrap, which returns the
// ResponseWriter behind it (see [http.ResponseController]). [http.TimeoutHandler] has
// neither; put the guard outside of it. Otherwise handshakes are answered with status 500,
// and the log names the ResponseWriter.
//
// # Origins
//
// A browser lets any page open a WebSocket to any host, and sends its cookies with the
// handshake. The guard admits pages of its own origin and of the listed ones. A client that
// sends no Origin is not a browser; it is admitted unless its token is in a cookie.
//
// # Where browsers put a token
//
// A page cannot set headers on a WebSocket. It has these ways:
//
//   - a cookie ([httpauth.LocationCookie]);
//   - a subprotocol ([httpauth.LocationSubprotocol]): new WebSocket(url, ["paseto.bearer", token]);
//   - a ticket in the URL ([httpauth.LocationTicket]), which works once: the best way for a
//     page of another origin, see [httpauth.Web.Ticket];
//   - the first message ([httpauth.LocationMessage]): the handler runs only after it;
//   - the access token in the URL ([httpauth.LocationQuery]). Danger: URLs are kept in logs
//     and histories. Use it only with tokens that expire soon, and do not log query strings.
//
// A browser that has the cookie sends it with every handshake. So on a route that accepts
// [httpauth.LocationCookie] and another location, a page that uses the other one brings two
// tokens and is refused. Give the two kinds of pages different routes, with
// [httpauth.WithLocations].
//
// # The life of a connection
//
// A connection has a [live.Right], and is closed when that ends: when its token expires or is
// revoked, at a shutdown, and for every other cause that package live lists. It is also closed
// when its peer does not answer a ping ([Config.PingInterval]), reads too slowly
// ([Config.SendQueue]) or sends too much ([Config.Messages]). Neither the peer nor the handler
// can delay that.
//
// The context of the connection then ends with the cause, and the handler should return soon.
// The handler has to read for as long as the connection is open: only [Conn.ReadMessage]
// notices pongs, closes and renewals.
//
// A client keeps its connection open by sending a newer token (see [live.Right.Renew]). It
// sends it in a message of the application's own protocol, and the handler calls [Conn.Renew];
// or in a message that the guard reads ([Config.RenewMessages], [WithTokenMessages]). With
// [WithLogin] an anonymous connection can log in in the same ways.
//
// # Limits
//
// [Limits] bounds how many connections may wait for a first message, and how many handshakes
// an address may begin, or fail. Behind a proxy, set [httpauth.Config.TrustedProxies] before
// you limit addresses. [live.Config] bounds how many connections there may be, in all and for
// each subject.
//
// # Sending
//
// [Conn.WriteMessage] waits for the peer, for [Config.WriteTimeout] at most. [Conn.Send] and
// [Guard.Broadcast] never wait; a connection whose peer reads too slowly is closed.
// [Guard.Connections] and [Guard.ConnectionsOf] find connections of this guard.
//
// # Closing
//
// [Closures] lists every cause with its close code and with what a client should do then. With
// [StandardCodes] everything that is wrong with a token has the code 1008. [PrivateCodes] has
// codes that tell a client what to do, and [GraphQLWSCodes] has those that the npm client
// graphql-ws understands. [Config.CloseCodeFor] changes single codes. docs/connections.md has
// the same as a table, and examples of clients.
//
// # Memory
//
// An idle connection has one goroutine and neither a read nor a write buffer. Over plain TCP
// the stack of the goroutine is 2 KiB until the first message comes. The handler's context
// keeps nothing of the request, with two exceptions: what [WithConnContext] chooses, and, if
// the requirement has a Check, the request's values. These stay in memory for as long as the
// connection is open.
package wsauth
