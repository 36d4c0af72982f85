package wsauth

import (
	"github.com/pasetokit/pasetokit/internal/messages"
	"github.com/pasetokit/pasetokit/paseto"
)

func init() { messages.Add(clientMessages) }

// clientMessages is what a client is shown for each code, unless the case has a
// message of its own.
var clientMessages = map[paseto.Code]string{
	ErrShutdown:     "Server is shutting down",
	ErrOverload:     "Server has too many connections",
	ErrThrottled:    "Too many handshakes from this address",
	ErrTooMany:      "Too many connections of this subject",
	ErrReplaced:     "Replaced by a newer connection",
	ErrNoMessage:    "No token came in time",
	ErrMessage:      `Bad message. Expected {"type":"auth","token":"<PASETO>"}`,
	ErrOtherSubject: "Token is of another subject or session",
	ErrOlder:        "Token expires before the present one",
	ErrRenewals:     "Too many renewals",
	ErrRate:         "Too many messages or bytes in a short time",
	ErrLifetime:     "Connection has reached its maximum age",
	ErrUnresponsive: "No answer to a ping",
	ErrSlow:         "Peer reads too slowly",
	ErrPanic:        "Internal error",
	ErrPayload:      "Text message is not UTF-8",
	ErrClosed:       "Connection was closed by the application",
	errUpgrade:      "Expected a WebSocket handshake",
	errHandshake:    "Bad WebSocket handshake",
	ErrOrigin:       "Origin not allowed",
}
