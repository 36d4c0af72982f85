package wsauth

import (
	"net/http"

	"github.com/pasetokit/pasetokit/internal/messages"
	"github.com/pasetokit/pasetokit/paseto"
)

func init() {
	messages.Add(clientMessages)
	messages.AddStatuses(map[paseto.Code]int{
		errUpgrade:   http.StatusUpgradeRequired,
		errHandshake: http.StatusBadRequest,
		ErrOrigin:    http.StatusForbidden,
		ErrThrottled: http.StatusTooManyRequests,
	})
}

// clientMessages is what a client is told for each code, unless the error has a message of its
// own.
var clientMessages = map[paseto.Code]string{
	ErrThrottled:    "Too many handshakes from this address",
	ErrNoMessage:    "No token came in time",
	ErrMessage:      `Bad message. Expected {"type":"auth","token":"<PASETO>"}`,
	ErrRate:         "Too many messages or bytes in a short time",
	ErrUnresponsive: "No answer to a ping",
	ErrPayload:      "Text message is not UTF-8",
	errUpgrade:      "Expected a WebSocket handshake",
	errHandshake:    "Bad WebSocket handshake",
	ErrOrigin:       "Origin not allowed",
}
