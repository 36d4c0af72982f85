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

// route is where one route looks for its token, and what it speaks.
type route struct{ locate.Route }

// newRoute returns what holds for routes without options.
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

// routeFor returns what holds for a route with this requirement.
func (g *Guard) routeFor(req paseto.Requirement, opts []httpauth.RouteOption) route {
	return route{locate.For(g.route.Route, req, opts)}
}

// takesMessage reports whether the token may come in the first message.
func (r route) takesMessage() bool { return slices.Contains(r.Locations, locate.InMessage) }

// find returns the token that a handshake carries in the locations of the
// route and which one it was, none if it carries none.
func (r route) find(req *http.Request, optional bool) (token, where string, err error) {
	return r.Find(req, optional || r.takesMessage(), nil)
}

// protocol returns the subprotocol to answer with: the most preferred of our
// own that the client offers, else the marker if it is offered, else none.
// What follows the marker is a token and is never echoed, whether or not the
// route accepts one there.
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
