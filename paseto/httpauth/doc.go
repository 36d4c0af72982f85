// Package httpauth carries PASETO tokens over HTTP: it finds the token of a
// request, guards handlers, and serves the endpoints that log in, refresh, log
// out and give tickets for WebSockets.
//
//	web, err := httpauth.New(auth, httpauth.Config{})
//	mux.Handle("POST /login", web.Login(checkPassword))
//	mux.Handle("POST /refresh", web.Refresh())
//	mux.Handle("POST /logout", web.Logout())
//	mux.Handle("POST /ticket", web.Ticket())
//	mux.Handle("GET /me", web.Require(paseto.Requirement{}, http.HandlerFunc(me)))
//	mux.Handle("GET /events", web.Stream(paseto.Requirement{}, http.HandlerFunc(events)))
//
// A request carries exactly one token, in one of the configured locations; two
// are refused rather than one chosen. Refusals are problem details (RFC 9457)
// with the refusal's message as detail and its code beside, and a
// WWW-Authenticate challenge after RFC 6750 and RFC 9470. They are never cached.
// docs/http.md shows each endpoint at work, with cookies, routers and middleware.
//
// # Cookies
//
// With [LocationCookie] among the locations, Login and Refresh set the tokens as
// HttpOnly cookies, named with the prefix __Host- or __Secure- where their
// attributes allow it. A browser sends cookies along whoever makes it send the
// request, so an unsafe request (POST, PUT …) that authenticates by cookie, and a handshake
// that a route proxies, must come from the same origin, as told by [http.CrossOriginProtection].
//
// # Streams
//
// [Web.Require] looks at the token once, when the request comes. [Web.Stream] guards a response
// that lasts, such as server-sent events (see [Events]): it ends when the token expires or is
// revoked, on any server. [Web.Renew] gives it a newer token before that. A [live.Keeper] holds
// the rights of streams and WebSockets together. docs/streams.md shows all of it, and the code
// of a page.
//
// # Passwords
//
// [HashPassword] and [CheckPassword] keep and check the passwords of users. [Web.Login]
// slows those who guess them, and bounds how many are checked at a time; see
// [LoginLimits]. Behind a proxy, set [Config.TrustedProxies]: the limits count addresses.
//
// # Keys
//
// Tokens of purpose public can be verified by a service that cannot issue them.
// [Web.Keys] publishes the keys that it needs, and [RemoteKeys] reads them
// there.
package httpauth
