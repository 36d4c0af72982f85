package wsauth

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// CloseCodes names a preset of close codes.
type CloseCodes string

const (
	// StandardCodes are the registered codes. Every refusal of a token then has the code
	// 1008, and only the reason says which refusal it is.
	StandardCodes CloseCodes = "standard"
	// PrivateCodes are 4401, 4403, 4408, 4409 and 4429 where they say more, for clients that
	// act on them. All other causes keep their registered code.
	PrivateCodes CloseCodes = "private"
	// GraphQLWSCodes are for the npm client graphql-ws, and for clients that treat codes as
	// it does. It reconnects by itself after every cause except those with
	// [httpauth.ReconnectNever]. The code 4403 means that it has to refresh its token first.
	GraphQLWSCodes CloseCodes = "graphql-ws"
)

// Closure says how a connection is closed for one cause. The reason is the message of the
// cause. For [live.ErrClosed] it is that of [Conn.Close], or empty.
type Closure struct {
	// Cause is the cause: [errors.Is] finds it in [context.Cause] of the connection's
	// context.
	Cause paseto.Code
	// Standard is the code of [StandardCodes].
	Standard CloseCode
	// Private is the code of [PrivateCodes].
	Private CloseCode
	// GraphQLWS is the code of [GraphQLWSCodes].
	GraphQLWS CloseCode
	// Reconnect is what the client should do.
	Reconnect httpauth.Reconnect
}

// Closures lists every cause for which a [Guard] closes connections. For a [*paseto.Error]
// that is not listed, such as one that a [paseto.Requirement.Check] has made, a connection is
// closed as for [paseto.ErrForbidden]; for any other error, as for [httpauth.ErrServer].
// [Config.CloseCodeFor] can give each cause a code of its own.
func Closures() []Closure { return slices.Clone(closures) }

// closures is the one place where causes become close codes.
//
// The third column follows dist/client.js of graphql-ws 6.4. Of the codes here, that client
// does not reconnect after 1007, 1008 and 4409; nor would it after 1011, 4401 and 4429. After
// 1000 it opens a new connection at once, without a delay, if it has subscriptions.
var closures = slices.Concat(
	closed(ClosePolicyViolation, CloseUnauthorized, CloseForbidden,
		paseto.ErrNoToken, paseto.ErrMalformedCredential, paseto.ErrAmbiguousCredential,
		paseto.ErrMalformed, paseto.ErrVersion, paseto.ErrPurpose, paseto.ErrBase64, paseto.ErrDecrypt,
		paseto.ErrSignature, paseto.ErrClaims, paseto.ErrExpired, paseto.ErrNoExpiry, paseto.ErrNotYetValid,
		paseto.ErrNoIssuer, paseto.ErrIssuer, paseto.ErrAudience, paseto.ErrType, paseto.ErrRevoked,
		paseto.ErrKeyWithdrawn, paseto.ErrTicket, paseto.ErrTicketUsed, ErrMessage, live.ErrOlder),
	closed(ClosePolicyViolation, CloseForbidden, ClosePolicyViolation,
		paseto.ErrNotFresh, paseto.ErrScope, paseto.ErrForbidden, paseto.ErrLocation, live.ErrOtherSubject),
	closed(ClosePolicyViolation, CloseTimeout, CloseTimeout, ErrNoMessage),
	closed(ClosePolicyViolation, CloseConflict, CloseConflict, live.ErrReplaced),
	closed(ClosePolicyViolation, CloseTooMany, CloseTryAgainLater, live.ErrRenewals, ErrRate),
	closed(CloseTryAgainLater, CloseTooMany, CloseTryAgainLater, live.ErrTooMany, live.ErrSlow),
	closed(CloseTryAgainLater, CloseTryAgainLater, CloseTryAgainLater, paseto.ErrUnavailable, paseto.ErrKeysUnavailable),
	closed(CloseGoingAway, CloseTimeout, CloseGoingAway, ErrUnresponsive),
	closed(CloseGoingAway, CloseGoingAway, CloseGoingAway, live.ErrShutdown, live.ErrLifetime),
	closed(CloseInvalidPayload, CloseInvalidPayload, CloseInvalidPayload, ErrPayload),
	closed(CloseInternalError, CloseInternalError, CloseTryAgainLater, live.ErrPanic, httpauth.ErrServer),
	closed(CloseNormal, CloseNormal, ClosePolicyViolation, live.ErrClosed),
)

func closed(standard, private, graphQLWS CloseCode, causes ...paseto.Code) []Closure {
	all := make([]Closure, len(causes))
	for i, cause := range causes {
		all[i] = Closure{cause, standard, private, graphQLWS, reconnectAfter(cause)}
	}
	return all
}

// reconnectAfter returns what a client should do. It lists the causes that only WebSockets
// have; package httpauth knows the others.
func reconnectAfter(cause paseto.Code) httpauth.Reconnect {
	switch cause {
	case ErrMessage:
		return httpauth.ReconnectRefreshed
	case ErrNoMessage, ErrUnresponsive:
		return httpauth.ReconnectNow
	case ErrRate:
		return httpauth.ReconnectLater
	case ErrPayload:
		return httpauth.ReconnectNever
	}
	return httpauth.ReconnectAfter(cause)
}

// closureOf maps the code of a cause to how it closes.
var closureOf = func() map[paseto.Code]Closure {
	all := make(map[paseto.Code]Closure, len(closures))
	for _, c := range closures {
		all[c.Cause] = c
	}
	return all
}()

// ending is how a connection is to end.
type ending struct {
	code   CloseCode
	reason string
	cause  error
}

// ending returns how a cause ends a connection. The client is told of [httpauth.ErrServer] if
// the cause is not a [*paseto.Error].
func (c Config) ending(cause error) ending {
	told := httpauth.Refusal(cause)
	e := ending{code: c.closeCode(told.Code), reason: told.Message, cause: cause}
	if told.Code == live.ErrClosed { // the handler has returned, and gave no reason
		e.reason = ""
	}
	return e
}

// CloseFor returns the code and the reason with which the Guard closes a connection for a
// cause. It is for programs that use another WebSocket library (see [Guard.Authenticate]).
// Both fit into a close frame.
func (g *Guard) CloseFor(cause error) (code CloseCode, reason string) {
	e := g.cfg.ending(cause)
	return e.code, cutReason(e.reason)
}

// closeCode returns the code of a cause: that of [Config.CloseCodeFor] or of the preset.
func (c Config) closeCode(cause paseto.Code) CloseCode {
	if own, found := c.CloseCodeFor[cause]; found {
		return own
	}
	closure, listed := closureOf[cause]
	switch {
	case !listed:
		return c.closeCode(paseto.ErrForbidden)
	case cause == live.ErrShutdown:
		return c.ShutdownCode
	case c.CloseCodes == PrivateCodes:
		return closure.Private
	case c.CloseCodes == GraphQLWSCodes:
		return closure.GraphQLWS
	}
	return closure.Standard
}

// checkOwnCodes adds the codes of [Config.CloseCodeFor] that may not be sent.
func (c Config) checkOwnCodes(problems *settings.Problems) {
	for _, cause := range slices.Sorted(maps.Keys(c.CloseCodeFor)) {
		if code := c.CloseCodeFor[cause]; !code.sendable() {
			problems.Add(fmt.Sprintf("CloseCodeFor[%s]", cause), code,
				"no close frame can carry this code; expected 1000 to 1003, 1007 to 1014, or 3000 to 4999")
		}
	}
}

// isReadLimit reports whether a read failed for a message that is too big.
func isReadLimit(err error) bool { return errors.Is(err, websocket.ErrReadLimit) }

// isViolation reports whether a read failed because of what the peer sent, not because the
// network failed. gorilla/websocket has sent a close frame then. It has no type for such
// errors, only their text.
func isViolation(err error) bool {
	_, closed := errors.AsType[*websocket.CloseError](err)
	return !closed && !errors.Is(err, websocket.ErrCloseSent) && strings.HasPrefix(err.Error(), "websocket: ")
}
