package wsauth

import (
	"bytes"
	"context"
	"errors"

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

// renewBurst is how many renewals may come at once before [Config.RenewInterval]
// counts.
const renewBurst = 5

// Renew replaces the connection's token by a newer one, so that it lives on: one of
// the same subject and session that meets the route's requirement, is not revoked
// and does not expire before the present one. For a client that sends it in a
// message of the application's own protocol; see [Config.RenewMessages] for one
// that the application need not know.
//
// The error is that of [paseto.Authorizer.Verify], [ErrOtherSubject], [ErrOlder] or
// [ErrRenewals]; the connection then goes on with its present token, or is closed,
// as [Config.RenewFailure] says. Once the connection is being closed the error is
// the context's cause.
func (c *Conn) Renew(ctx context.Context, token string) error {
	c.renewing.Lock()
	defer c.renewing.Unlock()
	err := c.renew(ctx, token)
	switch {
	case c.closing.Load():
		return c.cause()
	case err == nil:
		c.gate.guard.tell(Event{Kind: EventRenewed, Conn: c, Claims: c.Claims()})
		return nil
	}
	c.gate.guard.log.InfoContext(ctx, "renewal refused", "err", err, "claims", c.Claims())
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
	if !c.mayRenew() {
		return ErrRenewals
	}
	if token == "" { // which Verify lets in where the route is optional
		return paseto.ErrNoToken
	}
	required := c.gate.req
	required.Optional = false
	claims, err := c.gate.guard.auth.Verify(ctx, token, required)
	if err != nil {
		return err
	}
	present := c.Claims()
	if present == nil || claims.Subject != present.Subject || claims.Session != present.Session {
		return ErrOtherSubject
	}
	if before, after := c.gate.guard.auth.Deadline(present), c.gate.guard.auth.Deadline(claims); !after.IsZero() && (before.IsZero() || after.Before(before)) {
		return refusal(ErrOlder, "it expires at %s, the present one at %s", after, before)
	}
	c.gate.guard.conns.rebind(c, claims)
	c.expireLater()
	// What was revoked before the connection could be found by its new claims has
	// not closed it.
	if err := c.gate.guard.auth.Recheck(ctx, claims); err != nil && !isOutage(err) {
		c.close(err)
	}
	return nil
}

// mayRenew counts an attempt to renew, unless there were too many of late.
func (c *Conn) mayRenew() bool {
	now, interval := c.gate.guard.moment(), int64(c.gate.guard.cfg.RenewInterval)
	if c.renewed = max(c.renewed, now); c.renewed-now > (renewBurst-1)*interval {
		return false
	}
	c.renewed += interval
	return true
}

// renewsBy takes a message that renews the token out of the application's hands.
func (c *Conn) renewsBy(kind int, data []byte) bool {
	if !c.gate.guard.cfg.RenewMessages || kind != TextMessage || !bytes.Contains(data, []byte(`"`+authType+`"`)) {
		return false
	}
	m, err := parseAuth(data)
	if !m.ours {
		return false
	}
	if err == nil {
		err = c.Renew(c.ctx, m.token)
	} else {
		err = refusal(ErrMessage, "%w", err)
	}
	switch {
	case c.closing.Load():
	case err != nil:
		c.decline(err)
	default:
		c.accept()
	}
	return true
}
