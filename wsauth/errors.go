package wsauth

import "github.com/pasetokit/pasetokit/paseto"

// Refusals of handshakes, and causes for which a connection ends, that only
// WebSockets know; the others are those of package paseto. Their codes are stable.
// What a client is told of each is listed by [Closures] and in docs/refusals.md.
const (
	// ErrShutdown: [Guard.Shutdown] closed the connection, or refused it.
	ErrShutdown paseto.Code = "shutting_down"
	// ErrOverload: there are [Limits.Connections], or [Limits.Pending], already.
	ErrOverload paseto.Code = "overloaded"
	// ErrThrottled: the address has begun, or failed, more handshakes of late
	// than [Limits] allow, or has [Limits.PendingPerAddress].
	ErrThrottled paseto.Code = "handshakes_limited"
	// ErrTooMany: the subject has [Limits.PerSubject] connections already.
	ErrTooMany paseto.Code = "connections_limited"
	// ErrReplaced: the subject has opened another connection, which took this
	// one's place; see [ReplaceOldest].
	ErrReplaced paseto.Code = "connection_replaced"

	// ErrNoMessage: no token came in a message within [Config.MessageTimeout];
	// see [httpauth.LocationMessage].
	ErrNoMessage paseto.Code = "message_timeout"
	// ErrMessage: the first message, or one that is to renew the token, is not as
	// it has to be.
	ErrMessage paseto.Code = "message_invalid"
	// ErrOtherSubject: a renewal with a token of another subject or session, or
	// of a connection that is anonymous.
	ErrOtherSubject paseto.Code = "renewal_subject"
	// ErrOlder: a renewal with a token that expires before the present one.
	ErrOlder paseto.Code = "renewal_older"
	// ErrRenewals: more renewals than [Config.RenewInterval] allows.
	ErrRenewals paseto.Code = "renewals_limited"

	// ErrRate: the peer sends more than [MessageLimits] allow.
	ErrRate paseto.Code = "messages_limited"

	// ErrLifetime: the connection is as old as [Config.MaxLifetime].
	ErrLifetime paseto.Code = "lifetime_reached"
	// ErrUnresponsive: the peer did not answer a ping; see [Config.PingInterval].
	ErrUnresponsive paseto.Code = "peer_unresponsive"
	// ErrSlow: the peer reads more slowly than it is sent to; see [Conn.Send].
	ErrSlow paseto.Code = "peer_slow"
	// ErrPanic: the application's handler panicked. The log has the details.
	ErrPanic paseto.Code = "handler_panicked"
	// ErrPayload: a text message was not UTF-8 (RFC 6455, section 8.1).
	ErrPayload paseto.Code = "payload_invalid"
	// ErrClosed: the program closed the connection, with [Conn.Close] or by
	// returning from its handler.
	ErrClosed paseto.Code = "closed"

	errUpgrade   paseto.Code = "upgrade_required"
	errHandshake paseto.Code = "handshake_invalid"
)
