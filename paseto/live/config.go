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
	// RenewFailureKeeps: it goes on with its present token, until that expires.
	RenewFailureKeeps RenewFailure = "keep"
	// RenewFailureEnds: it ends for the refusal.
	RenewFailureEnds RenewFailure = "end"
)

// Config says how long rights last, how many there may be, and how they are renewed. It
// holds for whatever a token keeps open: WebSockets, streams, and what a program opens by
// itself. The zero value of every field is its documented default.
type Config struct {
	// MaxLifetime is how long a right may last however often its token is renewed.
	// [paseto.NoLimit] for any time. Default none: for any time.
	MaxLifetime time.Duration `koanf:"max_lifetime" default:"none" validate:"omitempty,none|min=1ms,max=876000h"`

	// MaxRights is how many rights this process may hold at a time, those included that
	// have yet to show a token. Beyond that none is opened: handshakes and streams are
	// answered with status 503. Default none: any number.
	MaxRights int `koanf:"max_rights" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// PerSubject is how many rights a subject may have at a time, of all kinds together:
	// in all processes whose denylist has leases (see [WithLeases]), or else in this one.
	// Anonymous ones do not count. Default none: any number.
	PerSubject int `koanf:"per_subject" default:"none" validate:"omitempty,none|min=1,max=1000000000"`
	// OnExcess says what happens beyond [Config.PerSubject]: reject (the new right is
	// refused) or replace_oldest (it is opened, and the oldest ends). Default reject.
	OnExcess Excess `koanf:"on_excess" default:"reject" validate:"omitempty,oneof=reject replace_oldest"`
	// LeaseTTL is how long after a program's crash its rights still count
	// towards [Config.PerSubject] elsewhere. Leases are renewed three
	// times as often. Default 30s.
	LeaseTTL time.Duration `koanf:"lease_ttl" default:"30s" validate:"omitempty,min=1s,max=24h"`

	// RenewFailure says what becomes of a right whose renewal is refused: keep (it lasts
	// until its token expires) or end. Default keep.
	RenewFailure RenewFailure `koanf:"renew_failure" default:"keep" validate:"omitempty,oneof=keep end"`
	// RenewInterval is how often the token of a right may be renewed in the long run; five
	// attempts may come at once. [paseto.NoLimit] for any number. Default 10s.
	RenewInterval time.Duration `koanf:"renew_interval" default:"10s" validate:"omitempty,none|min=1ms,max=24h"`

	// RecheckInterval is how often every right is checked anew: for
	// revocations that the denylist failed to tell at once, and for keys that were taken
	// out; half of [Config.MaxUnchecked] if that is shorter. Default 1m.
	RecheckInterval time.Duration `koanf:"recheck_interval" default:"1m" validate:"omitempty,min=1ms,max=24h"`
	// MaxUnchecked is how long a right may last while the denylist cannot
	// be asked; [paseto.NoLimit] for any time. Default 5m. Danger: without limit, an
	// attacker who can cut the connection to the denylist keeps rights alive that were
	// revoked elsewhere, until their tokens expire.
	MaxUnchecked time.Duration `koanf:"max_unchecked" default:"5m" validate:"omitempty,none|min=1ms,max=876000h"`

	// ShutdownRate is how many rights a shutdown ends a second, so that their
	// clients do not all come back at once. Default 1000.
	ShutdownRate int `koanf:"shutdown_rate" default:"1000" validate:"omitempty,min=1,max=1000000"`
}

// Validate reports everything that is wrong with the configuration, as an error that
// wraps [paseto.ErrConfig]. [New] calls it.
func (c Config) Validate() error { return settings.Check(c).Err(paseto.ErrConfig) }

// withDefaults returns the configuration with its defaults filled in. 0 stands for what
// is not limited, but for MaxUnchecked.
func (c Config) withDefaults() Config {
	settings.SetDefaults(&c)
	c.MaxLifetime, c.RenewInterval = max(0, c.MaxLifetime), max(0, c.RenewInterval)
	c.MaxRights, c.PerSubject = max(0, c.MaxRights), max(0, c.PerSubject)
	return c
}
