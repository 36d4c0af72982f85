package httpauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// maxLogoutCookies is how many access and refresh cookies one logout looks at. Browsers
// send several of a name where the cookies' path or domain has changed.
const maxLogoutCookies = 16

// Logout returns the endpoint that ends login sessions: POST, answered with 204. That
// status means that every credential of the request is dead. It takes access and
// refresh tokens in the configured locations and, as [Web.Refresh] does, in the header
// and in the member refresh_token of a JSON or form body; all that come, repeated cookies included,
// count. It revokes the session of each that is valid, and deletes the cookies in
// every scope that is or was configured, see [CookieConfig.Former]. Where no token is
// valid, it answers as a guarded route does, as where one may be valid later or at another
// service. A header, parameter or member that is malformed or given twice, and more than
// 16 cookies, are refused with 400.
//
// Cookies are deleted whatever becomes of the tokens, unless the denylist or the keys
// cannot be asked: then the client should try again. For a page of another origin they
// are neither trusted nor touched. A 204 to such a page speaks of the tokens that the
// page itself has sent, and says nothing about the visitor's cookies.
//
// What a server cannot promise it answers with 501, and the code of
// [paseto.ErrRevocation]: see [paseto.Authorizer.Revocable]. It has then revoked what it
// can, and deleted the cookies; the message says what stays valid. If that can
// happen, a warning is logged here.
func (w *Web) Logout() http.Handler { return w.logout("logout", w.revokeSession) }

// LogoutEverywhere returns the endpoint that ends all login sessions of a
// subject, on every device: POST, answered with 204. It is [Web.Logout] but for
// what it revokes: see [paseto.Authorizer.RevokeSubject]. Who logs in again within
// the same second is logged out as well. A token without a subject ends its
// session alone. Where the request has tokens of several subjects, all of these are
// logged out.
//
// Any valid token of the subject will do, fresh or not: who has stolen one can
// log its owner out, and its owner the thief.
func (w *Web) LogoutEverywhere() http.Handler {
	return w.logout("logout everywhere", w.revokeSubject)
}

// logout returns the endpoint that revokes what the claims of the request's
// tokens stand for.
func (w *Web) logout(name string, revoke func(context.Context, *paseto.Claims) error) http.Handler {
	for _, t := range []string{paseto.TypeAccess, paseto.TypeRefresh} {
		if err := w.auth.Revocable(&paseto.Claims{Type: t}); err != nil {
			w.log.Warn("endpoint answers 501 to tokens that it cannot revoke for good", "endpoint", name, "type", t, "err", err)
		}
	}
	return w.post(func(rw http.ResponseWriter, r *http.Request) {
		foreign := w.checkOrigin(r, LocationCookie)
		err := w.endAll(rw, r, foreign, revoke)
		if w.cfg.usesCookies() && foreign == nil && !mayLive(err) {
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

// mayLive reports whether err leaves open what became of a token, so that the client
// should keep it and try again.
func mayLive(err error) bool {
	return err != nil && Status(err) >= http.StatusInternalServerError && !errors.Is(err, paseto.ErrRevocation)
}

// presented is a token of a request, or why what should carry it has none.
type presented struct {
	token string
	err   error
}

// findLogout returns all that the request presents, at least one. Foreign is why
// cookies do not count, if so.
func (w *Web) findLogout(rw http.ResponseWriter, r *http.Request, foreign error) ([]presented, error) {
	var looks []func() (string, error)
	look := func(location string) {
		looks = append(looks, func() (string, error) { return w.route.Look(r, location, w.jsonBody(rw, r)) })
	}
	for _, l := range w.route.Locations {
		if l != locate.InCookie {
			look(l)
		}
	}
	if !slices.Contains(w.route.Locations, locate.InHeader) { // refresh takes a token there all the same
		look(locate.InHeader)
	}
	looks = append(looks, func() (string, error) { return w.refreshInBody(rw, r) })
	tokens, err := locate.All(looks...)
	if err != nil && !locate.IsOtherScheme(err) {
		return nil, err
	}
	var all []presented
	for _, token := range tokens {
		if token != "" {
			all = append(all, presented{token: token})
		}
	}
	cookies := w.presentedCookies(r)
	switch {
	case foreign == nil && len(cookies) > maxLogoutCookies:
		return nil, refusal.New(paseto.ErrAmbiguousCredential)
	case foreign == nil:
		all = append(all, cookies...)
	case len(cookies) > 0 && len(all) == 0:
		return nil, foreign
	}
	if len(all) == 0 {
		return nil, cmp.Or(err, error(refusal.New(paseto.ErrNoToken)))
	}
	return all, nil
}

// presentedCookies returns what the cookies of both names present, those of the refresh
// token first.
func (w *Web) presentedCookies(r *http.Request) (all []presented) {
	if !w.cfg.usesCookies() {
		return nil
	}
	for _, name := range []string{w.cfg.refreshCookie(), w.cfg.accessCookie()} {
		for token, err := range locate.Cookies(r.Header, name) {
			all = append(all, presented{token, err})
		}
	}
	return all
}

// fate is what becomes of a token at a logout; the greatest one decides on the answer.
type fate int

const (
	dead    fate = iota // it is not valid here
	ended               // now
	alive               // it is valid somewhere, or will be
	unknown             // the client should try again
)

// endAll revokes what the tokens of a request stand for. Its error is nil only if all of
// them are dead now, and one was alive before.
func (w *Web) endAll(rw http.ResponseWriter, r *http.Request, foreign error,
	revoke func(context.Context, *paseto.Claims) error,
) error {
	if !w.auth.CanRevoke() {
		return w.auth.Revocable(nil)
	}
	all, err := w.findLogout(rw, r, foreign)
	if err != nil {
		return err
	}
	var worst fate
	for i, p := range all {
		f, why := w.end(r, p, revoke)
		if i == 0 || f > worst {
			worst, err = f, why
		}
	}
	return err
}

// elsewhere are the refusals of tokens that are authentic and have not expired.
var elsewhere = []error{
	paseto.ErrType, paseto.ErrNotYetValid, paseto.ErrNoIssuer, paseto.ErrIssuer, paseto.ErrAudience,
}

// end revokes what one token stands for. The tokens of a session that was revoked before
// are dead, so that none is revoked twice.
func (w *Web) end(r *http.Request, p presented, revoke func(context.Context, *paseto.Claims) error) (fate, error) {
	if p.err != nil {
		return dead, p.err
	}
	ctx, req := r.Context(), w.requirement(r, p.token)
	claims, err := w.auth.Verify(ctx, p.token, req)
	if errors.Is(err, paseto.ErrType) {
		req.Type = paseto.TypeRefresh
		claims, err = w.auth.Verify(ctx, p.token, req)
	}
	switch {
	case mayLive(err):
		return unknown, err
	case slices.ContainsFunc(elsewhere, func(e error) bool { return errors.Is(err, e) }):
		return alive, err
	case err != nil:
		return dead, err
	}
	err = revoke(ctx, claims)
	switch {
	case errors.Is(err, denylist.ErrInvalid), errors.Is(err, paseto.ErrClaims): // no name, or one that the store cannot hold
		return alive, &paseto.Error{
			Code: paseto.ErrRevocation, Message: "This token cannot be revoked. It is valid until it expires", Cause: err,
		}
	case mayLive(err):
		return unknown, err
	case err != nil:
		return alive, err
	}
	if err := w.auth.Revocable(claims); err != nil {
		return alive, err
	}
	return ended, nil
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
	if !c.AuthTime.IsZero() && errors.Is(w.auth.Revoked(ctx, c), paseto.ErrRevoked) {
		// All tokens of the session say so and are covered, unless a later cut-off
		// excepts it. A record of the session would add one to the denylist with every
		// login.
		return err
	}
	return errors.Join(err, w.revokeSession(ctx, c))
}
