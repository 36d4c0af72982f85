package httpauth

import (
	"context"
	"errors"
	"net/http"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

// Logout returns the endpoint that ends a login session: POST, answered with
// 204. It takes the session's access or refresh token, in the configured
// locations, or the refresh token in the member refresh_token of a JSON or form
// body, revokes all tokens of the session, and deletes the cookies. Of the
// two cookies the refresh token's counts, since it is valid for longer. Cookies
// are deleted whatever becomes of the token, unless the denylist fails: then
// the client should try again.
//
// An Authorizer without a denylist cannot revoke: Logout then only deletes the
// cookies, and the tokens stay valid until they expire. Where there are no
// cookies either, it answers 501, for nothing would have happened. Tokens of a
// type that the denylist is not asked for stay valid as well.
func (w *Web) Logout() http.Handler { return w.logout(w.revokeSession) }

// LogoutEverywhere returns the endpoint that ends all login sessions of a
// subject, on every device: POST, answered with 204. It is [Web.Logout] but for
// what it revokes: see [paseto.Authorizer.RevokeSubject]. Who logs in again within
// the same second is logged out as well. A token without a subject ends its
// session alone.
//
// Any valid token of the subject will do, fresh or not: who has stolen one can
// log its owner out, and its owner the thief.
func (w *Web) LogoutEverywhere() http.Handler { return w.logout(w.revokeSubject) }

// logout returns the endpoint that revokes what the claims of the request's
// token stand for.
func (w *Web) logout(revoke func(context.Context, *paseto.Claims) error) http.Handler {
	return w.post(func(rw http.ResponseWriter, r *http.Request) {
		cookies := w.cfg.usesCookies()
		if !w.auth.CanRevoke() && !cookies {
			w.refuse(rw, r, errNoLogout)
			return
		}
		// Cookies are neither trusted nor touched for another origin's page;
		// it may still end the session of a token that it holds itself.
		foreign := w.checkOrigin(r, Cookie)
		err := w.revoke(rw, r, foreign, revoke)
		if cookies && foreign == nil && (err == nil || Status(err) < http.StatusInternalServerError) {
			w.clearCookies(rw)
		}
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		rw.Header().Set("Cache-Control", "no-store")
		rw.WriteHeader(http.StatusNoContent)
	})
}

// findLogout returns the token whose session is to end.
func (w *Web) findLogout(rw http.ResponseWriter, r *http.Request) (credential, error) {
	in := w.route
	if w.cfg.usesCookies() {
		refresh, err := locate.Cookie(r.Header, w.cfg.RefreshCookieName())
		if err != nil {
			return credential{}, err
		}
		if refresh != "" {
			in.Cookie = w.cfg.RefreshCookieName()
		}
	}
	found, err := w.find(rw, r, in, false)
	if err != nil {
		return credential{}, err
	}
	inBody, err := w.refreshInBody(rw, r)
	switch {
	case err != nil:
		return credential{}, err
	case inBody == "":
		return found, nil
	case found.token != "":
		return credential{}, paseto.ErrAmbiguousCredential
	}
	return credential{token: inBody, location: JSON}, nil
}

// revoke revokes what the request's access or refresh token stands for. Foreign
// is why a cookie does not count, if so.
func (w *Web) revoke(rw http.ResponseWriter, r *http.Request, foreign error,
	revoke func(context.Context, *paseto.Claims) error,
) error {
	found, err := w.findLogout(rw, r)
	if err != nil {
		return err
	}
	if found.location == Cookie && foreign != nil {
		return foreign
	}
	ctx := r.Context()
	req := w.requirement(r, found.token)
	claims, err := w.auth.Verify(ctx, found.token, req)
	if errors.Is(err, paseto.ErrType) {
		req.Type = paseto.TypeRefresh
		claims, err = w.auth.Verify(ctx, found.token, req)
	}
	if err != nil || !w.auth.CanRevoke() {
		return err
	}
	err = revoke(ctx, claims)
	if errors.Is(err, denylist.ErrInvalid) { // a name that the store cannot hold
		return &paseto.Error{Code: paseto.ErrClaims.Code, Message: paseto.ErrClaims.Message, Cause: err}
	}
	return err
}

// revokeSession revokes the session of a token, or the token alone that belongs
// to none.
func (w *Web) revokeSession(ctx context.Context, c *paseto.Claims) error {
	if c.Session == "" {
		return w.auth.Revoke(ctx, c)
	}
	return w.auth.RevokeSession(ctx, c.Session)
}

// revokeSubject ends every login of a token's subject until now, and that of the
// token in any case, although the clock that it was made by may be ahead.
func (w *Web) revokeSubject(ctx context.Context, c *paseto.Claims) error {
	if c.Subject == "" {
		return w.revokeSession(ctx, c)
	}
	until := w.auth.Now()
	if c.IssuedAt.After(until) {
		until = c.IssuedAt
	}
	err := w.auth.RevokeSubject(ctx, c.Subject, until)
	if !c.AuthTime.IsZero() {
		// All tokens of the session say so and are covered. A record of the
		// session would add one to the denylist with every login.
		return err
	}
	return errors.Join(err, w.revokeSession(ctx, c))
}
