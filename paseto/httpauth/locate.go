package httpauth

import (
	"bytes"
	"cmp"
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

// usesCookies reports whether tokens are carried in cookies.
func (c Config) usesCookies() bool { return slices.Contains(c.Locations, LocationCookie) }

// route returns what holds for routes without options.
func (c Config) route() locate.Route {
	r := locate.Route{
		Header: c.HeaderName, Scheme: locate.Scheme(c.HeaderScheme),
		Cookie: c.accessCookie(), RefreshCookie: c.refreshCookie(),
		Field: c.JSONKey, Prefix: locate.Scheme(c.JSONPrefix),
	}
	locate.SetLocations(&r, c.Locations)
	return r
}

// routeFor returns what holds for a route with this requirement.
func (w *Web) routeFor(req paseto.Requirement, opts ...RouteOption) locate.Route {
	return locate.For(w.route, req, opts)
}

// check reports what makes a route one that nobody can enter.
func check(in locate.Route, req paseto.Requirement) error {
	return cmp.Or(in.Validate(), req.Validate())
}

// credential is the token of a request and where it was.
type credential struct {
	token    string
	location Location
}

// find returns the token that the request carries in the locations of the
// route, none if it carries none. It reads and replaces the body where it has
// to look there.
func (w *Web) find(rw http.ResponseWriter, r *http.Request, in locate.Route, optional bool) (credential, error) {
	token, location, err := in.Find(r, optional, w.jsonBody(rw, r))
	return credential{token, Location(location)}, err
}

// jsonBody returns what reads the body of a request if that says it is JSON.
func (w *Web) jsonBody(rw http.ResponseWriter, r *http.Request) func() ([]byte, error) {
	return func() ([]byte, error) {
		if mediaType(r) != "application/json" {
			return nil, nil
		}
		return w.body(rw, r)
	}
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
