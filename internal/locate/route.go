package locate

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
)

// The locations of tokens, as settings name them.
const (
	InHeader      = "header"
	InCookie      = "cookie"
	InJSON        = "json"
	InQuery       = "query"
	InSubprotocol = "subprotocol"
	InTicket      = "ticket"
	InMessage     = "message"
)

// NoScheme stands for no scheme before a token where an empty string stands for
// the default one.
const NoScheme = "none"

// Scheme returns the scheme before a token, empty for none.
func Scheme(configured string) string {
	if configured == NoScheme {
		return ""
	}
	return configured
}

// Route says where one route looks for its token.
type Route struct {
	IsWebSocket            bool // its requests are handshakes
	IsStream               bool // its responses last
	Locations              []string
	Header, Scheme, Cookie string
	RefreshCookie          string   // the cookie where a refresh token is asked for
	Field, Prefix          string   // of a body member, or of a query parameter
	Ticket                 string   // the query parameter of a ticket
	Subprotocols           []string // the application's own
	TokenMessages          any      // what package wsauth keeps here; nil: the built-in ones
	Login                  bool     // an anonymous connection may log in
}

// SetLocations sets where the token may be.
func SetLocations[L ~string](r *Route, locations []L) {
	r.Locations = make([]string, len(locations))
	for i, l := range locations {
		r.Locations[i] = string(l)
	}
}

// For returns r as a route with a requirement and options has it.
func For[O ~func(*Route)](r Route, req paseto.Requirement, options []O) Route {
	if req.Type == paseto.TypeRefresh {
		r.Cookie = r.RefreshCookie
	}
	for _, option := range options {
		if option != nil {
			option(&r)
		}
	}
	return r
}

// SetKey names whatever carries the token, in every location but that of
// tickets.
func (r *Route) SetKey(name string) { r.Header, r.Cookie, r.Field = name, name, name }

// SetPrefix sets the scheme before the token, in every location that has one.
func (r *Route) SetPrefix(prefix string) { r.Scheme, r.Prefix = Scheme(prefix), Scheme(prefix) }

// Look looks at one location of a request, whether or not it is among
// [Route.Locations]. Body returns the JSON body of the request, or none; handshakes have
// none, and it may be nil for them. The error is [paseto.ErrLocation] for a location that
// the route cannot have.
func (r Route) Look(req *http.Request, location string, body func() ([]byte, error)) (string, error) {
	if broken := r.rule(location); broken != "" {
		return "", Error(broken)
	}
	switch location {
	case InHeader:
		return Header(req.Header, r.Header, r.Scheme)
	case InCookie:
		return Cookie(req.Header, r.Cookie)
	case InJSON:
		data, err := body()
		if err != nil || len(data) == 0 {
			return "", err
		}
		return Member(data, r.Field, r.Prefix)
	case InQuery:
		return Query(req.URL.RawQuery, r.Field, r.Prefix)
	case InSubprotocol:
		token, _, err := Subprotocol(req.Header)
		return token, err
	case InTicket:
		return Ticket(req.URL.RawQuery, r.Ticket)
	case InMessage:
		return "", nil // the handshake has none there
	}
	return "", Error(fmt.Sprintf("nothing looks at the token location %.32q", location))
}

// Find returns the only token in the locations of the route and where it was, as [One]
// does; both are empty where there is none. Body is that of [Route.Look].
func (r Route) Find(req *http.Request, optional bool, body func() ([]byte, error)) (token, location string, err error) {
	looks := make([]func() (string, error), len(r.Locations))
	for i, l := range r.Locations {
		looks[i] = func() (string, error) { return r.Look(req, l, body) }
	}
	token, i, err := One(optional, looks...)
	if err != nil || i < 0 {
		return "", "", err
	}
	return token, r.Locations[i], nil
}

// Validate reports the first thing that keeps every token from being found.
func (r Route) Validate() error {
	switch {
	case !IsToken(r.Header), !IsToken(r.Cookie), r.Field == "":
		return Error("a header, cookie, body member or query parameter has no valid name")
	case !IsScheme(r.Scheme), !IsScheme(r.Prefix):
		return Error("a scheme before the token has a space or other separator in it")
	case len(r.Subprotocols) > 0 && !r.IsWebSocket:
		return Error("subprotocols are only supported for WebSocket connections")
	case r.TokenMessages != nil && !r.IsWebSocket:
		return Error("tokens in messages are only supported for WebSocket connections")
	case r.Login && !r.IsWebSocket:
		return Error("a later login is only supported for WebSocket connections")
	case len(r.Locations) == 0:
		return Error("no token location is given")
	}
	for _, protocol := range r.Subprotocols {
		if !IsToken(protocol) || protocol == Marker {
			return Error(fmt.Sprintf("%.64q is not a subprotocol of an application", protocol))
		}
	}
	for i, l := range r.Locations {
		if slices.Contains(r.Locations[:i], l) {
			return Error(fmt.Sprintf("token location %.32q is given twice", l))
		}
		if broken := r.rule(l); broken != "" {
			return Error(broken)
		}
	}
	if r.Field == r.Ticket && slices.Contains(r.Locations, InQuery) && slices.Contains(r.Locations, InTicket) {
		return Error(fmt.Sprintf("%.64q would be the query parameter of both token and ticket", r.Ticket))
	}
	return nil
}

// rule says why the route cannot have a location; it is empty for one that it can have.
func (r Route) rule(location string) string {
	switch {
	case r.IsWebSocket:
		return HandshakeLocation(location)
	case r.IsStream:
		return StreamLocation(location)
	}
	return RequestLocation(location)
}

// Error returns the error for a route that can find no token.
func Error(message string) error {
	return &paseto.Error{Code: paseto.ErrLocation, Message: message}
}

// RequestLocation says why l is no location of requests; it is empty for one
// that is.
func RequestLocation(l string) string {
	known := []string{InHeader, InCookie, InJSON}
	switch {
	case slices.Contains(known, l):
		return ""
	case HandshakeLocation(l) == "":
		return l + " token location is only supported for WebSocket connections"
	}
	return unknown(l, known)
}

// StreamLocation says why l is no location of streams; it is empty for one that is.
func StreamLocation(l string) string {
	if broken := RequestLocation(l); broken != "" || l != InJSON {
		return broken
	}
	return l + " token location is not supported for streams"
}

// HandshakeLocation says why l is no location of handshakes; it is empty for one
// that is.
func HandshakeLocation(l string) string {
	known := []string{InHeader, InQuery, InCookie, InSubprotocol, InTicket, InMessage}
	switch {
	case slices.Contains(known, l):
		return ""
	case l == InJSON:
		return l + " token location is not supported for WebSocket connections"
	}
	return unknown(l, known)
}

func unknown(l string, known []string) string {
	return fmt.Sprintf("unknown token location %.32q; expected one of %s", l, strings.Join(known, ", "))
}
