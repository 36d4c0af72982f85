package httpauth

import (
	"github.com/pasetokit/pasetokit/internal/messages"
	"github.com/pasetokit/pasetokit/paseto"
)

func init() { messages.Add(clientMessages) }

// clientMessages is what a client is shown for each code, unless the case has a
// message of its own.
var clientMessages = map[paseto.Code]string{
	ErrCredentials:  "Bad username or password",
	ErrCrossOrigin:  "Cross-origin request refused",
	ErrServer:       "The server could not answer the request",
	errBody:         "Request body cannot be read",
	errBodyTooLarge: "Request body is too large",
	errMedia:        "Expected a body of type application/json or application/x-www-form-urlencoded",
	errMethod:       "Expected method POST",
	errGuesses:      "Too many failed logins. Try again later",
	errBusy:         "Too many logins at once. Try again soon",
	errTickets:      "Too many tickets",
	errNoIssuing:    "This server only verifies tokens. Go to the one that issues them",
	errNoTickets:    "This server cannot issue tickets",
}
