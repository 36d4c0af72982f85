package wsauth

import (
	"fmt"
	"net/http"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/paseto"
)

// ErrOrigin: the page that opens the connection is of an origin that may not,
// or a client that authenticates by cookie does not say its origin.
var ErrOrigin = &paseto.Error{Code: "origin_forbidden", Message: "Origin not allowed"}

// ValidateOrigin reports what is wrong with an entry of
// [Config.AllowedOrigins].
func ValidateOrigin(s string) error {
	_, err := origin.ParsePattern(s)
	return err
}

// checkOrigin refuses a handshake whose Origin is neither the server's own nor
// listed. A missing Origin is not its concern.
func (g *Guard) checkOrigin(r *http.Request) error {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 {
		return originError("%d Origin headers", len(values))
	}
	o, err := origin.Parse(values[0])
	if err != nil {
		return originError("%w", err)
	}
	if o.IsOf(r) {
		return nil
	}
	for _, allowed := range g.origins {
		if allowed.Matches(o) {
			return nil
		}
	}
	return originError("origin %q, host %q", clientlog.Cut(values[0]), clientlog.Cut(r.Host))
}

func originError(format string, args ...any) error {
	return &paseto.Error{Code: ErrOrigin.Code, Message: ErrOrigin.Message, Cause: fmt.Errorf(format, args...)}
}
