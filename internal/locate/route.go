package locate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
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

// Route says where one route looks for its token. L is the type of its
// package's locations.
type Route[L ~string] struct {
	Locations              []L
	Header, Scheme, Cookie string
	Field, Prefix          string // of a body member or query parameter
}

// SetKey names whatever carries the token, in every location but that of
// tickets.
func (r *Route[L]) SetKey(name string) { r.Header, r.Cookie, r.Field = name, name, name }

// SetPrefix sets the scheme before the token, in every location that has one.
func (r *Route[L]) SetPrefix(prefix string) { r.Scheme, r.Prefix = Scheme(prefix), Scheme(prefix) }

// Validate reports the first thing that keeps every token from being found.
// Rule is [RequestLocation] or [HandshakeLocation].
func (r Route[L]) Validate(rule func(string) string) *paseto.Error {
	switch {
	case !IsToken(r.Header), !IsToken(r.Cookie), r.Field == "":
		return Error("a header, cookie, body member or query parameter has no valid name")
	case !IsScheme(r.Scheme), !IsScheme(r.Prefix):
		return Error("a scheme before the token has a space or other separator in it")
	}
	return ValidateLocations(r.Locations, rule)
}

// ValidateLocations reports what is wrong with a list of locations.
func ValidateLocations[L ~string](locations []L, rule func(string) string) *paseto.Error {
	if len(locations) == 0 {
		return Error("no token location is given")
	}
	for i, l := range locations {
		if slices.Contains(locations[:i], l) {
			return Error(fmt.Sprintf("token location %.32q is given twice", string(l)))
		}
		if broken := rule(string(l)); broken != "" {
			return Error(broken)
		}
	}
	return nil
}

// Error returns the error for a route that can find no token.
func Error(message string) *paseto.Error {
	return &paseto.Error{Code: paseto.ErrLocation, Message: message}
}

// RequestLocation says why l is no location of requests; it is empty for one
// that is.
func RequestLocation(l string) string {
	known := []string{"header", "cookie", "json"}
	switch {
	case slices.Contains(known, l):
		return ""
	case l == "query", l == "subprotocol", l == "ticket", l == "message":
		return l + " token location is only supported for WebSocket connections"
	}
	return unknown(l, known)
}

// HandshakeLocation says why l is no location of handshakes; it is empty for one
// that is.
func HandshakeLocation(l string) string {
	known := []string{"header", "query", "cookie", "subprotocol", "ticket", "message"}
	switch {
	case slices.Contains(known, l):
		return ""
	case l == "json":
		return "json token location is not supported for WebSocket connections"
	}
	return unknown(l, known)
}

func unknown(l string, known []string) string {
	return fmt.Sprintf("unknown token location %.32q; expected one of %s", l, strings.Join(known, ", "))
}
