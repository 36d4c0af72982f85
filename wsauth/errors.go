package wsauth

import "github.com/pasetokit/pasetokit/paseto"

// Refusals of handshakes, and causes for which a connection ends, that only
// WebSockets know; the others are those of packages paseto and live. Their codes are stable.
// What a client is told of each is listed by [Closures] and in docs/refusals.md.
const (
	// ErrThrottled: the address has begun, or failed, more handshakes of late
	// than [Limits] allow, or has [Limits.PendingPerAddress].
	ErrThrottled paseto.Code = "handshakes_limited"

	// ErrNoMessage: no token came in a message within [Config.MessageTimeout];
	// see [httpauth.LocationMessage].
	ErrNoMessage paseto.Code = "message_timeout"
	// ErrMessage: the first message, or one that is to renew the token, is not as
	// it has to be.
	ErrMessage paseto.Code = "message_invalid"

	// ErrRate: the peer sends more than [MessageLimits] allow.
	ErrRate paseto.Code = "messages_limited"
	// ErrUnresponsive: the peer did not answer a ping; see [Config.PingInterval].
	ErrUnresponsive paseto.Code = "peer_unresponsive"
	// ErrPayload: a text message was not UTF-8 (RFC 6455, section 8.1).
	ErrPayload paseto.Code = "payload_invalid"

	errUpgrade   paseto.Code = "upgrade_required"
	errHandshake paseto.Code = "handshake_invalid"
)
