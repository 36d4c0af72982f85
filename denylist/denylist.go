// Package denylist records which tokens are revoked or used up.
//
// A [Store] is asked on every request that presents a token, by
// [github.com/pasetokit/pasetokit/paseto.Authorizer], and told whenever a
// token, a login session or a subject is revoked. [NewMemory] keeps the
// records in the process: right for one server and for tests, and forgotten at
// a restart. Package bolt keeps them in a file, for one process that restarts,
// and package redis in Redis, for many processes. Package denylisttest holds the
// contract below as a test suite; a store of your own should run it.
//
// A program that keeps something open for a token, as package live does for WebSockets and
// streams, learns of its revocation from Watch. A store that many processes share may offer [Leases]
// besides, by which they count together what each of them holds open. Whether it is
// shared, a store says by [Shared]. One that wraps another store should be a [Wrapper].
//
// The package deals in identifiers and times alone. No token and no key ever
// reaches a store.
package denylist

import (
	"context"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/internal/sentinel"
)

// ErrClosed is returned by every method of a [Store] after Close.
const ErrClosed sentinel.Error = "denylist: store is closed"

// ErrUnavailable is wrapped by the error of a [Store] that cannot be reached, did
// not answer in time, or could not keep a record: what was asked is not known,
// and what was to be recorded must be taken as not recorded. The caller may try
// again.
const ErrUnavailable sentinel.Error = "denylist: store is unavailable"

// ErrInvalid is wrapped by the error of a call whose arguments no store can
// honour, such as a [Revocation] that names nothing.
const ErrInvalid sentinel.Error = "denylist: invalid argument"

// Token is what a store needs to know of a token to tell whether it is
// revoked. Empty fields match no record.
type Token struct {
	// ID is the token's jti claim.
	ID string
	// Session is the token's sid claim: the login that it descends from.
	Session string
	// Subject is the token's sub claim.
	Subject string
	// IssuedAt is the token's iat claim, or the time of the login that it
	// descends from. A token without one counts as issued before every cut-off.
	IssuedAt time.Time
}

// Revocation is one record: exactly one of TokenID, Session and Subject is
// set.
type Revocation struct {
	// TokenID revokes the one token with this jti.
	TokenID string
	// Session revokes every token with this sid.
	Session string
	// Subject revokes the tokens with this sub that were issued no later than
	// IssuedBefore.
	Subject string
	// IssuedBefore is the cut-off of a Subject revocation, and must be set
	// there and only there. Tokens carry whole seconds, so a cut-off covers
	// all tokens issued in its second. A later cut-off extends an earlier one;
	// an earlier one never takes it back.
	IssuedBefore time.Time
	// Except is a session of the Subject whose tokens the cut-off does not cover. It
	// belongs to the cut-off: one that is later, or in the same second, replaces it,
	// also by none; an earlier one leaves it. A record of that Session, or of a token
	// of it, still revokes. Default none.
	Except string
	// Until is the time from which no covered token can be valid any more, so
	// that the store may forget the record. Zero keeps it for ever.
	Until time.Time
}

// Validate reports, as an error that wraps [ErrInvalid], what makes r a record
// that no store can keep.
func (r Revocation) Validate() error {
	named := 0
	for _, id := range []string{r.TokenID, r.Session, r.Subject} {
		if id != "" {
			named++
		}
	}
	switch {
	case named != 1:
		return invalid("a revocation names exactly one of token id, session and subject")
	case r.Subject != "" && r.IssuedBefore.IsZero():
		return invalid("the revocation of a subject needs a cut-off time")
	case r.Subject == "" && !r.IssuedBefore.IsZero():
		return invalid("a cut-off time goes only with a subject")
	case r.Subject == "" && r.Except != "":
		return invalid("a session can be excepted only from the revocation of a subject")
	}
	if err := validateID("excepted session", r.Except); err != nil {
		return err
	}
	return validateID("identifier", r.TokenID+r.Session+r.Subject)
}

// Covers reports whether the record revokes t, as a [Store] that had just made it
// would. It does not look at Until.
func (r Revocation) Covers(t Token) bool {
	switch {
	case r.TokenID != "":
		return r.TokenID == t.ID
	case r.Session != "":
		return r.Session == t.Session
	}
	return r.Subject != "" && r.Subject == t.Subject && t.IssuedAt.Unix() <= r.IssuedBefore.Unix() &&
		(r.Except == "" || r.Except != t.Session)
}

// What a store keeps at most, in bytes. Without a bound, one caller could hold up
// all others for long.
const (
	// MaxID is the length of the longest identifier, and of the longest key of
	// Consume and Advance.
	MaxID = 4 << 10
	// MaxValue is the length of the longest value of Consume and Advance.
	MaxValue = 1 << 20
)

// ValidateConsumption reports, as an error that wraps [ErrInvalid], what makes key
// and value such that no store can consume them.
func ValidateConsumption(key, value string) error {
	if key == "" {
		return invalid("a consumed key must not be empty")
	}
	if len(value) > MaxValue {
		return invalid(fmt.Sprintf("the value of a consumed key has %d bytes; at most %d are kept", len(value), MaxValue))
	}
	return validateID("consumed key", key)
}

// ValidateAdvance reports, as an error that wraps [ErrInvalid], what makes from and
// to such that no store can advance key from one to the other.
func ValidateAdvance(key, from, to string) error {
	if to == "" {
		return invalid("a key cannot be advanced to an empty value, which stands for no record")
	}
	if err := ValidateConsumption(key, from); err != nil {
		return err
	}
	return ValidateConsumption(key, to)
}

func validateID(what, id string) error {
	if len(id) > MaxID {
		return invalid(fmt.Sprintf("the %s has %d bytes; at most %d are kept", what, len(id), MaxID))
	}
	return nil
}

func invalid(why string) error { return &invalidError{why} }

type invalidError struct{ why string }

func (e *invalidError) Error() string { return "denylist: " + e.why }
func (e *invalidError) Unwrap() error { return ErrInvalid }

// EventKind says what an [Event] reports.
type EventKind string

const (
	// EventMissed: something may have happened that this watcher was not told
	// of. It is the first event of every watch, and comes again after every gap.
	// A watcher that must not overlook a revocation then asks Revoked anew for all that
	// it holds.
	EventMissed EventKind = "missed"
	// EventRevoked: Revocation was recorded.
	EventRevoked EventKind = "revoked"
	// EventDisplaced: Lease was taken from its holder; see [Leases].
	EventDisplaced EventKind = "displaced"
)

// Event is what [Store.Watch] reports. A watcher takes a kind that it does not
// know, the empty one included, for [EventMissed]: there may be new kinds, and
// they may end rights.
type Event struct {
	Kind EventKind
	// Revocation is the record of an EventRevoked.
	Revocation Revocation
	// Lease is the one of an EventDisplaced.
	Lease Lease
}

// Store keeps revocations, consumed keys and values that advance. Its methods are safe for
// concurrent use.
//
// An identifier, or the key of Consume or Advance, is any non-empty string of up
// to [MaxID] bytes, compared byte by byte; their values have up to [MaxValue].
// Longer ones are an error that wraps [ErrInvalid].
// A record takes effect before the method that makes it returns. It vanishes
// when its time has come and for no other reason: never for lack of room, as a
// store that cannot keep a record returns an error, and not because the clock of
// its process jumps ahead and back.
//
// A method whose context has ended returns the context's error and records
// nothing that it had not recorded before.
type Store interface {
	// Revoke records r. To revoke what is revoked already is no error and
	// never shortens the record's life. Of two cut-offs of a subject the later one
	// counts, with its Except; of two in the same second, the one recorded last.
	Revoke(ctx context.Context, r Revocation) error

	// Revoked reports whether a live record covers t: by its id, its session
	// or its subject. An error means that the store does not know.
	Revoked(ctx context.Context, t Token) (bool, error)

	// Consume marks key as used up until the given time, zero meaning for
	// ever, and keeps value beside it. Of any number of callers with the same
	// key exactly one is first; all get the first one's value as winner.
	// Consumed keys and revoked identifiers do not meet.
	Consume(ctx context.Context, key, value string, until time.Time) (winner string, first bool, err error)

	// Advance sets the value of key to to if it is from, and leaves it alone if
	// it is not; an empty from means that there is no record of key. It reports
	// whether it did, and the value that key then has, empty for no record. Of
	// any number of callers that name the same from exactly one advances it.
	//
	// The record is kept until the time that the last call has given which
	// advanced it, zero meaning for ever. The keys are those of Consume, which
	// does what Advance does from an empty value: a record that either made, the
	// other finds.
	Advance(ctx context.Context, key, from, to string, until time.Time) (current string, advanced bool, err error)

	// Watch calls fn for every record made by Revoke anywhere, one call at a
	// time and in the order of recording, until ctx ends or the store is
	// closed; it returns the context's error or [ErrClosed]. Its first call
	// is an [EventMissed] and says that the watch is in force. A slow fn
	// never holds up Revoke: what cannot be held back for it is reported as
	// missed. fn must not call Close. Every Event has a Kind; fn treats those
	// that it does not know as EventMissed.
	Watch(ctx context.Context, fn func(Event)) error

	// Close ends every watch and releases what the store holds. A second call
	// does nothing.
	Close() error
}
