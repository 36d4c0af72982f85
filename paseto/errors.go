package paseto

import (
	"errors"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
)

// Error is a refusal: why a token is not accepted, or not issued.
//
// A [Requirement.Check] may return one of its own to choose what the client is
// told; any other error of a check is shown as [ErrForbidden].
type Error struct {
	// Code names the refusal for programs. It is stable, and what errors.Is
	// compares: an Error is any other Error of the same code.
	Code string
	// Message names the refusal for people. It goes to the client and never
	// contains a token, a key or the text of Cause.
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
	text := "paseto: " + e.Message
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

// Is reports whether target is an Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t != nil && e != nil && t.Code == e.Code
}

// The refusals. Those whose message depends on the case show one example.
var (
	// ErrNoToken: the request carries no token, and one is required.
	ErrNoToken = &Error{Code: "token_missing", Message: "PASETO Authorization Token required"}
	// ErrMalformedCredential: what should carry the token is malformed. The
	// message says where it was found and what was expected.
	ErrMalformedCredential = &Error{Code: "credential_malformed", Message: "Bad Authorization header. Expected value 'Bearer <PASETO>'"}
	// ErrAmbiguousCredential: the request carries more than one token.
	ErrAmbiguousCredential = &Error{Code: "credential_ambiguous", Message: "More than one token was sent. Expected exactly one"}

	// ErrLocation: the route looks for a token where its protocol cannot carry
	// one. It is the program's mistake, not the client's.
	ErrLocation = &Error{Code: "location_unsupported", Message: "query token location is only supported for WebSocket connections"}

	// ErrMalformed: the token has not the form of one, or is too long.
	ErrMalformed = &Error{Code: "token_malformed", Message: "Invalid PASETO format"}
	// ErrVersion: the token's version is unknown, or no key serves it.
	ErrVersion = &Error{Code: "version_unsupported", Message: "Invalid PASETO version v9"}
	// ErrPurpose: the token's purpose is unknown, or no key serves it.
	ErrPurpose = &Error{Code: "purpose_unsupported", Message: "Invalid PASETO purpose other"}
	// ErrBase64: the token is not wrapped in standard base64 as required.
	ErrBase64 = &Error{Code: "base64_invalid", Message: "Invalid base64 encoding"}
	// ErrDecrypt: no key decrypts the token with its footer and the required
	// implicit assertion.
	ErrDecrypt = &Error{Code: "decryption_failed", Message: "Failed to decrypt."}
	// ErrSignature: no key verifies the token with its footer and the required
	// implicit assertion.
	ErrSignature = &Error{Code: "verification_failed", Message: "Failed to verify."}
	// ErrClaims: the token is authentic and its claims are not a JSON object
	// with members of the expected types.
	ErrClaims = &Error{Code: "claims_invalid", Message: "Token claims are not valid"}

	// ErrExpired: the time in exp is over.
	ErrExpired = &Error{Code: "token_expired", Message: "Token expired."}
	// ErrNoExpiry: exp is missing, and required.
	ErrNoExpiry = &Error{Code: "expiry_missing", Message: "Token is missing the 'exp' claim"}
	// ErrNotYetValid: the time in nbf or iat has not come.
	ErrNotYetValid = &Error{Code: "token_not_yet_valid", Message: "Token is not valid yet."}
	// ErrNoIssuer: iss is missing, and required.
	ErrNoIssuer = &Error{Code: "issuer_missing", Message: "Token is missing the 'iss' claim"}
	// ErrIssuer: iss names another issuer than the required one.
	ErrIssuer = &Error{Code: "issuer_invalid", Message: "Token issuer is not valid"}
	// ErrAudience: aud names none of the accepted audiences.
	ErrAudience = &Error{Code: "audience_invalid", Message: "aud verification failed."}

	// ErrType: the token is of another type than the required one.
	ErrType = &Error{Code: "type_mismatch", Message: "Access token required but refresh provided"}
	// ErrNotFresh: the token is not fresh, and a fresh one is required.
	ErrNotFresh = &Error{Code: "token_not_fresh", Message: "PASETO access token is not fresh"}
	// ErrScope: the token lacks a required scope.
	ErrScope = &Error{Code: "scope_insufficient", Message: "Token scope is not sufficient"}
	// ErrRevoked: the token, its session or its subject is revoked.
	ErrRevoked = &Error{Code: "token_revoked", Message: "Token has been revoked"}
	// ErrKeyWithdrawn: the token was admitted, and its key has been taken out
	// since. Only [Authorizer.Recheck] returns it.
	ErrKeyWithdrawn = &Error{Code: "key_withdrawn", Message: "Token key is no longer in use"}
	// ErrReused: the refresh token was used before, longer ago than the grace;
	// its session is now revoked.
	ErrReused = &Error{Code: "refresh_reused", Message: "Refresh token has been used before"}
	// ErrRefreshes: the session was refreshed [Config.RefreshesPerMinute] times in
	// the last minute. The refresh token is not used up; RetryAfter says when it
	// works again.
	ErrRefreshes = &Error{Code: "refreshes_limited", Message: "Too many refreshes"}
	// ErrTicket: the ticket is bound to another path or origin, or there is no
	// denylist to redeem it with.
	ErrTicket = &Error{Code: "ticket_invalid", Message: "Ticket is not valid here"}
	// ErrTicketUsed: the ticket was redeemed before.
	ErrTicketUsed = &Error{Code: "ticket_used", Message: "Ticket has been used"}
	// ErrForbidden: the requirement's Check refused the token.
	ErrForbidden = &Error{Code: "access_denied", Message: "Access denied"}

	// ErrRevocation: a revocation here would not end the token wherever it is
	// accepted. The message says why; see [Authorizer.Revocable].
	ErrRevocation = &Error{Code: "revocation_unsupported", Message: "This server cannot revoke tokens. They are valid until they expire"}

	// ErrKeysUnavailable: the [KeySource] cannot be asked, and no other key
	// opens the token. The client may try again.
	ErrKeysUnavailable = &Error{Code: "keys_unavailable", Message: "Token cannot be verified at the moment"}
	// ErrUnavailable: the denylist cannot be asked. It says nothing of the
	// token; the client may try again.
	ErrUnavailable = &Error{Code: "denylist_unavailable", Message: "Token revocation cannot be checked at the moment"}
)

// Errors of the program, not of a request: no client can mend them.
var (
	// ErrConfig is wrapped by the error of [New] and by package config for a
	// configuration that cannot work.
	ErrConfig = errors.New("paseto: invalid configuration")
	// ErrGrant is wrapped by the error for a [Grant] that cannot be issued.
	ErrGrant = errors.New("paseto: invalid grant")
	// ErrRequirement is wrapped by the error for a [Requirement] that no token
	// can meet.
	ErrRequirement = errors.New("paseto: invalid requirement")
	// ErrKey is wrapped by the error for a key that cannot be read. The error
	// never contains any of the key.
	ErrKey = errors.New("paseto: invalid key")
	// ErrNoDenylist is returned by methods that revoke, and by
	// [Authorizer.IssueTicket], on an Authorizer without a denylist.
	ErrNoDenylist = errors.New("paseto: there is no denylist")
)

// refuse returns the refusal of sentinel with a cause for the log.
func refuse(sentinel *Error, format string, args ...any) *Error {
	return &Error{Code: sentinel.Code, Message: sentinel.Message, Cause: fmt.Errorf(format, args...)}
}

// refuseWith returns the refusal of sentinel with a message made for the case.
func refuseWith(sentinel *Error, message string) *Error {
	return &Error{Code: sentinel.Code, Message: message}
}
