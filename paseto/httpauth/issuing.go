package httpauth

import (
	"errors"
	"net/http"
	"slices"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// issuing returns an endpoint that issues tokens: it answers POST requests alone, and
// with the refusal unable while the Authorizer cannot issue.
func (w *Web) issuing(name string, unable paseto.Code, endpoint func(http.ResponseWriter, *http.Request)) http.Handler {
	cannot := func() error {
		switch {
		case !slices.ContainsFunc(w.auth.Keys(), paseto.Key.CanIssue):
			return errors.New("no key can issue tokens: send clients to the service that issues them, " +
				"or add a secret key (public) or a local key")
		case unable == errNoTickets && !w.auth.CanRevoke():
			return paseto.ErrNoDenylist
		}
		return nil
	}
	if err := cannot(); err != nil {
		w.log.Warn("endpoint answers 501", "endpoint", name, "err", err)
	}
	return w.post(func(rw http.ResponseWriter, r *http.Request) {
		if err := cannot(); err != nil { // keys may have been replaced
			w.refuse(rw, r, refusal.Newf(unable, "%w", err))
			return
		}
		endpoint(rw, r)
	})
}

// ifUnable returns the refusal unable instead of an error of issuing that says that no
// key is for the version and purpose.
func ifUnable(unable paseto.Code, err error) error {
	if errors.Is(err, paseto.ErrConfig) {
		return refusal.Newf(unable, "%w", err)
	}
	return err
}
