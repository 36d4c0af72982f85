package paseto

import "github.com/pasetokit/pasetokit/internal/messages"

func init() { messages.Add(clientMessages) }

// clientMessages is what a client is shown for each code, unless the case has a
// message of its own.
var clientMessages = map[Code]string{
	ErrNoToken:             "PASETO Authorization Token required",
	ErrMalformedCredential: "Bad Authorization header. Expected value 'Bearer <PASETO>'",
	ErrAmbiguousCredential: "More than one token was sent. Expected exactly one",
	ErrLocation:            "query token location is only supported for WebSocket connections",
	ErrMalformed:           "Invalid PASETO format",
	ErrVersion:             "Invalid PASETO version v9",
	ErrPurpose:             "Invalid PASETO purpose other",
	ErrBase64:              "Invalid base64 encoding",
	ErrDecrypt:             "Failed to decrypt.",
	ErrSignature:           "Failed to verify.",
	ErrClaims:              "Token claims are not valid",
	ErrExpired:             "Token expired.",
	ErrNoExpiry:            "Token is missing the 'exp' claim",
	ErrNotYetValid:         "Token is not valid yet",
	ErrNoIssuer:            "Token is missing the 'iss' claim",
	ErrIssuer:              "Token issuer is not valid",
	ErrAudience:            "aud verification failed.",
	ErrType:                "Access token required but refresh provided",
	ErrNotFresh:            "PASETO access token is not fresh",
	ErrScope:               "Token scope is not sufficient",
	ErrRevoked:             "Token has been revoked",
	ErrKeyWithdrawn:        "Token key is no longer in use",
	ErrReused:              "Refresh token has been used before",
	ErrRefreshes:           "Too many refreshes",
	ErrTicket:              "Ticket is not valid here",
	ErrTicketUsed:          "Ticket has been used",
	ErrForbidden:           "Access denied",
	ErrRevocation:          "This server cannot revoke tokens. They are valid until they expire",
	ErrKeysUnavailable:     "Token cannot be verified at the moment",
	ErrUnavailable:         "Token revocation cannot be checked at the moment",
}
