package wsauth

import (
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// Refusals of handshakes, and causes for which a connection ends, that only
// WebSockets know; the others are those of package paseto. Their codes are stable.
// What a client is told of each is listed by [Closures] and in docs/refusals.md.
var (
	// ErrShutdown: [Guard.Shutdown] closed the connection, or refused it.
	ErrShutdown = &paseto.Error{Code: "shutting_down", Message: "Server is shutting down"}
	// ErrOverload: there are [Limits.Connections], or [Limits.Pending], already.
	ErrOverload = &paseto.Error{Code: "overloaded", Message: "Server has too many connections"}
	// ErrThrottled: the address has begun, or failed, more handshakes of late
	// than [Limits] allow, or has [Limits.PendingPerAddress].
	ErrThrottled = &paseto.Error{Code: "handshakes_limited", Message: "Too many handshakes from this address"}
	// ErrTooMany: the subject has [Limits.PerSubject] connections already.
	ErrTooMany = &paseto.Error{Code: "connections_limited", Message: "Too many connections of this subject"}
	// ErrReplaced: the subject has opened another connection, which took this
	// one's place; see [ReplaceOldest].
	ErrReplaced = &paseto.Error{Code: "connection_replaced", Message: "Replaced by a newer connection"}

	// ErrNoMessage: no token came in a message within [Config.MessageTimeout];
	// see [Message].
	ErrNoMessage = &paseto.Error{Code: "message_timeout", Message: "No token came in time"}
	// ErrMessage: the first message, or one that is to renew the token, is not as
	// it has to be.
	ErrMessage = &paseto.Error{Code: "message_invalid", Message: `Bad message. Expected {"type":"auth","token":"<PASETO>"}`}
	// ErrOtherSubject: a renewal with a token of another subject or session, or
	// of a connection that is anonymous.
	ErrOtherSubject = &paseto.Error{Code: "renewal_subject", Message: "Token is of another subject or session"}
	// ErrOlder: a renewal with a token that expires before the present one.
	ErrOlder = &paseto.Error{Code: "renewal_older", Message: "Token expires before the present one"}
	// ErrRenewals: more renewals than [Config.RenewInterval] allows.
	ErrRenewals = &paseto.Error{Code: "renewals_limited", Message: "Too many renewals"}

	// ErrLifetime: the connection is as old as [Config.MaxLifetime].
	ErrLifetime = &paseto.Error{Code: "lifetime_reached", Message: "Connection has reached its maximum age"}
	// ErrUnresponsive: the peer did not answer a ping; see [Config.PingInterval].
	ErrUnresponsive = &paseto.Error{Code: "peer_unresponsive", Message: "No answer to a ping"}
	// ErrSlow: the peer reads more slowly than it is sent to; see [Conn.Send].
	ErrSlow = &paseto.Error{Code: "peer_slow", Message: "Peer reads too slowly"}
	// ErrPanic: the application's handler panicked. The log has the details.
	ErrPanic = &paseto.Error{Code: "handler_panicked", Message: "Internal error"}
	// ErrPayload: a text message was not UTF-8 (RFC 6455, section 8.1).
	ErrPayload = &paseto.Error{Code: "payload_invalid", Message: "text message is not UTF-8"}
	// ErrClosed: the program closed the connection, with [Conn.Close] or by
	// returning from its handler.
	ErrClosed = &paseto.Error{Code: "closed", Message: "Connection was closed by the application"}

	errUpgrade   = &paseto.Error{Code: "upgrade_required", Message: "Expected a WebSocket handshake"}
	errHandshake = &paseto.Error{Code: "handshake_invalid", Message: "Bad WebSocket handshake"}
)

// refusal returns the refusal of sentinel with a cause for the log.
func refusal(sentinel *paseto.Error, format string, args ...any) *paseto.Error {
	return &paseto.Error{Code: sentinel.Code, Message: sentinel.Message, Cause: fmt.Errorf(format, args...)}
}

// throttled returns an [ErrThrottled] that says when to try again.
func throttled(wait time.Duration) *paseto.Error {
	err := refusal(ErrThrottled, "for %s", wait)
	err.RetryAfter = wait
	return err
}
