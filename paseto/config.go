package paseto

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// NoExpiry is the lifetime of a token without an exp claim. Such a token is
// valid until its key is withdrawn or it is revoked; an [Authorizer] accepts it
// only with [Config.AllowNoExpiry].
const NoExpiry time.Duration = -1

// NoGrace, as [Config.RefreshGrace], takes every second use of a refresh token
// for a theft.
const NoGrace time.Duration = -1

// NoStartLeeway, as [Config.StartLeeway], refuses tokens whose nbf or iat is later
// than the verifier's clock, by however little.
const NoStartLeeway time.Duration = -1

// NoRefreshLimit, as [Config.RefreshesPerMinute], bounds nothing.
const NoRefreshLimit = -1

// The defaults of [Config].
const (
	DefaultAccessTTL    = 15 * time.Minute
	DefaultRefreshTTL   = 30 * 24 * time.Hour
	DefaultOtherTTL     = 30 * 24 * time.Hour
	DefaultSessionTTL   = 90 * 24 * time.Hour
	DefaultRefreshGrace = 10 * time.Second
	DefaultTicketTTL    = 30 * time.Second
	DefaultStartLeeway  = 5 * time.Second
	DefaultMaxLength    = 8192

	DefaultRefreshesPerMinute = 10
)

// The token types that have a meaning of their own. Any other name may be given
// to [Authorizer.Issue] and [Requirement.Type].
const (
	// TypeAccess is the type of the tokens that requests are made with.
	TypeAccess = "access"
	// TypeRefresh is the type of the tokens that buy new access tokens.
	TypeRefresh = "refresh"
	// TypeTicket is the type of tickets. They are issued and redeemed by
	// [Authorizer.IssueTicket] and [Authorizer.RedeemTicket] alone.
	TypeTicket = "ticket"
)

// Config says how an [Authorizer] issues and verifies. The zero value of every
// field but Keys is its documented default.
type Config struct {
	// Version of new tokens. Default [V4]. A [Grant] may choose another.
	Version Version
	// Purpose of new tokens. Default [Local]. A [Grant] may choose another.
	Purpose Purpose
	// Keys that issue and open. At least one is required, unless there is a
	// [KeySource]. The first one that can issue the version and purpose of a
	// new token issues it; every key opens the tokens of its own version and
	// purpose. An Authorizer whose keys only verify cannot issue.
	// [Authorizer.SetKeys] replaces them later.
	Keys []Key
	// OmitKeyID leaves the kid out of new tokens. Default false: a token whose
	// footer is a JSON object, or that has none, carries the [Key.KeyID] of its
	// key as the footer member kid, so that verifiers need not try all keys.
	OmitKeyID bool

	// Issuer is the iss claim of new tokens. Default none.
	Issuer string
	// Audience is the aud claim of new tokens. Default none.
	Audience []string
	// RequireIssuer is the iss claim that every token must carry. Default: iss
	// is not looked at.
	RequireIssuer string
	// RequireAudience lists accepted audiences: the aud claim of every token
	// must name at least one of them. Default: aud is not looked at.
	RequireAudience []string

	// AccessTTL, RefreshTTL and OtherTTL are the lifetimes of new access
	// tokens, refresh tokens and tokens of other types: a second to 100 years,
	// or [NoExpiry]. Defaults 15 minutes, 30 days, 30 days.
	AccessTTL, RefreshTTL, OtherTTL time.Duration
	// MaxTTL bounds the lifetime that a [Grant] may ask for. The revocation of
	// a session or a subject is kept that long, so that it outlives every
	// token that it covers. Default: the longest of the three above, and
	// [NoExpiry] with AllowNoExpiry. When you shorten them, keep MaxTTL until
	// the tokens issued before have expired.
	MaxTTL time.Duration
	// SessionTTL is the absolute lifetime of a session, from the login on,
	// however often it is refreshed: access and refresh tokens expire then at
	// the latest. RefreshTTL, in contrast, is how long a session may stay
	// idle. At least a second, or [NoExpiry] for sessions that live for as
	// long as they are refreshed. Default 90 days, or MaxTTL if that is
	// longer.
	SessionTTL time.Duration
	// RefreshGrace is how long after its first use a refresh token still gets
	// the pair that it got then, for clients that present it twice without
	// meaning to: parallel tabs, a lost answer. A later use is taken for a
	// theft. At most 5 minutes, or [NoGrace]. Default 10 seconds. The clocks of
	// all servers must agree better than that. Danger: for as long, whoever has
	// copied a used token gets that pair as well; the theft is then noticed when
	// the pair's own refresh token is used twice.
	RefreshGrace time.Duration
	// RefreshesPerMinute is how many new pairs may come of one login in any
	// minute, by a denylist that checks refresh tokens. To get the same pair once
	// more, within RefreshGrace, does not count. At most 60, or [NoRefreshLimit].
	// Default 10. Of pairs that come faster than 64 within RefreshGrace the
	// earliest are not given again: their use counts as a theft at once.
	RefreshesPerMinute int
	// TicketTTL is the lifetime of tickets: 1 to 30 seconds. Default 30
	// seconds. Leeway does not lengthen it.
	TicketTTL time.Duration
	// AllowNoExpiry accepts tokens without an exp claim. Default false: they
	// are refused. Danger: such a token works for whoever finds it, for ever,
	// and revocations of sessions and subjects have to be kept for ever.
	AllowNoExpiry bool
	// StartLeeway is how far the clock of an issuer may be ahead: the times nbf and
	// iat are taken that much earlier. A [Grant.AuthTime] may lie ahead by as much.
	// At most 24 hours, or [NoStartLeeway]. Default 5 seconds.
	StartLeeway time.Duration
	// Leeway is how long a token is accepted after the time in exp. Default 0, at
	// most 24 hours.
	Leeway time.Duration

	// MaxLength is the longest token in bytes that is looked at, before it is
	// decoded or unwrapped; longer ones are not issued either. Default 8192.
	MaxLength int

	// DenylistTypes lists the token types that are looked up in the denylist.
	// Tokens of other types are accepted although they are revoked. Tickets are
	// used up instead, and cannot be listed. Default access and refresh.
	DenylistTypes []string
	// DenylistFailOpen accepts tokens while the denylist cannot be asked.
	// Default false: they are refused with [ErrUnavailable]. Danger: whoever
	// can cut the connection to the store brings revoked tokens back to life.
	DenylistFailOpen bool
}

// Option gives an [Authorizer] one of its collaborators.
type Option func(*Authorizer)

// WithDenylist turns revocation on: every verification of a listed type asks
// store, and the methods that revoke record there. The caller closes store
// after the last use of the Authorizer.
func WithDenylist(store denylist.Store) Option {
	return func(a *Authorizer) { a.store = store }
}

// WithClock makes the Authorizer tell the time by now instead of [time.Now].
func WithClock(now func() time.Time) Option {
	return func(a *Authorizer) {
		if now != nil {
			a.now = now
		}
	}
}

// WithLogger logs failures of the denylist: at most 20 lines of a kind in a minute. It
// logs reused refresh tokens: as many for each subject. The first line after that
// minute comes with one that says how many were left out. No token and no key is ever
// logged. Default, and with nil: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(a *Authorizer) {
		if logger != nil {
			a.log = logger
		}
	}
}

// WithObserver calls observe for every [Event], on the goroutine that caused
// it; it must return quickly and be safe for concurrent use.
func WithObserver(observe func(Event)) Option {
	return func(a *Authorizer) {
		if observe != nil {
			a.observe = observe
		}
	}
}

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
	// not be asked, as [Config.DenylistFailOpen] demands.
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

// withDefaults returns the configuration with its defaults filled in.
func (c Config) withDefaults() Config {
	c.Version = cmp.Or(c.Version, V4)
	c.Purpose = cmp.Or(c.Purpose, Local)
	c.AccessTTL = cmp.Or(c.AccessTTL, DefaultAccessTTL)
	c.RefreshTTL = cmp.Or(c.RefreshTTL, DefaultRefreshTTL)
	c.OtherTTL = cmp.Or(c.OtherTTL, DefaultOtherTTL)
	if c.MaxTTL == 0 {
		c.MaxTTL = max(c.AccessTTL, c.RefreshTTL, c.OtherTTL)
		if c.AllowNoExpiry {
			c.MaxTTL = NoExpiry
		}
	}
	if c.SessionTTL == 0 {
		c.SessionTTL = max(DefaultSessionTTL, c.MaxTTL)
		if c.MaxTTL == NoExpiry {
			c.SessionTTL = NoExpiry
		}
	}
	c.RefreshGrace = cmp.Or(c.RefreshGrace, DefaultRefreshGrace)
	c.RefreshesPerMinute = cmp.Or(c.RefreshesPerMinute, DefaultRefreshesPerMinute)
	c.TicketTTL = cmp.Or(c.TicketTTL, DefaultTicketTTL)
	c.StartLeeway = cmp.Or(c.StartLeeway, DefaultStartLeeway)
	c.MaxLength = cmp.Or(c.MaxLength, DefaultMaxLength)
	if c.DenylistTypes == nil {
		c.DenylistTypes = []string{TypeAccess, TypeRefresh}
	}
	c.Audience = slices.Clone(c.Audience)
	c.RequireAudience = slices.Clone(c.RequireAudience)
	c.DenylistTypes = slices.Clone(c.DenylistTypes)
	return c
}

// validate reports everything that is wrong with a configuration whose
// defaults are filled in, keys excepted.
func (c Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...)))
	}
	switch c.Version {
	case V2, V3, V4:
	case "v1":
		bad("Version v1 is not supported: it rests on RSA, and is out of use; expected v2, v3 or v4")
	default:
		bad("Version is %.16q; expected v2, v3 or v4", string(c.Version))
	}
	if c.Purpose != Local && c.Purpose != Public {
		bad("Purpose is %.16q; expected %q or %q", string(c.Purpose), string(Local), string(Public))
	}
	for _, ttl := range []struct {
		name  string
		value time.Duration
	}{
		{"AccessTTL", c.AccessTTL}, {"RefreshTTL", c.RefreshTTL}, {"OtherTTL", c.OtherTTL},
		{"MaxTTL", c.MaxTTL}, {"SessionTTL", c.SessionTTL},
	} {
		ofTokens := ttl.name != "MaxTTL" && ttl.name != "SessionTTL"
		switch {
		case ttl.value == NoExpiry && !c.AllowNoExpiry && ofTokens:
			bad("%s is NoExpiry, and tokens without expiry are refused: set AllowNoExpiry as well", ttl.name)
		case ttl.value != NoExpiry && (ttl.value < time.Second || ttl.value > longestTTL):
			bad("%s is %s; expected at least 1s and at most 100 years", ttl.name, ttl.value)
		case ofTokens && exceeds(ttl.value, c.MaxTTL):
			bad("%s is %s and longer than MaxTTL, %s", ttl.name, ttlText(ttl.value), c.MaxTTL)
		}
	}
	if c.StartLeeway != NoStartLeeway && (c.StartLeeway < 0 || c.StartLeeway > longestLeeway) {
		bad("StartLeeway is %s; expected 0 (for the default) or more and at most 24h, or NoStartLeeway", c.StartLeeway)
	}
	if c.Leeway < 0 || c.Leeway > longestLeeway {
		bad("Leeway is %s; expected 0 or more, and at most 24h", c.Leeway)
	}
	if c.RefreshGrace != NoGrace && (c.RefreshGrace < 0 || c.RefreshGrace > longestGrace) {
		bad("RefreshGrace is %s; expected 0 (for the default) or more and at most 5m, or NoGrace", c.RefreshGrace)
	}
	if n := c.RefreshesPerMinute; n != NoRefreshLimit && (n < 0 || n > mostRefreshes) {
		bad("RefreshesPerMinute is %d; expected 0 (for the default) or more and at most %d, or NoRefreshLimit", n, mostRefreshes)
	}
	if c.TicketTTL < time.Second || c.TicketTTL > longestTicket {
		bad("TicketTTL is %s; expected at least 1s and at most 30s", c.TicketTTL)
	}
	for _, name := range c.DenylistTypes {
		if !validScope(name) || name == TypeTicket { // tickets are used up, and never looked up
			bad("DenylistTypes: %.32q is not a type of tokens that are looked up", name)
		}
	}
	if c.MaxLength < 0 {
		bad("MaxLength is %d; expected 0 (for the default) or more", c.MaxLength)
	}
	return errors.Join(errs...)
}

// startLeeway returns StartLeeway as a duration.
func (c Config) startLeeway() time.Duration { return max(0, c.StartLeeway) }

// What is longer is a mistake, or does not fit into a time.
const (
	longestTTL    = 100 * 365 * 24 * time.Hour
	longestLeeway = 24 * time.Hour
	longestGrace  = 5 * time.Minute
	longestTicket = 30 * time.Second
	mostRefreshes = 60 // within maxPairs
)
