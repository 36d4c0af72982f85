package wsauth

import "github.com/pasetokit/pasetokit/paseto"

// Refusals and causes that only WebSockets have. The others are those of packages paseto and
// live. The codes are stable. [Closures] and docs/refusals.md list what a client is told of
// each.
const (
	// ErrThrottled: the address has begun, or failed, more handshakes lately than [Limits]
	// allow, or has [Limits.PendingPerAddress] connections without a token.
	ErrThrottled paseto.Code = "handshakes_limited"

	// ErrNoMessage: no token came in a message within [Config.MessageTimeout];
	// see [httpauth.LocationMessage].
	ErrNoMessage paseto.Code = "message_timeout"
	// ErrMessage: the first message, or a message to renew the token, does not have the
	// expected form.
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
