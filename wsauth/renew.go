package wsauth

import "context"

// Renew replaces the connection's token by a newer one, so that it lives on: for a client
// that sends it in a message of the application's own protocol; see [Config.RenewMessages]
// for one that the application need not know. What it asks of the token, its errors, and
// what becomes of the connection then, is that of [live.Right.Renew].
func (c *Conn) Renew(ctx context.Context, token string) error { return c.right.Renew(ctx, token) }

// renewsBy takes a message that renews the token out of the application's hands.
func (c *Conn) renewsBy(kind MessageKind, data []byte) bool {
	if !c.gate.guard.cfg.RenewMessages {
		return false
	}
	token, isOurs, err := c.tokenOf(kind, data)
	switch {
	case !isOurs:
		return false
	case c.right.Ended():
		return true
	case err != nil:
		err = c.right.RefuseRenewal(c.Context(), err)
	default:
		err = c.right.Renew(c.Context(), token)
	}
	switch {
	case c.right.Ended():
	case err != nil:
		c.refused(kind, data, err)
	default:
		c.accepted(kind, data)
	}
	return !c.gate.messages.PassOn || c.right.Ended()
}
