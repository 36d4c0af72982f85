package wsauth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// RenewFailure says what becomes of a connection whose renewal is refused.
type RenewFailure string

const (
	// RenewFailureKeeps: it goes on with its present token, until that expires.
	RenewFailureKeeps RenewFailure = "keep"
	// RenewFailureCloses: it is closed for the refusal.
	RenewFailureCloses RenewFailure = "close"
)

// renewExcess is how many renewals too many, one after the other, end a connection:
// its client does not listen.
const renewExcess = 100

// renewBurst is how many renewals may come at once before [Config.RenewInterval]
// counts.
const renewBurst = 5

// Renew replaces the connection's token by a newer one, so that it lives on: one of
// the same subject and session that meets the route's requirement, is not revoked
// and does not expire before the present one. For a client that sends it in a
// message of the application's own protocol; see [Config.RenewMessages] for one
// that the application need not know. The requirement's Check sees the values of the
// connection's context, and those of ctx for what that has none of; it ends with either.
//
// The error is that of [paseto.Authorizer.Verify], [ErrOtherSubject], [ErrOlder] or
// [ErrRenewals]; the connection then goes on with its present token, or is closed,
// as [Config.RenewFailure] says. A hundred times ErrRenewals in a row close it in any
// case. Once the connection is being closed the error is
// the context's cause.
func (c *Conn) Renew(ctx context.Context, token string) error {
	return c.renewBy(ctx, authMessage{token: token}, nil)
}

// renewBy is Renew for a message, which may be malformed.
func (c *Conn) renewBy(ctx context.Context, m authMessage, malformed error) error {
	c.renewing.Lock()
	defer c.renewing.Unlock()
	var err error
	excess := !c.mayRenew()
	switch {
	case excess:
		err = refusal.New(ErrRenewals)
	case malformed != nil:
		err = refusal.Newf(ErrMessage, "%w", malformed)
	default:
		err = c.renew(ctx, m.token)
	}
	switch {
	case c.closing.Load():
		return c.cause()
	case excess: // a flood is not to fill the log
		c.excess++
		if c.excess >= renewExcess || c.gate.guard.cfg.RenewFailure == RenewFailureCloses {
			c.close(err)
		}
		return err
	case err == nil:
		c.gate.guard.tell(Event{Kind: EventRenewed, Conn: c, Claims: c.Claims()})
		return nil
	}
	c.gate.guard.clientLog.Write(ctx, c.addresses, slog.LevelInfo, "renewal refused", "err", err, "claims", c.Claims())
	c.gate.guard.tell(Event{Kind: EventRenewalRefused, Conn: c, Claims: c.Claims(), Err: err})
	if c.gate.guard.cfg.RenewFailure == RenewFailureCloses && !isOutage(err) {
		c.close(err)
	}
	return err
}

// isOutage reports whether a refusal says nothing of the token.
func isOutage(err error) bool {
	return errors.Is(err, paseto.ErrUnavailable) || errors.Is(err, paseto.ErrKeysUnavailable) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (c *Conn) renew(ctx context.Context, token string) error {
	required := c.gate.req
	required.Optional = false
	ctx, stop := c.whileOpen(ctx)
	defer stop()
	claims, err := c.gate.guard.auth.Verify(ctx, token, c.atRenewal(required))
	if err != nil {
		return err
	}
	present := c.Claims()
	if present == nil || claims.Subject != present.Subject || claims.Session != present.Session {
		return refusal.New(ErrOtherSubject)
	}
	if before, after := c.gate.guard.auth.Deadline(present), c.gate.guard.auth.Deadline(claims); !after.IsZero() && (before.IsZero() || after.Before(before)) {
		return refusal.Newf(ErrOlder, "it expires at %s, the present one at %s", after, before)
	}
	if !c.gate.guard.conns.rebind(c, claims) {
		return nil // it is over
	}
	c.expireLater()
	// What was revoked before the connection could be found by its new claims has
	// not closed it.
	switch err := c.gate.guard.auth.Recheck(c.ctx, claims); { //nolint:contextcheck // It is the connection's concern now.
	case err == nil:
		c.checked.Store(c.gate.guard.moment())
	case isOutage(err):
		c.gate.guard.recheckSoon()
	default:
		c.close(err)
	}
	return nil
}

// mayRenew counts an attempt to renew, unless there were too many of late.
func (c *Conn) mayRenew() bool {
	now, interval := c.gate.guard.moment(), max(0, int64(c.gate.guard.cfg.RenewInterval))
	if c.renewed = max(c.renewed, now); c.renewed-now > (renewBurst-1)*interval {
		return false
	}
	c.renewed += interval
	c.excess = 0
	return true
}

// renewsBy takes a message that renews the token out of the application's hands.
func (c *Conn) renewsBy(kind MessageKind, data []byte) bool {
	if !c.gate.guard.cfg.RenewMessages || kind != TextMessage || !mayBeAuth(data) {
		return false
	}
	m, malformed := parseAuth(data)
	if !m.ours {
		return false
	}
	err := c.renewBy(c.ctx, m, malformed)
	switch {
	case c.closing.Load():
	case err != nil:
		c.decline(err)
	default:
		c.accept()
	}
	return true
}

// mayBeAuth spares most messages the parsing: the type of one that is ours is
// written as it is, or with escapes.
func mayBeAuth(data []byte) bool {
	return bytes.Contains(data, []byte(`"`+authType+`"`)) || bytes.Contains(data, []byte(`\u`))
}
