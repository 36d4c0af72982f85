package httpauth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// RouteOption makes one route differ from the configuration.
type RouteOption func(*route)

// In sets the locations that the route's token may be in.
func In(locations ...Location) RouteOption {
	return func(r *route) { r.Locations = locations }
}

// Key sets the name of the header, cookie or body member that carries the
// token, in every location of the route. A cookie's name is taken as it is,
// without a prefix.
func Key(name string) RouteOption {
	return func(r *route) { r.SetKey(name) }
}

// Prefix sets the scheme that stands before the token in a header or body
// member of the route; [NoScheme] for none.
func Prefix(prefix string) RouteOption {
	return func(r *route) { r.SetPrefix(prefix) }
}

// route is where one route looks for its token.
type route = locate.Route[Location]

// route returns what holds for routes without options.
func (c Config) route() route {
	return route{
		Locations: c.Locations,
		Header:    c.HeaderName, Scheme: locate.Scheme(c.HeaderScheme),
		Cookie: c.AccessCookieName(),
		Field:  c.JSONKey, Prefix: locate.Scheme(c.JSONPrefix),
	}
}

// routeFor returns what holds for a route with this requirement: where a
// refresh token is asked for, the cookie is the refresh token's.
func (w *Web) routeFor(req paseto.Requirement, opts []RouteOption) route {
	r := w.route
	if req.Type == paseto.TypeRefresh {
		r.Cookie = w.cfg.RefreshCookieName()
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&r)
		}
	}
	return r
}

// check reports what makes a route one that nobody can enter.
func check(in route, req paseto.Requirement) error {
	if err := in.Validate(locate.RequestLocation); err != nil {
		return err
	}
	return req.Validate()
}

// credential is the token of a request and where it was.
type credential struct {
	token    string
	location Location
}

// find returns the token that the request carries in the locations of the
// route, none if it carries none. It reads and replaces the body where it has
// to look there.
func (w *Web) find(rw http.ResponseWriter, r *http.Request, in route, optional bool) (credential, error) {
	looks := make([]func() (string, error), len(in.Locations))
	for i, l := range in.Locations {
		looks[i] = w.look(rw, r, in, l)
	}
	token, i, err := locate.One(optional, looks...)
	if err != nil || i < 0 {
		return credential{}, err
	}
	return credential{token: token, location: in.Locations[i]}, nil
}

// look returns what finds the token in one of the locations.
func (w *Web) look(rw http.ResponseWriter, r *http.Request, in route, l Location) func() (string, error) {
	return func() (string, error) {
		switch l {
		case Header:
			return locate.Header(r.Header, in.Header, in.Scheme)
		case Cookie:
			return locate.Cookie(r.Header, in.Cookie)
		default:
			return w.inJSON(rw, r, in)
		}
	}
}

func (w *Web) inJSON(rw http.ResponseWriter, r *http.Request, in route) (string, error) {
	if mediaType(r) != "application/json" {
		return "", nil
	}
	body, err := w.body(rw, r)
	if err != nil || len(body) == 0 {
		return "", err
	}
	return locate.Member(body, in.Field, in.Prefix)
}

// body reads the body up to the configured size and puts it back.
func (w *Web) body(rw http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, w.cfg.MaxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &paseto.Error{
			Code:    errBodyTooLarge,
			Message: fmt.Sprintf("Request body is larger than %d bytes", w.cfg.MaxBody),
		}
	}
	if err != nil {
		return nil, refusal.Newf(errBody, "%w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// mediaType returns the media type of the body without its parameters, and
// application/json for every type with the suffix +json.
func mediaType(r *http.Request) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	if strings.HasSuffix(media, "+json") {
		return "application/json"
	}
	return media
}

// usesCookies reports whether tokens are carried in cookies.
func (c Config) usesCookies() bool { return slices.Contains(c.Locations, Cookie) }
