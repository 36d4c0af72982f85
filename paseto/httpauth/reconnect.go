package httpauth

import (
	"errors"
	"net/http"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Reconnect says what a client should do once what its token kept open has ended.
type Reconnect string

const (
	// ReconnectNow: connect again with the same token, after a short random delay.
	ReconnectNow Reconnect = "now"
	// ReconnectLater: connect again with the same token, after some seconds, and later after
	// every failure.
	ReconnectLater Reconnect = "later"
	// ReconnectRefreshed: refresh the token first; log in if that is refused.
	ReconnectRefreshed Reconnect = "refreshed"
	// ReconnectNever: do not connect again. The same would happen, or the end was wanted.
	ReconnectNever Reconnect = "never"
)

// ReconnectAfter returns what a client should do after an end with this cause.
func ReconnectAfter(cause error) Reconnect {
	switch status := Status(cause); {
	case errors.Is(cause, live.ErrShutdown), errors.Is(cause, live.ErrLifetime):
		return ReconnectNow
	case errors.Is(cause, live.ErrClosed), errors.Is(cause, paseto.ErrNotFresh), errors.Is(cause, paseto.ErrLocation):
		return ReconnectNever
	case errors.Is(cause, live.ErrOlder), status == http.StatusUnauthorized, status == http.StatusBadRequest:
		return ReconnectRefreshed
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= http.StatusInternalServerError:
		return ReconnectLater
	}
	return ReconnectNever
}
