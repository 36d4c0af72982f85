package paseto

import (
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// NoLimit, as a number or a duration that bounds something, lifts the bound: none in files.
const NoLimit = -1

// NoExpiry is the lifetime of a token without an exp claim: none in files. Such a token
// is valid until its key is withdrawn or it is revoked; an [Authorizer] accepts it
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
	// Version is the PASETO version of new tokens: v2, v3 or v4. Default v4. A [Grant]
	// may choose another.
	Version Version `koanf:"version" default:"v4" validate:"omitempty,paseto_version"`
	// Purpose is the purpose of new tokens: local (encrypted) or public (signed, readable
	// by everyone). Default local. A [Grant] may choose another.
	Purpose Purpose `koanf:"purpose" default:"local" validate:"omitempty,oneof=local public"`
	// Keys that issue and open. At least one is required, unless there is a
	// [KeySource]. The first one that can issue the version and purpose of a
	// new token issues it; every key opens the tokens of its own version and
	// purpose. An Authorizer whose keys only verify cannot issue.
	// [Authorizer.SetKeys] replaces them later.
	Keys []Key
	// OmitKeyID leaves the key's id (kid) out of the footers of new tokens. Verifiers then
	// try all keys of the token's version and purpose. Default false: a token whose footer
	// is a JSON object, or that has none, carries the [Key.KeyID] of its key as the footer
	// member kid.
	OmitKeyID bool `koanf:"omit_key_id"`

	// Issuer is the iss claim of new tokens. Set it, and [Config.RequireIssuer], where several
	// services have the same key. Default none: they have no iss.
	Issuer string `koanf:"issuer" validate:"omitempty,ne=none"`
	// Audience is the aud claim of new tokens. Set it, and [Config.RequireAudience], where
	// several services have the same key. Default none: they have no aud.
	Audience []string `koanf:"audience" validate:"omitempty,dive,required,ne=none"`
	// RequireIssuer is the iss claim that every token must carry. Default none: iss
	// is not looked at.
	RequireIssuer string `koanf:"require_issuer" validate:"omitempty,ne=none"`
	// RequireAudience lists accepted audiences: the aud claim of every token
	// must name at least one of them. Default none: aud is not looked at.
	RequireAudience []string `koanf:"require_audience" validate:"omitempty,dive,required,ne=none"`

	// AccessTTL is the lifetime of new access tokens; [NoExpiry] for no end. Default 15m.
	AccessTTL time.Duration `koanf:"access_ttl" default:"15m" validate:"omitempty,none|min=1s,max=876000h"`
	// RefreshTTL is the lifetime of new refresh tokens, and so how long a session may stay
	// idle; [NoExpiry] for no end. Default 720h.
	RefreshTTL time.Duration `koanf:"refresh_ttl" default:"720h" validate:"omitempty,none|min=1s,max=876000h"`
	// OtherTTL is the lifetime of new tokens of other types; [NoExpiry] for no end. Default
	// 720h.
	OtherTTL time.Duration `koanf:"other_ttl" default:"720h" validate:"omitempty,none|min=1s,max=876000h"`
	// MaxTTL bounds the lifetime that a [Grant] may ask for; [NoExpiry] for no bound. The
	// revocation of a session or a subject is kept that long, so that it outlives every
	// token that it covers. Default: the longest of [Config.AccessTTL],
	// [Config.RefreshTTL] and [Config.OtherTTL], and no bound with
	// [Config.AllowNoExpiry]. When you shorten these, keep the old value here until
	// the tokens issued before have expired.
	MaxTTL time.Duration `koanf:"max_ttl" validate:"omitempty,none|min=1s,max=876000h"`
	// SessionTTL is the absolute lifetime of a session, from the login on,
	// however often it is refreshed: access and refresh tokens expire then at
	// the latest. [Config.RefreshTTL], in contrast, is how long a session may stay
	// idle. [NoExpiry] is for sessions that live for as long as they are refreshed.
	// Default: 90 days, or [Config.MaxTTL] if that is longer.
	SessionTTL time.Duration `koanf:"session_ttl" validate:"omitempty,none|min=1s,max=876000h"`
	// RefreshGrace is how long after its first use a refresh token still gets
	// the pair of tokens that it got then, for clients that present it twice without
	// meaning to: parallel tabs, a lost answer. A later use is taken for a
	// theft, and revokes the session. [NoGrace] takes every second use for one.
	// Default 10s. The clocks of all servers must differ by less than that. Danger: a thief
	// who presents a used token within that time gets the same pair. The theft is noticed
	// only when the refresh token of that pair is used twice.
	RefreshGrace time.Duration `koanf:"refresh_grace" default:"10s" validate:"omitempty,none|min=1ms,max=5m"`
	// RefreshesPerMinute is how many new pairs may come of one login in any
	// minute, by a denylist that checks refresh tokens; [NoRefreshLimit] for any number.
	// More are refused with status 429 and use nothing up. To get the same pair once
	// more, within [Config.RefreshGrace], does not count. Default 10. Of pairs that come
	// faster than 64 within the grace the earliest are not given again: their use counts
	// as a theft at once.
	RefreshesPerMinute int `koanf:"refreshes_per_minute" default:"10" validate:"omitempty,none|min=1,max=60"`
	// TicketTTL is the lifetime of tickets. Default 30s. [Config.Leeway] does not
	// lengthen it, and [Config.StartLeeway] counts for its beginning.
	TicketTTL time.Duration `koanf:"ticket_ttl" default:"30s" validate:"omitempty,min=1s,max=30s"`
	// AllowNoExpiry accepts tokens without an exp claim. Default false: they
	// are refused. Danger: such a token never ends, and works for anybody who finds it.
	// Revocations of sessions and subjects then have to be kept without end.
	AllowNoExpiry bool `koanf:"allow_no_expiry"`
	// StartLeeway is how far the clock of an issuer may be ahead: the times nbf and
	// iat are taken that much earlier. A [Grant.AuthTime] may lie ahead by as much.
	// Default 5s. [NoStartLeeway] is for not at all: then a machine whose clock is 200 ms
	// behind refuses a fifth of all fresh tokens.
	StartLeeway time.Duration `koanf:"start_leeway" default:"5s" validate:"omitempty,none|min=1ms,max=24h"`
	// Leeway is how long a token is accepted after the time in exp. Default 0s.
	Leeway time.Duration `koanf:"leeway" validate:"omitempty,min=1ms,max=24h"`

	// MaxLength is the longest token in bytes that is looked at, before it is
	// decoded or unwrapped; longer ones are not issued either. Default 8192.
	MaxLength int `koanf:"max_length" default:"8192" validate:"omitempty,min=256,max=1048576"`

	// Denylist says how the denylist is asked, where there is one.
	Denylist DenylistConfig
}

// DenylistConfig says how an [Authorizer] asks its denylist. The zero value of every
// field is its documented default.
type DenylistConfig struct {
	// Check lists the token types that are looked up in the denylist. Tokens of other
	// types are accepted although they are revoked, and a logout with one is answered
	// with status 501. Tickets are used up instead, and cannot be listed. Default access, refresh.
	Check []string `koanf:"check" default:"access,refresh" validate:"omitempty,min=1,unique,dive,denylist_type"`
	// FailOpen accepts tokens while the denylist cannot be asked. Default false: they
	// are refused with [ErrUnavailable]. Danger: an attacker who can cut the connection
	// to the store makes revoked tokens valid again.
	FailOpen bool `koanf:"fail_open"`
}

// withDefaults returns the configuration with its defaults filled in.
func (c Config) withDefaults() Config {
	settings.SetDefaults(&c)
	settings.SetDefaults(&c.Denylist)
	if c.MaxTTL == 0 {
		c.MaxTTL = max(c.AccessTTL, c.RefreshTTL, c.OtherTTL)
		if c.AllowNoExpiry {
			c.MaxTTL = NoExpiry
		}
	}
	if c.SessionTTL == 0 {
		c.SessionTTL = max(90*24*time.Hour, c.MaxTTL)
		if c.MaxTTL == NoExpiry {
			c.SessionTTL = NoExpiry
		}
	}
	return c.clone()
}

// clone returns a copy that shares no list.
func (c Config) clone() Config {
	c.Audience = slices.Clone(c.Audience)
	c.RequireAudience = slices.Clone(c.RequireAudience)
	c.Denylist.Check = slices.Clone(c.Denylist.Check)
	return c
}

// Validate reports everything that is wrong with the configuration, keys excepted, as an
// error that wraps [ErrConfig]. [New] calls it.
func (c Config) Validate() error {
	problems := settings.Check(c)
	for _, p := range settings.Check(c.Denylist) {
		p.Path = "Denylist." + p.Path
		problems = append(problems, p)
	}
	c = c.withDefaults()
	for _, ttl := range []struct {
		path  string
		value time.Duration
	}{
		{"AccessTTL", c.AccessTTL}, {"RefreshTTL", c.RefreshTTL}, {"OtherTTL", c.OtherTTL},
	} {
		switch {
		case ttl.value == NoExpiry && !c.AllowNoExpiry:
			problems.Add(ttl.path, ttl.value, "tokens without expiry are refused; set {AllowNoExpiry} to true as well")
		case c.MaxTTL > 0 && exceeds(ttl.value, c.MaxTTL):
			problems.Add(ttl.path, ttl.value, "longer than {MaxTTL}, %s", settings.Text(c.MaxTTL))
		}
	}
	return problems.Err(ErrConfig)
}

// startLeeway returns StartLeeway as a duration.
func (c Config) startLeeway() time.Duration { return max(0, c.StartLeeway) }
