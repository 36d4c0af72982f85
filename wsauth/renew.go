package wsauth

import "context"

// Renew replaces the token of the connection by a newer one, so that the connection stays open.
// A handler calls it when the token came in a message of the application's own protocol. With
// [Config.RenewMessages] the guard does that by itself. [live.Right.Renew] says what the token
// must be, and what an error does.
func (c *Conn) Renew(ctx context.Context, token string) error { return c.right.Renew(ctx, token) }

// renewsBy handles a message that renews the token. It returns false if the message is the
// handler's.
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
