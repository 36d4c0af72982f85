package wsauth

import (
	"net/http"
	"slices"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// WithSubprotocols sets the application's own subprotocols on the route, the
// preferred one first. It is for handshakes alone.
func WithSubprotocols(protocols ...string) httpauth.RouteOption {
	own := slices.Clone(protocols)
	return func(r *locate.Route) { r.Subprotocols = own }
}

// route is where one route looks for its token, and which subprotocols it has.
type route struct{ locate.Route }

// newRoute returns the route without options.
func newRoute(c Config, web httpauth.Config) route {
	r := route{locate.Route{
		IsWebSocket: true,
		Header:      web.HeaderName, Scheme: locate.Scheme(web.HeaderScheme),
		Cookie: web.AccessCookieName(), RefreshCookie: web.RefreshCookieName(),
		Field: c.QueryKey, Prefix: locate.Scheme(c.QueryPrefix),
		Ticket:       c.TicketKey,
		Subprotocols: c.Subprotocols,
	}}
	locate.SetLocations(&r.Route, c.Locations)
	return r
}

// routeFor returns the route with a requirement and options.
func (g *Guard) routeFor(req paseto.Requirement, opts []httpauth.RouteOption) route {
	return route{locate.For(g.route.Route, req, opts)}
}

// takesMessage reports whether the token may come in the first message.
func (r route) takesMessage() bool { return slices.Contains(r.Locations, locate.InMessage) }

// find returns the token of a handshake and its location. Both are empty if the handshake has
// none.
func (r route) find(req *http.Request, optional bool) (token, where string, err error) {
	return r.Find(req, optional || r.takesMessage(), nil)
}

// protocol returns the subprotocol to answer with: the first of the application's own that the
// client offers, or the marker if the client offers it, or none. The token after the marker is
// never sent back, even if the route does not accept a token there.
func (r route) protocol(req *http.Request) string {
	token, offered, err := locate.Subprotocol(req.Header)
	for _, own := range r.Subprotocols {
		if slices.Contains(offered, own) {
			return own
		}
	}
	if token != "" || err != nil {
		return Marker
	}
	return ""
}
