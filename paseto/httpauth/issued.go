package httpauth

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
)

// WithImplicit binds the tokens of the endpoints to an implicit assertion: Login
// issues with what implicit returns for its request, and Refresh, Logout,
// LogoutEverywhere and Ticket open with what it returns for theirs. It must return
// the same bytes for all requests of one client, for example a constant or the
// name of a tenant. Guarded routes say it themselves, in
// [paseto.Requirement.Implicit]. It must be safe for concurrent use. Default, and
// with nil: there is no implicit assertion.
func WithImplicit(implicit func(*http.Request) []byte) Option {
	return func(w *Web) { w.implicit = implicit }
}

// requirement returns what the endpoints ask of a token: no more than what Login
// has issued it with. A token says itself whether it is wrapped in base64.
func (w *Web) requirement(r *http.Request, token string) paseto.Requirement {
	req := paseto.Requirement{Base64: isWrapped(token)}
	if w.implicit != nil {
		req.Implicit = w.implicit(r)
	}
	return req
}

// isWrapped reports whether a token can only be one that is wrapped in base64: it
// begins with what v and a digit become, and has no dot.
func isWrapped(token string) bool {
	return strings.HasPrefix(token, "dj") && !strings.Contains(token, ".")
}

// complete returns the grant of a login with what the endpoints open tokens with.
func (w *Web) complete(r *http.Request, g paseto.Grant) (paseto.Grant, error) {
	implicit := w.requirement(r, "").Implicit
	switch {
	case g.Implicit == nil:
		g.Implicit = implicit
	case w.implicit == nil && len(g.Implicit) > 0:
		return g, errors.New("httpauth: the login function returned a Grant with Implicit, and no other endpoint could open its tokens; " +
			"give httpauth.New (or config.Open) the option WithImplicit, and leave Implicit out of the Grant")
	case !bytes.Equal(g.Implicit, implicit):
		return g, errors.New("httpauth: the login function returned a Grant with another Implicit than the function of WithImplicit " +
			"for the same request, and no other endpoint could open its tokens; leave Implicit out of the Grant")
	}
	return g, nil
}

// SendPair answers a request with a pair of tokens as [Web.Login] does: in the
// body, and with [LocationCookie] among the locations as cookies too, or in cookies alone
// where that is the only location. It is for handlers that issue pairs
// themselves, such as one that changes a password; see
// [paseto.Authorizer.ReplaceSessions].
//
// A pair that Refresh, Logout and Ticket would refuse is not sent: the answer has
// status 500, and the log says why. It must have been issued with the implicit
// assertion of [WithImplicit], if there is one. Where there are cookies, an unsafe
// request, such as POST, of another origin's page is answered with status 403 and gets no
// token. One by GET is not looked at: a page of another origin can make browsers send it.
func (w *Web) SendPair(rw http.ResponseWriter, r *http.Request, pair paseto.Pair) {
	err := w.checkPair(r, pair)
	asCookies := w.cfg.usesCookies()
	if err == nil && asCookies {
		err = w.checkOrigin(r, LocationCookie)
	}
	if err == nil {
		onlyCookies := asCookies && len(w.cfg.Locations) == 1
		err = w.sendTokens(rw, pair, !onlyCookies, asCookies)
	}
	if err != nil {
		w.refuse(rw, r, err)
	}
}

// checkPair reports why the endpoints would not serve a pair. That is a fault of the
// program, whatever the reason.
func (w *Web) checkPair(r *http.Request, pair paseto.Pair) error {
	req := w.requirement(r, pair.Access.Token.Reveal())
	if err := w.auth.CheckPair(r.Context(), pair, req); err != nil {
		return fmt.Errorf("httpauth: the tokens are not sent, because refresh, logout and tickets would refuse them; "+
			"mend the Grant or the configuration: %s", err.Error()) // which must not become the answer
	}
	return nil
}
