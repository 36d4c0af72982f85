package httpauth

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// Require returns a handler that lets a request through to next only with a
// token that meets req, and refuses all others. Next finds the claims with
// [paseto.FromContext]; an anonymous caller of an optional route has none.
//
// A requirement that no token can meet, or an option that is for handshakes alone,
// is logged here, and every request is then refused with status 500.
func (w *Web) Require(req paseto.Requirement, next http.Handler, opts ...RouteOption) http.Handler {
	return w.Middleware(req, opts...)(next)
}

// Middleware is [Web.Require] in the form that routers take.
func (w *Web) Middleware(req paseto.Requirement, opts ...RouteOption) func(http.Handler) http.Handler {
	in := w.routeFor(req, opts...)
	broken := check(in, req)
	if broken != nil {
		w.log.Error("route refuses every request", "err", broken)
	}
	return func(next http.Handler) http.Handler {
		broken := broken
		if isNil(next) {
			broken = errNoHandler
			w.log.Error("route refuses every request", "err", broken)
		}
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if broken != nil {
				w.refuse(rw, r, broken)
				return
			}
			claims, err := w.authenticate(rw, r, req, in)
			if err != nil {
				w.refuseWith(rw, r, err, Challenge{Scheme: in.Scheme, Realm: w.cfg.Realm, Scopes: req.Scopes})
				return
			}
			next.ServeHTTP(rw, r.WithContext(paseto.NewContext(r.Context(), claims)))
		})
	}
}

// Authenticate returns the claims of a request that meets req: nil for an
// anonymous caller of an optional route. It is what [Web.Require] does before
// the handler runs, for programs that answer refusals themselves; see [Refuse].
// Where it looks for a JSON member it reads the body and, unless that is too
// large, puts it back.
func (w *Web) Authenticate(r *http.Request, req paseto.Requirement, opts ...RouteOption) (*paseto.Claims, error) {
	in := w.routeFor(req, opts...)
	if err := check(in, req); err != nil {
		return nil, err
	}
	return w.authenticate(nil, r, req, in)
}

func (w *Web) authenticate(rw http.ResponseWriter, r *http.Request, req paseto.Requirement, in locate.Route) (*paseto.Claims, error) {
	found, err := w.findTrusted(rw, r, in, req.Optional)
	if err != nil {
		return nil, err
	}
	return w.auth.Verify(r.Context(), found.token, req)
}

// findTrusted is find for a token that counts only if the request is not another
// origin's.
func (w *Web) findTrusted(rw http.ResponseWriter, r *http.Request, in locate.Route, optional bool) (credential, error) {
	found, err := w.find(rw, r, in, optional)
	if err == nil {
		err = w.checkOrigin(r, found.location)
	}
	return found, err
}

// checkOrigin refuses what another origin's page could have had the browser send: an
// unsafe request whose authority is a cookie, or a handshake. Browsers keep such a page from
// reading an answer, and not from talking over a WebSocket. They say with Sec-Fetch-Site
// whether the page is of the server's own origin; of those that do not, Origin tells. A
// request with neither comes from no browser. This is what [http.CrossOriginProtection] does,
// whose comparison of origins minds default ports and the case of letters.
func (w *Web) checkOrigin(r *http.Request, l Location) error {
	safe := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method) && r.Header.Get("Upgrade") == ""
	if l != LocationCookie || safe {
		return nil
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "same-origin" || site == "none" {
		return nil
	}
	page, err := origin.Of(r)
	switch {
	case site == "" && errors.Is(err, origin.ErrNone):
		return nil
	case err == nil && (site == "" && page.IsOf(r, w.cfg.PublicScheme) || w.origins.Match(page)):
		return nil
	case err == nil:
		err = fmt.Errorf("origin %q, host %q, Sec-Fetch-Site %q", clientlog.Cut(page.String()), clientlog.Cut(r.Host), clientlog.Cut(site))
	}
	return refusal.Newf(ErrCrossOrigin, "%w", err)
}
