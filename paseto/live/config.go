package live

import (
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

// Excess says what happens when a subject opens a right too many.
type Excess string

const (
	// RejectNewest refuses the new right.
	RejectNewest Excess = "reject"
	// ReplaceOldest admits it, and ends the one that was opened first.
	ReplaceOldest Excess = "replace_oldest"
)

// RenewFailure says what becomes of a right whose renewal is refused.
type RenewFailure string

const (
	// RenewFailureKeeps: the right lasts until its present token expires.
	RenewFailureKeeps RenewFailure = "keep"
	// RenewFailureEnds: the right ends, and the refusal is the cause.
	RenewFailureEnds RenewFailure = "end"
)

// Config says how long rights last, how many there may be, and how they are renewed. It is
// about everything that a token keeps open: WebSockets, streams, and what a program opens
// itself. The zero value of every field is its documented default.
type Config struct {
	// MaxLifetime is how long a right may last, however often its token is renewed.
	// Default none: any time.
	MaxLifetime time.Duration `koanf:"max_lifetime" default:"none" validate:"omitempty,none|min=1ms,max=876000h"`

	// MaxRights is how many rights this process may hold at a time. Those that have not
	// shown a token yet count too. Beyond that no right is opened: handshakes and streams
	// are answered with status 503. Default none: any number.
	MaxRights int `koanf:"max_rights" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// PerSubject is how many rights a subject may have at a time, of all kinds together.
	// They are counted over all processes that share a denylist with leases (see
	// [WithLeases]), and otherwise in this process. Anonymous rights do not count. Default
	// none: any number.
	PerSubject int `koanf:"per_subject" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// OnExcess says what happens beyond [Config.PerSubject]: reject (the new right is
	// refused) or replace_oldest (it is opened, and the oldest ends). Default reject.
	OnExcess Excess `koanf:"on_excess" default:"reject" validate:"omitempty,oneof=reject replace_oldest"`
	// LeaseTTL is how long the rights of a program that crashed still count towards
	// [Config.PerSubject] elsewhere. A program renews its leases three times in that time.
	// Default 30s.
	LeaseTTL time.Duration `koanf:"lease_ttl" default:"30s" validate:"omitempty,min=1s,max=24h"`

	// RenewFailure says what happens to a right whose renewal is refused: keep (it lasts
	// until its present token expires) or end (it ends at once). Default keep.
	RenewFailure RenewFailure `koanf:"renew_failure" default:"keep" validate:"omitempty,oneof=keep end"`
	// RenewInterval is the time between two renewals of a right in the long run. Five
	// attempts may come at once. [paseto.NoLimit] allows any number. Default 10s.
	RenewInterval time.Duration `koanf:"renew_interval" default:"10s" validate:"omitempty,none|min=1ms,max=24h"`

	// RecheckInterval is how often every right is checked again. The check finds
	// revocations that the denylist did not tell at once, and keys that were taken out. If
	// half of [Config.MaxUnchecked] is shorter, that is used instead. Default 1m.
	RecheckInterval time.Duration `koanf:"recheck_interval" default:"1m" validate:"omitempty,min=1ms,max=24h"`
	// MaxUnchecked is how long a right may last while the denylist cannot be asked.
	// [paseto.NoLimit] for any time. Default 5m. Danger: without that limit, an attacker who
	// can cut the connection to the denylist keeps revoked rights alive until their tokens
	// expire.
	MaxUnchecked time.Duration `koanf:"max_unchecked" default:"5m" validate:"omitempty,none|min=1ms,max=876000h"`

	// ShutdownRate is how many rights a shutdown ends in a second, so that their clients do
	// not all come back at once. Default 1000.
	ShutdownRate int `koanf:"shutdown_rate" default:"1000" validate:"omitempty,min=1,max=1000000"`
}

// Validate reports everything that is wrong with the configuration, as an error that
// wraps [paseto.ErrConfig]. [New] calls it.
func (c Config) Validate() error { return settings.Check(c).Err(paseto.ErrConfig) }

// withDefaults returns the configuration with its defaults filled in. There 0 means
// without limit, except in MaxUnchecked, where that is [paseto.NoLimit].
func (c Config) withDefaults() Config {
	settings.SetDefaults(&c)
	c.MaxLifetime, c.RenewInterval = max(0, c.MaxLifetime), max(0, c.RenewInterval)
	c.MaxRights, c.PerSubject = max(0, c.MaxRights), max(0, c.PerSubject)
	return c
}
