package httpauth

import (
	"net/http"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// refreshField is the body member that carries a refresh token (RFC 6749,
// section 6).
const refreshField = "refresh_token"

// Refresh returns the endpoint that exchanges a refresh token for a new pair:
// POST, answered with [Tokens]. The token comes in the header that access
// tokens come in, in the member refresh_token of a JSON or form body, or, with
// [LocationCookie] among the locations, in its cookie: in exactly one of them. A
// token that came as a cookie is answered with cookies and not in the body, so
// that a page's scripts never see it.
func (w *Web) Refresh() http.Handler {
	return w.issuing("refresh", errNoIssuing, func(rw http.ResponseWriter, r *http.Request) {
		found, err := w.findRefresh(rw, r)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		if err := w.checkOrigin(r, found.location); err != nil {
			w.refuse(rw, r, err)
			return
		}
		pair, err := w.auth.Refresh(r.Context(), found.token, w.requirement(r, found.token))
		if err != nil {
			w.refuse(rw, r, ifUnable(errNoIssuing, err))
			return
		}
		byCookie := found.location == LocationCookie
		if err := w.sendTokens(rw, pair, !byCookie, byCookie); err != nil { // the client's token was as large
			w.refuse(rw, r, refusal.Newf(paseto.ErrClaims, "%w", err))
		}
	})
}

// findRefresh returns the refresh token that a request carries.
func (w *Web) findRefresh(rw http.ResponseWriter, r *http.Request) (credential, error) {
	in := w.routeFor(paseto.Requirement{Type: paseto.TypeRefresh})
	locations := []Location{LocationHeader, LocationJSON, LocationCookie}
	token, i, err := locate.One(false,
		func() (string, error) { return in.Look(r, locate.InHeader, nil) },
		func() (string, error) { return w.refreshInBody(rw, r) },
		func() (string, error) {
			if !w.cfg.usesCookies() {
				return "", nil
			}
			return in.Look(r, locate.InCookie, nil)
		},
	)
	if err != nil || i < 0 {
		return credential{}, err
	}
	return credential{token: token, location: locations[i]}, nil
}

// refreshInBody returns the refresh token in a JSON or form body.
func (w *Web) refreshInBody(rw http.ResponseWriter, r *http.Request) (string, error) {
	body, err := w.body(rw, r)
	if err != nil || len(body) == 0 {
		return "", err
	}
	switch mediaType(r) {
	case "application/json":
		return locate.Member(body, refreshField, "")
	case "application/x-www-form-urlencoded":
		if isObject(body) {
			return "", errJSONAsForm
		}
		return locate.Form(body, refreshField)
	}
	return "", refusal.New(errMedia)
}
