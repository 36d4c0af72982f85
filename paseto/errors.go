package paseto

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/messages"
	"github.com/pasetokit/pasetokit/internal/sentinel"
)

// Code names a refusal for programs. It does not change within a major version,
// whereas messages may.
//
// A Code is an error: errors.Is and errors.As find it in the [*Error] of a refusal, and
// in one that a program made. A program may return it as it is, for instance from a
// [Requirement.Check]: errors.As and errors.AsType give the *Error with its message.
type Code string

// Error returns the code.
func (c Code) Error() string { return string(c) }

// Message returns what a client is shown of the code, unless the refusal has a
// message of its own. A code of the program's own has the message of [ErrForbidden].
func (c Code) Message() string {
	if message, ok := messages.Of(string(c)); ok {
		return message
	}
	return clientMessages[ErrForbidden]
}

// Is reports whether target is an [*Error] of this code.
func (c Code) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t != nil && t.Code == c
}

// As sets target, if it is a **Error, to the refusal with this code.
func (c Code) As(target any) bool {
	t, ok := target.(**Error)
	if ok {
		*t = c.refusal()
	}
	return ok
}

func (c Code) refusal() *Error { return &Error{Code: c, Message: c.Message()} }

// Error is a refusal: why a token is not accepted, or not issued.
//
// A [Requirement.Check] may return one of its own to choose what the client is
// told; any other error of a check is shown as [ErrForbidden].
type Error struct {
	// Code names the refusal for programs. It does not change within a major
	// version. An Error is, for errors.Is, its Code and any other Error of it.
	Code Code
	// Message names the refusal for people. It goes to the client and never
	// contains a token, a key or the text of Cause. Its words may change with any
	// version. Empty stands for [Code.Message].
	Message string
	// Cause is what lies behind, for the log alone. It may be nil.
	Cause error
	// RetryAfter is how long the client should wait before it tries again. Zero
	// where waiting does not help, or it is not known for how long.
	RetryAfter time.Duration
}

// The methods may be called on a nil *Error, which a program may return by mistake
// where it means no error: an interface that holds it is not nil.

// Error returns the message and the cause: text for a log, not for a client. It is cut
// to 1000 bytes and escaped, because claims and headers can stand in it.
func (e *Error) Error() string {
	if e == nil {
		return "paseto: a nil *Error"
	}
	text := "paseto: " + cmp.Or(e.Message, e.Code.Message())
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return clientlog.CutLong(text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Cause
}

// Is reports whether target is the refusal's Code, or an Error of the same code.
func (e *Error) Is(target error) bool {
	if e == nil {
		return false
	}
	return e.Code == target || e.Code.Is(target)
}

// As sets target, if it is a *Code, to the refusal's Code.
func (e *Error) As(target any) bool {
	t, ok := target.(*Code)
	if !ok || e == nil {
		return false
	}
	*t = e.Code
	return true
}

// The refusals. Where the message depends on the case, [Code.Message] is an example.
const (
	// ErrNoToken: the request carries no token, and one is required.
	ErrNoToken Code = "token_missing"
	// ErrMalformedCredential: what should carry the token is malformed. The
	// message says where it was found and what was expected.
	ErrMalformedCredential Code = "credential_malformed"
	// ErrAmbiguousCredential: the request carries more than one token.
	ErrAmbiguousCredential Code = "credential_ambiguous"

	// ErrLocation: the route looks for a token where its protocol cannot carry
	// one. It is the program's mistake, not the client's.
	ErrLocation Code = "location_unsupported"

	// ErrMalformed: the token has not the form of one, or is too long.
	ErrMalformed Code = "token_malformed"
	// ErrVersion: the token's version is unknown, or no key serves it.
	ErrVersion Code = "version_unsupported"
	// ErrPurpose: the token's purpose is unknown, or no key serves it.
	ErrPurpose Code = "purpose_unsupported"
	// ErrBase64: the token is not wrapped in standard base64 as required.
	ErrBase64 Code = "base64_invalid"
	// ErrDecrypt: no key decrypts the token with its footer and the required
	// implicit assertion.
	ErrDecrypt Code = "decryption_failed"
	// ErrSignature: no key verifies the token with its footer and the required
	// implicit assertion.
	ErrSignature Code = "verification_failed"
	// ErrClaims: the token is authentic and its claims are not a JSON object
	// with members of the expected types.
	ErrClaims Code = "claims_invalid"

	// ErrExpired: the time in exp is over.
	ErrExpired Code = "token_expired"
	// ErrNoExpiry: exp is missing, and required.
	ErrNoExpiry Code = "expiry_missing"
	// ErrNotYetValid: the time in nbf or iat has not come.
	ErrNotYetValid Code = "token_not_yet_valid"
	// ErrNoIssuer: iss is missing, and required.
	ErrNoIssuer Code = "issuer_missing"
	// ErrIssuer: iss names another issuer than the required one.
	ErrIssuer Code = "issuer_invalid"
	// ErrAudience: aud names none of the accepted audiences.
	ErrAudience Code = "audience_invalid"

	// ErrType: the token is of another type than the required one.
	ErrType Code = "type_mismatch"
	// ErrNotFresh: the token is not fresh, and a fresh one is required.
	ErrNotFresh Code = "token_not_fresh"
	// ErrScope: the token lacks a required scope.
	ErrScope Code = "scope_insufficient"
	// ErrRevoked: the token, its session or its subject is revoked.
	ErrRevoked Code = "token_revoked"
	// ErrKeyWithdrawn: the token was admitted, and its key has been taken out
	// since. Only [Authorizer.Recheck] returns it.
	ErrKeyWithdrawn Code = "key_withdrawn"
	// ErrReused: the refresh token was used before, longer ago than the grace;
	// its session is now revoked.
	ErrReused Code = "refresh_reused"
	// ErrRefreshes: the session was refreshed [Config.RefreshesPerMinute] times in
	// the last minute. The refresh token is not used up; RetryAfter says when it
	// works again.
	ErrRefreshes Code = "refreshes_limited"
	// ErrTicket: the ticket is bound to another path or origin, or there is no
	// denylist to redeem it with.
	ErrTicket Code = "ticket_invalid"
	// ErrTicketUsed: the ticket was redeemed before.
	ErrTicketUsed Code = "ticket_used"
	// ErrForbidden: the requirement's Check refused the token.
	ErrForbidden Code = "access_denied"

	// ErrRevocation: a revocation here would not end the token wherever it is
	// accepted. The message says why; see [Authorizer.Revocable].
	ErrRevocation Code = "revocation_unsupported"

	// ErrKeysUnavailable: the [KeySource] cannot be asked, and no other key
	// opens the token. The client may try again.
	ErrKeysUnavailable Code = "keys_unavailable"
	// ErrUnavailable: the denylist cannot be asked. It says nothing of the
	// token; the client may try again.
	ErrUnavailable Code = "denylist_unavailable"
)

// Errors of the program, not of a request: no client can mend them.
const (
	// ErrConfig is wrapped by the error of [New] and by package config for a
	// configuration that cannot work.
	ErrConfig sentinel.Error = "paseto: invalid configuration"
	// ErrGrant is wrapped by the error for a [Grant] that cannot be issued.
	ErrGrant sentinel.Error = "paseto: invalid grant"
	// ErrRequirement is wrapped by the error for a [Requirement] that no token
	// can meet.
	ErrRequirement sentinel.Error = "paseto: invalid requirement"
	// ErrKey is wrapped by the error for a key that cannot be read. The error
	// never contains any of the key.
	ErrKey sentinel.Error = "paseto: invalid key"
	// ErrNoDenylist is returned by methods that revoke, and by
	// [Authorizer.IssueTicket], on an Authorizer without a denylist.
	ErrNoDenylist sentinel.Error = "paseto: there is no denylist"
)

// refuse returns the refusal of code with a cause for the log.
func refuse(code Code, format string, args ...any) *Error {
	err := code.refusal()
	err.Cause = fmt.Errorf(format, args...)
	return err
}

// refuseWith returns the refusal of code with a message made for the case.
func refuseWith(code Code, message string) *Error {
	return &Error{Code: code, Message: message}
}
