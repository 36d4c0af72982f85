package paseto

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// ttl returns the configured lifetime of tokens of a type.
func (c Config) ttl(tokenType string) time.Duration {
	switch tokenType {
	case TypeAccess:
		return c.AccessTTL
	case TypeRefresh:
		return c.RefreshTTL
	}
	return c.OtherTTL
}

// authTime returns the auth_time of a token issued at now, zero for none.
func (g Grant) authTime(tokenType string, now time.Time, leeway time.Duration) (time.Time, error) {
	switch {
	case g.AuthTime.After(now.Add(leeway + time.Second)):
		return time.Time{}, fmt.Errorf("%w: AuthTime is in the future", ErrGrant)
	case !g.AuthTime.IsZero():
		return g.AuthTime.UTC().Truncate(time.Second), nil
	case tokenType == TypeAccess, tokenType == TypeRefresh:
		return now, nil
	}
	return time.Time{}, nil
}

// within cuts an expiry, zero for none, down to the end of the session that
// began at authTime.
func (c Config) within(authTime, expires time.Time) time.Time {
	if c.SessionTTL == NoExpiry || authTime.IsZero() {
		return expires
	}
	if end := authTime.Add(c.SessionTTL.Truncate(time.Second)); expires.IsZero() || end.Before(expires) {
		return end
	}
	return expires
}

// lifetime returns the nbf and exp of a token issued at now in a session that
// began at authTime, if that is not zero; exp is zero for none.
func (g Grant) lifetime(now, authTime time.Time, ttl time.Duration, cfg Config) (notBefore, expires time.Time, err error) {
	bad := func(format string, args ...any) (time.Time, time.Time, error) {
		return time.Time{}, time.Time{}, fmt.Errorf("%w: %s", ErrGrant, fmt.Sprintf(format, args...))
	}
	if g.TTL != 0 && !g.ExpiresAt.IsZero() {
		return bad("TTL and ExpiresAt are both set")
	}
	notBefore = now
	if !g.NotBefore.IsZero() {
		notBefore = g.NotBefore.UTC().Truncate(time.Second)
	}
	ttl = cmp.Or(g.TTL, ttl)
	expires = g.ExpiresAt.UTC().Truncate(time.Second)
	if g.ExpiresAt.IsZero() {
		switch {
		case ttl == NoExpiry && !cfg.AllowNoExpiry:
			return bad("NoExpiry, and tokens without expiry are refused here (see Config.AllowNoExpiry)")
		case exceeds(ttl, cfg.MaxTTL):
			return bad("a lifetime of %s is longer than Config.MaxTTL, %s", settings.Text(ttl), settings.Text(cfg.MaxTTL))
		case ttl != NoExpiry:
			expires = now.Add(ttl.Truncate(time.Second))
		}
	}
	expires = cfg.within(authTime, expires)
	switch {
	case expires.IsZero():
		return notBefore, expires, nil
	case expires.Before(now.Add(time.Second)):
		return bad("it expires too soon; expected at least 1s after its issue, and within Config.SessionTTL of AuthTime")
	case cfg.MaxTTL != NoExpiry && expires.After(now.Add(cfg.MaxTTL)):
		return bad("ExpiresAt is later than Config.MaxTTL, %s, allows", cfg.MaxTTL)
	case !notBefore.Before(expires):
		return bad("NotBefore is not before the expiry")
	}
	return notBefore, expires, nil
}

// lifetimeOf returns how long a token was given to live, as far as that may be
// given again, and zero where it does not say.
func (a *Authorizer) lifetimeOf(c *Claims) time.Duration {
	switch {
	case c.ExpiresAt.IsZero() && exceeds(NoExpiry, a.cfg.MaxTTL):
		return a.cfg.MaxTTL
	case c.ExpiresAt.IsZero():
		return NoExpiry
	case c.IssuedAt.IsZero() || !c.IssuedAt.Before(c.ExpiresAt):
		return 0
	}
	ttl := max(c.ExpiresAt.Sub(c.IssuedAt), time.Second)
	if exceeds(ttl, a.cfg.MaxTTL) {
		return a.cfg.MaxTTL
	}
	return ttl
}

// exceeds reports whether a lifetime is longer than the bound.
func exceeds(ttl, bound time.Duration) bool {
	return bound != NoExpiry && (ttl == NoExpiry || ttl > bound)
}
