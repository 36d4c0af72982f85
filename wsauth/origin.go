package wsauth

import (
	"errors"
	"net/http"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// ErrOrigin: the page that opens the connection is of an origin that is not allowed, or a
// client with its token in a cookie sends no Origin.
const ErrOrigin paseto.Code = "origin_forbidden"

// checkOrigin refuses a handshake whose Origin is neither the server's own nor listed. It
// allows a handshake without one.
func (g *Guard) checkOrigin(r *http.Request) error {
	o, err := origin.Of(r)
	switch {
	case errors.Is(err, origin.ErrNone):
		return nil
	case err != nil:
		return originError("%w", err)
	case o.IsOf(r, g.web.PublicScheme), g.origins.Match(o):
		return nil
	}
	return originError("origin %q, host %q", clientlog.Cut(o.String()), clientlog.Cut(r.Host))
}

// originOf returns the Origin of a handshake in the form of browsers, empty if there is none.
func originOf(r *http.Request) string {
	if o, err := origin.Of(r); err == nil {
		return o.String()
	}
	return r.Header.Get("Origin")
}

func originError(format string, args ...any) error {
	return refusal.Newf(ErrOrigin, format, args...)
}
