package wsauth

import (
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// CloseCode is a WebSocket close code (RFC 6455, section 7.4).
type CloseCode int

// The close codes that a [Guard] uses, and one for applications.
const (
	// CloseNormal: the application's handler has returned.
	CloseNormal CloseCode = websocket.CloseNormalClosure
	// CloseGoingAway: the server shuts down; a client may reconnect.
	CloseGoingAway CloseCode = websocket.CloseGoingAway
	// ClosePolicyViolation: the handshake was refused, or the token has
	// expired. The reason is the message of the refusal. A client reconnects
	// with a new token, if at all.
	ClosePolicyViolation CloseCode = websocket.ClosePolicyViolation
	// CloseInvalidPayload: a text message was not UTF-8.
	CloseInvalidPayload CloseCode = websocket.CloseInvalidFramePayloadData
	// CloseMessageTooBig: a message was larger than [Config.ReadLimit].
	CloseMessageTooBig CloseCode = websocket.CloseMessageTooBig
	// CloseInternalError: the application's handler panicked.
	CloseInternalError CloseCode = websocket.CloseInternalServerErr
	// CloseTryAgainLater is for an application that is overloaded, or whose
	// peer reads too slowly. A [Guard] does not use it.
	CloseTryAgainLater CloseCode = websocket.CloseTryAgainLater
)

// sendable reports whether a close frame may carry the code.
func (c CloseCode) sendable() bool {
	switch {
	case c >= 3000 && c <= 4999: // registered and private codes
		return true
	case c == 1004, c == websocket.CloseNoStatusReceived, c == websocket.CloseAbnormalClosure:
		return false
	}
	return c >= CloseNormal && c <= 1014
}

// maxReason is what fits into a close frame beside its code (RFC 6455, section
// 5.5): a longer reason would not be sent at all.
const maxReason = 123

// cutReason returns as much of a reason as can be sent: valid UTF-8 of at most
// 123 bytes.
func cutReason(reason string) string {
	valid := make([]byte, 0, maxReason)
	for _, r := range reason { // an invalid byte comes as U+FFFD
		if len(valid)+utf8.RuneLen(r) > maxReason {
			break
		}
		valid = utf8.AppendRune(valid, r)
	}
	return string(valid)
}
