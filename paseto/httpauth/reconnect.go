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
	// ReconnectNow: connect again with the same token, after a short random
	// delay.
	ReconnectNow Reconnect = "now"
	// ReconnectLater: connect again with the same token, after seconds at
	// least, and more with every failure.
	ReconnectLater Reconnect = "later"
	// ReconnectRefreshed: refresh the token first; where that is refused, log
	// in.
	ReconnectRefreshed Reconnect = "refreshed"
	// ReconnectNever: the same would happen again, or the end was wanted.
	ReconnectNever Reconnect = "never"
)

// ReconnectAfter returns what a client should do after an end for cause.
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
