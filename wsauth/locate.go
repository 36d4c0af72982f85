package wsauth

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

// RouteOption makes one route differ from the configuration.
type RouteOption func(*route)

// In sets the locations that the route's token may be in.
func In(locations ...Location) RouteOption {
	return func(r *route) { r.Locations = locations }
}

// Key sets the name of the header, cookie or query parameter that carries the
// token, in every location of the route but [Ticket]. A cookie's name is taken
// as it is, without a prefix.
func Key(name string) RouteOption {
	return func(r *route) { r.SetKey(name) }
}

// Prefix sets the scheme that stands before the token in a header or query
// parameter of the route; [NoScheme] for none.
func Prefix(prefix string) RouteOption {
	return func(r *route) { r.SetPrefix(prefix) }
}

// Subprotocols sets the application's own subprotocols on the route, the
// preferred one first.
func Subprotocols(protocols ...string) RouteOption {
	return func(r *route) { r.protocols = protocols }
}

// route is where one route looks for its token, and what it speaks.
type route struct {
	locate.Route[Location]
	ticket    string // the parameter of a ticket
	protocols []string
}

// route returns what holds for routes without options.
func (c Config) route() route {
	return route{
		Route: locate.Route[Location]{
			Locations: c.Locations,
			Header:    c.HeaderName, Scheme: locate.Scheme(c.HeaderScheme),
			Cookie: c.CookieName,
			Field:  c.QueryKey, Prefix: locate.Scheme(c.QueryPrefix),
		},
		ticket:    c.TicketKey,
		protocols: c.Subprotocols,
	}
}

// routeFor returns what holds for a route with this requirement: where a
// refresh token is asked for, the cookie is the refresh token's.
func (g *Guard) routeFor(req paseto.Requirement, opts []RouteOption) route {
	r := g.route
	if req.Type == paseto.TypeRefresh {
		r.Cookie = g.cfg.RefreshCookieName
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&r)
		}
	}
	return r
}

// validate reports the first thing that keeps every token from being found.
func (r route) validate() *paseto.Error {
	for _, protocol := range r.protocols {
		if !validProtocol(protocol) {
			return locate.Error(fmt.Sprintf("%.64q is not a subprotocol of an application", protocol))
		}
	}
	if r.Field == r.ticket && slices.Contains(r.Locations, Query) && slices.Contains(r.Locations, Ticket) {
		return locate.Error(fmt.Sprintf("%.64q would be the query parameter of both token and ticket", r.ticket))
	}
	return r.Validate(locate.HandshakeLocation)
}

// takesMessage reports whether the token may come in the first message.
func (r route) takesMessage() bool { return slices.Contains(r.Locations, Message) }

func validProtocol(s string) bool { return locate.IsToken(s) && s != Marker }

// find returns the token that a handshake carries in the locations of the
// route and which one it was, none if it carries none.
func (r route) find(req *http.Request, optional bool) (token string, where Location, err error) {
	looks := make([]func() (string, error), len(r.Locations))
	for i, l := range r.Locations {
		looks[i] = func() (string, error) {
			switch l {
			case Message: // the handshake has none there
				return "", nil
			case Header:
				return locate.Header(req.Header, r.Header, r.Scheme)
			case Cookie:
				return locate.Cookie(req.Header, r.Cookie)
			case Query:
				return locate.Query(req.URL.RawQuery, r.Field, r.Prefix)
			case Ticket:
				return locate.Ticket(req.URL.RawQuery, r.ticket)
			default:
				token, _, err := locate.Subprotocol(req.Header)
				return token, err
			}
		}
	}
	token, i, err := locate.One(optional || r.takesMessage(), looks...)
	if err != nil || i < 0 {
		return "", "", err
	}
	return token, r.Locations[i], nil
}

// protocol returns the subprotocol to answer with: the most preferred of our
// own that the client offers, else the marker if it is offered, else none.
// What follows the marker is a token and is never echoed, whether or not the
// route accepts one there.
func (r route) protocol(req *http.Request) string {
	token, offered, err := locate.Subprotocol(req.Header)
	for _, own := range r.protocols {
		if slices.Contains(offered, own) {
			return own
		}
	}
	if token != "" || err != nil {
		return Marker
	}
	return ""
}
