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
	return func(r *route) { r.locations = locations }
}

// Key sets the name of the header, cookie or query parameter that carries the
// token, in every location of the route. A cookie's name is taken as it is,
// without a prefix.
func Key(name string) RouteOption {
	return func(r *route) { r.header, r.cookie, r.query = name, name, name }
}

// Prefix sets the scheme that stands before the token in a header or query
// parameter of the route; [NoScheme] for none.
func Prefix(prefix string) RouteOption {
	return func(r *route) { r.scheme, r.prefix = scheme(prefix), scheme(prefix) }
}

// Subprotocols sets the application's own subprotocols on the route, the
// preferred one first.
func Subprotocols(protocols ...string) RouteOption {
	return func(r *route) { r.protocols = protocols }
}

// route is where one route looks for its token, and what it speaks.
type route struct {
	locations              []Location
	header, scheme, cookie string
	query, prefix          string
	protocols              []string
}

// route returns what holds for routes without options.
func (c Config) route() route {
	return route{
		locations: c.Locations,
		header:    c.HeaderName, scheme: scheme(c.HeaderScheme),
		cookie: c.CookieName,
		query:  c.QueryKey, prefix: scheme(c.QueryPrefix),
		protocols: c.Subprotocols,
	}
}

func scheme(configured string) string {
	if configured == NoScheme {
		return ""
	}
	return configured
}

func (r route) with(opts []RouteOption) route {
	for _, opt := range opts {
		if opt != nil {
			opt(&r)
		}
	}
	return r
}

// routeFor returns what holds for a route with this requirement: where a
// refresh token is asked for, the cookie is the refresh token's.
func (g *Guard) routeFor(req paseto.Requirement, opts []RouteOption) route {
	r := g.route
	if req.Type == paseto.TypeRefresh {
		r.cookie = g.cfg.RefreshCookieName
	}
	return r.with(opts)
}

// validate reports the first thing that keeps every token from being found.
func (r route) validate() *paseto.Error {
	switch {
	case !locate.IsToken(r.header), !locate.IsToken(r.cookie), r.query == "":
		return locationError("a header, cookie or query parameter has no valid name")
	case !locate.IsScheme(r.scheme), !locate.IsScheme(r.prefix):
		return locationError("a scheme before the token has a space or other separator in it")
	}
	for _, protocol := range r.protocols {
		if !validProtocol(protocol) {
			return locationError(fmt.Sprintf("%.64q is not a subprotocol of an application", protocol))
		}
	}
	return validateLocations(r.locations)
}

func validProtocol(s string) bool { return locate.IsToken(s) && s != Marker }

func validateLocations(locations []Location) *paseto.Error {
	if len(locations) == 0 {
		return locationError("no token location is given")
	}
	for i, l := range locations {
		if slices.Contains(locations[:i], l) {
			return locationError(fmt.Sprintf("token location %.32q is given twice", string(l)))
		}
		switch l {
		case Header, Query, Cookie, Subprotocol:
		case "json":
			return locationError("json token location is not supported for WebSocket connections")
		default:
			return locationError(fmt.Sprintf("unknown token location %.32q; expected header, query, cookie or subprotocol", string(l)))
		}
	}
	return nil
}

func locationError(message string) *paseto.Error {
	return &paseto.Error{Code: paseto.ErrLocation.Code, Message: message}
}

// find returns the token that a handshake carries in the locations of the
// route and which one it was, none if it carries none.
func (r route) find(req *http.Request) (token string, where Location, err error) {
	looks := make([]func() (string, error), len(r.locations))
	for i, l := range r.locations {
		looks[i] = func() (string, error) {
			switch l {
			case Header:
				return locate.Header(req.Header, r.header, r.scheme)
			case Cookie:
				return locate.Cookie(req.Header, r.cookie)
			case Query:
				return locate.Query(req.URL.RawQuery, r.query, r.prefix)
			default:
				token, _, err := locate.Subprotocol(req.Header)
				return token, err
			}
		}
	}
	token, i, err := locate.One(looks...)
	if err != nil || i < 0 {
		return "", "", err
	}
	return token, r.locations[i], nil
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
