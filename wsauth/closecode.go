package wsauth

import "unicode/utf8"

// CloseCode is a WebSocket close code (RFC 6455, section 7.4).
type CloseCode int

// The registered close codes that a [Guard] uses.
const (
	// CloseNormal: the application's handler has returned.
	CloseNormal CloseCode = 1000
	// CloseGoingAway: the server shuts down, or the connection was open, or silent, for too
	// long.
	CloseGoingAway CloseCode = 1001
	// CloseProtocolError: the peer broke RFC 6455.
	CloseProtocolError CloseCode = 1002
	// CloseInvalidPayload: a text message was not UTF-8.
	CloseInvalidPayload CloseCode = 1007
	// ClosePolicyViolation: the peer has no right to the connection, or has lost it. The
	// reason is the message of the refusal.
	ClosePolicyViolation CloseCode = 1008
	// CloseMessageTooBig: a message was larger than [Config.ReadLimit].
	CloseMessageTooBig CloseCode = 1009
	// CloseInternalError: the application's handler panicked.
	CloseInternalError CloseCode = 1011
	// CloseServiceRestart: the server shuts down to start again.
	CloseServiceRestart CloseCode = 1012
	// CloseTryAgainLater: there are too many connections, the peer reads too
	// slowly, or the denylist has not answered for too long.
	CloseTryAgainLater CloseCode = 1013
)

// The close codes of [PrivateCodes]. They are like the HTTP statuses 401, 403, 408, 409 and
// 429. [GraphQLWSCodes] uses three of them. There CloseForbidden means what CloseUnauthorized
// means here.
const (
	// CloseUnauthorized: the token is missing, not valid here, or not valid any more. The
	// client should reconnect with a new one.
	CloseUnauthorized CloseCode = 4401
	// CloseForbidden: a token of the same login will be refused again.
	CloseForbidden CloseCode = 4403
	// CloseTimeout: no token came in time, or no answer to a ping.
	CloseTimeout CloseCode = 4408
	// CloseConflict: a newer connection of the subject took the place of this one.
	CloseConflict CloseCode = 4409
	// CloseTooMany: the subject has as many connections as it may have, sends
	// too many renewals, or reads too slowly.
	CloseTooMany CloseCode = 4429
)

// The close codes of a [CloseError] that no close frame can carry.
const (
	// CloseNoCode: the peer's close frame had no code.
	CloseNoCode CloseCode = 1005
	// CloseAbnormal: the connection broke off without a close frame.
	CloseAbnormal CloseCode = 1006
)

// sendable reports whether a close frame may carry the code.
func (c CloseCode) sendable() bool {
	switch {
	case c >= 3000 && c <= 4999: // registered and private codes
		return true
	case c == 1004, c == CloseNoCode, c == CloseAbnormal:
		return false
	}
	return c >= CloseNormal && c <= 1014
}

// maxReason is how many bytes of a reason fit into a close frame after its code (RFC 6455,
// section 5.5). A longer reason would not be sent at all.
const maxReason = 123

// cutReason returns the part of a reason that can be sent: valid UTF-8 of at most 123 bytes.
func cutReason(reason string) string {
	valid := make([]byte, 0, maxReason)
	for _, r := range reason { // r is U+FFFD for an invalid byte
		if len(valid)+utf8.RuneLen(r) > maxReason {
			break
		}
		valid = utf8.AppendRune(valid, r)
	}
	return string(valid)
}
