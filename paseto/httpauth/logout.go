package httpauth

import (
	"errors"
	"net/http"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

// Logout returns the endpoint that ends a login session: POST, answered with
// 204. It takes the session's access or refresh token, in the configured
// locations, revokes both and all that came of them, and deletes the cookies.
// Of the two cookies the refresh token's counts, since it is valid for longer;
// cookies are deleted even if their token is no longer valid.
//
// An Authorizer without a denylist cannot revoke: Logout then only deletes the
// cookies, and the tokens stay valid until they expire. Where there are no
// cookies either, it answers 501, for nothing would have happened.
func (w *Web) Logout() http.Handler {
	return w.post(func(rw http.ResponseWriter, r *http.Request) {
		if !w.auth.CanRevoke() && !w.cfg.uses(Cookie) {
			w.refuse(rw, r, errNoLogout)
			return
		}
		found, err := w.findLogout(rw, r)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		if err := w.checkOrigin(r, found.location); err != nil {
			w.refuse(rw, r, err)
			return
		}
		err = w.endSession(r, found.token)
		if err != nil && !errors.Is(err, paseto.ErrNoDenylist) {
			if Status(err) == http.StatusUnauthorized && found.location == Cookie {
				w.clearCookies(rw)
			}
			w.refuse(rw, r, err)
			return
		}
		if w.cfg.uses(Cookie) {
			w.clearCookies(rw)
		}
		rw.Header().Set("Cache-Control", "no-store")
		rw.WriteHeader(http.StatusNoContent)
	})
}

// findLogout returns the token whose session is to end.
func (w *Web) findLogout(rw http.ResponseWriter, r *http.Request) (credential, error) {
	in := w.route
	if w.cfg.uses(Cookie) {
		refresh, err := locate.Cookie(r.Header, w.cfg.RefreshCookieName())
		if err != nil {
			return credential{}, err
		}
		if refresh != "" {
			in.cookie = w.cfg.RefreshCookieName()
		}
	}
	return w.find(rw, r, in)
}

// endSession verifies an access or refresh token and revokes its session; a
// token that belongs to none is revoked alone.
func (w *Web) endSession(r *http.Request, token string) error {
	ctx := r.Context()
	claims, err := w.auth.Verify(ctx, token, paseto.Requirement{})
	if errors.Is(err, paseto.ErrType) {
		claims, err = w.auth.Verify(ctx, token, paseto.Requirement{Type: paseto.TypeRefresh})
	}
	if err != nil {
		return err
	}
	if claims.Session == "" {
		return w.auth.Revoke(ctx, claims)
	}
	return w.auth.RevokeSession(ctx, claims.Session)
}
