package paseto

import "github.com/pasetokit/pasetokit/denylist"

// EventKind says what happened.
type EventKind string

const (
	// EventIssued: a token was issued.
	EventIssued EventKind = "issued"
	// EventVerified: a token met its requirement.
	EventVerified EventKind = "verified"
	// EventRefused: a token was refused. Claims are set if it was opened.
	EventRefused EventKind = "refused"
	// EventReused: a refresh token was presented again after the grace, so
	// that somebody has a copy of it. Its session is revoked.
	EventReused EventKind = "refresh_reused"
	// EventRevoked: a token, session or subject was revoked.
	EventRevoked EventKind = "revoked"
	// EventDenylistFailed: the denylist could not be asked or told.
	EventDenylistFailed EventKind = "denylist_failed"
	// EventDenylistBypassed: a token was accepted although the denylist could
	// not be asked, as [DenylistConfig.FailOpen] demands.
	EventDenylistBypassed EventKind = "denylist_bypassed"
)

// Event tells an observer what an [Authorizer] did: enough to count and to
// audit.
type Event struct {
	Kind EventKind
	// Claims of the token concerned, where they are known.
	Claims *Claims
	// Revocation is what was recorded, or could not be, of [EventRevoked],
	// [EventReused] and [EventDenylistFailed].
	Revocation denylist.Revocation
	// Err is the refusal or failure, if any.
	Err error
}
