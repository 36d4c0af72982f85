package live

import (
	"context"
	"errors"

	"github.com/pasetokit/pasetokit/internal/messages"
	"github.com/pasetokit/pasetokit/paseto"
)

// Why a right is refused, or ends, besides the refusals of package paseto. The codes are
// stable. docs/refusals.md says what a client is told of each.
const (
	// ErrShutdown: [Keeper.Shutdown] was called. It ends rights, and refuses new ones.
	ErrShutdown paseto.Code = "shutting_down"
	// ErrOverload: there are [Config.MaxRights] already.
	ErrOverload paseto.Code = "overloaded"
	// ErrTooMany: the subject has [Config.PerSubject] rights already.
	ErrTooMany paseto.Code = "connections_limited"
	// ErrReplaced: the subject has opened another right, which took this one's place;
	// see [ReplaceOldest].
	ErrReplaced paseto.Code = "connection_replaced"
	// ErrLifetime: the right is as old as [Config.MaxLifetime].
	ErrLifetime paseto.Code = "lifetime_reached"
	// ErrOtherSubject: the token of a renewal is of another subject or session, or the
	// right is anonymous.
	ErrOtherSubject paseto.Code = "renewal_subject"
	// ErrOlder: the token of a renewal expires before the present one.
	ErrOlder paseto.Code = "renewal_older"
	// ErrRenewals: there were more renewals than [Config.RenewInterval] allows.
	ErrRenewals paseto.Code = "renewals_limited"
	// ErrSlow: the client does not read what it is sent fast enough, or has gone.
	ErrSlow paseto.Code = "peer_slow"
	// ErrPanic: the application's handler panicked. The log has the details.
	ErrPanic paseto.Code = "handler_panicked"
	// ErrClosed: the program ended the right, for instance by returning from its handler.
	ErrClosed paseto.Code = "closed"
)

func init() {
	messages.Add(map[paseto.Code]string{
		ErrShutdown:     "Server is shutting down",
		ErrOverload:     "Server has too many connections",
		ErrTooMany:      "Too many connections of this subject",
		ErrReplaced:     "Replaced by a newer connection",
		ErrLifetime:     "Connection has reached its maximum age",
		ErrOtherSubject: "Token is of another subject or session",
		ErrOlder:        "Token expires before the present one",
		ErrRenewals:     "Too many renewals",
		ErrSlow:         "Peer reads too slowly",
		ErrPanic:        "Internal error",
		ErrClosed:       "Connection was closed by the application",
	})
}

// isOutage reports whether a token was refused only because it could not be checked.
func isOutage(err error) bool {
	return errors.Is(err, paseto.ErrUnavailable) || errors.Is(err, paseto.ErrKeysUnavailable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
