package wsauth

import (
	"bytes"
	"context"

	"github.com/pasetokit/pasetokit/internal/refusal"
)

// Renew replaces the connection's token by a newer one, so that it lives on: for a client
// that sends it in a message of the application's own protocol; see [Config.RenewMessages]
// for one that the application need not know. What it asks of the token, its errors, and
// what becomes of the connection then, is that of [live.Right.Renew].
func (c *Conn) Renew(ctx context.Context, token string) error { return c.right.Renew(ctx, token) }

// renewsBy takes a message that renews the token out of the application's hands.
func (c *Conn) renewsBy(kind MessageKind, data []byte) bool {
	if !c.gate.guard.cfg.RenewMessages || kind != TextMessage || !mayBeAuth(data) {
		return false
	}
	m, malformed := parseAuth(data)
	if !m.ours {
		return false
	}
	var err error
	if malformed != nil {
		err = c.right.RefuseRenewal(c.Context(), refusal.Newf(ErrMessage, "%w", malformed))
	} else {
		err = c.right.Renew(c.Context(), m.token)
	}
	switch {
	case c.right.Ended():
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
