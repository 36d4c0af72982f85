package httpauth

import "github.com/pasetokit/pasetokit/internal/locate"

// Location is where a request, or the handshake of a WebSocket, carries its token.
type Location string

const (
	// LocationHeader is a request header, Authorization unless configured otherwise. One
	// of another scheme, such as Basic, is not ours: it counts as no token, and is
	// refused only where a token is required and there is no other. Browsers cannot set
	// it on a handshake.
	LocationHeader Location = locate.InHeader
	// LocationCookie is a cookie, which browsers send by themselves. A handshake with one
	// must carry an allowed Origin.
	LocationCookie Location = locate.InCookie
	// LocationJSON is a member of a JSON body. The body is read before the handler
	// runs, and the handler can read it again; one that is larger than
	// [Config.MaxBody], or is not a JSON object, is refused even if the token
	// is elsewhere. Handshakes do not have it; all that follow are for handshakes alone.
	LocationJSON Location = locate.InJSON
	// LocationQuery is a parameter of the URL. Danger: URLs are logged and kept in
	// histories; use it only for tokens that expire soon.
	LocationQuery Location = locate.InQuery
	// LocationSubprotocol is the subprotocol that is offered right after paseto.bearer.
	// Tokens wrapped in base64 cannot be carried there.
	LocationSubprotocol Location = locate.InSubprotocol
	// LocationTicket is a parameter of the URL that carries a ticket, which is used up
	// by the handshake; see [paseto.Authorizer.RedeemTicket]. It is the best way for
	// browsers' pages of another origin: the access token is in no URL. It needs a
	// denylist.
	LocationTicket Location = locate.InTicket
	// LocationMessage is the first message of the connection, where the handshake
	// carries no token at another location of the route:
	//
	//	{"type":"auth","token":"v4.local.…"}
	//
	// It is answered in a message of the same type, with expires_at and expires_in, when
	// the connection will end. Only then is it the application's; see MessageTimeout and
	// Limits.Pending in wsauth.Config. On an optional route a client without a token
	// sends the message without one. wsauth.WithTokenMessages takes another form of message.
	LocationMessage Location = locate.InMessage
)

// NoScheme stands for no scheme before the token, in [Config.HeaderScheme] and in
// [WithPrefix]: the value is then the bare token.
const NoScheme = locate.NoScheme

// RouteOption makes one route, of requests or of handshakes, differ from the
// configuration.
type RouteOption func(*locate.Route)

// WithLocations sets the locations that the route's token may be in.
func WithLocations(locations ...Location) RouteOption {
	return func(r *locate.Route) { locate.SetLocations(r, locations) }
}

// WithKey sets the name of the header, cookie, body member or query parameter that
// carries the token, in every location of the route but [LocationTicket]. The name of a
// cookie is taken as it is, without a prefix.
func WithKey(name string) RouteOption {
	return func(r *locate.Route) { r.SetKey(name) }
}

// WithPrefix sets the scheme that stands before the token in a header, body member or
// query parameter of the route; [NoScheme] for none.
func WithPrefix(prefix string) RouteOption {
	return func(r *locate.Route) { r.SetPrefix(prefix) }
}
