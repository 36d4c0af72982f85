package wsauth

import (
	"errors"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TokenMessages is how clients show tokens in messages of the application's own protocol. It
// takes the place of the built-in message {"type":"auth"}: for the first message, where the
// route has the location [httpauth.LocationMessage], and for renewals, where
// [Config.RenewMessages] is true. A first message may be 4 KiB longer than the longest token.
//
// Its functions are called by the goroutine that reads. They may write, send and close, and
// must not read. Where several protocols share a route, [Conn.Subprotocol] tells which one
// this is. A panic closes the connection, as a panic of the handler does.
type TokenMessages struct {
	// Token reads a message. It returns isOurs false for one that is not about tokens: a
	// first message is then refused, and a later one is the handler's, also with an error.
	// An error about one that is says why it is not as it has to be: it is for the log, and the
	// client is told [ErrMessage]. Without a token the caller is anonymous, where the route
	// is optional. Required.
	Token func(conn *Conn, kind MessageKind, data []byte) (token string, isOurs bool, err error)
	// Accepted answers a message whose token was accepted; conn has its claims. An error
	// closes the connection: for [httpauth.ErrServer], unless it is a [*paseto.Error].
	// Default nil: there is no answer.
	Accepted func(conn *Conn, kind MessageKind, data []byte) error
	// Refused answers a message whose token was refused, with a code and a message that the
	// client may see. After a first message the connection is closed then. An error is as
	// that of Accepted. Default nil: there is no answer.
	Refused func(conn *Conn, kind MessageKind, data []byte, told *paseto.Error) error
	// PassOn has the handler read these messages too, after the answer: for a server of the
	// protocol that wants to see and to answer them itself. A first message that is refused is
	// never passed on; a renewal is, whatever came of it.
	PassOn bool
}

// WithTokenMessages has clients of the route show their tokens in messages of the
// application's own protocol. It is for handshakes alone.
func WithTokenMessages(m TokenMessages) httpauth.RouteOption {
	return func(r *locate.Route) { r.TokenMessages = &m }
}

// WithLogin lets an anonymous connection of the route log in: with a message of
// [Config.RenewMessages], or by [Conn.Renew]. From then on it is like one that was opened
// with that token: counted for its subject, found by revocations, closed when the token
// expires. It is for handshakes alone, and needs a requirement that is optional.
func WithLogin() httpauth.RouteOption {
	return func(r *locate.Route) { r.Login = true }
}

// What a first message may be longer than its token: the built-in one, and one of the
// application's own protocol.
const (
	authSpace = 256
	ownSpace  = 4 << 10
)

// tokenMessages returns how tokens come in messages of the route. The error is about the
// program's mistake.
func (r route) tokenMessages() (*TokenMessages, error) {
	if r.TokenMessages == nil {
		return builtIn, nil
	}
	own, _ := r.TokenMessages.(*TokenMessages) // nothing else sets it
	if own == nil || own.Token == nil {
		return nil, errors.New("wsauth: TokenMessages.Token is nil; set it to a function that reads the token of a message")
	}
	return own, nil
}

// space is what a first message may be longer than its token.
func (m *TokenMessages) space() int64 {
	if m == builtIn {
		return authSpace
	}
	return ownSpace
}

// tokenOf returns the token of a message, and whether it should carry one. The error is a
// refusal, or the end of the connection.
func (c *Conn) tokenOf(kind MessageKind, data []byte) (token string, isOurs bool, err error) {
	panicked := c.run(func() error {
		token, isOurs, err = c.gate.messages.Token(c, kind, data)
		return nil
	})
	switch {
	case panicked != nil:
		return "", true, panicked
	case err != nil:
		return "", isOurs, c.badMessage(err)
	}
	return token, isOurs, nil
}

func (c *Conn) badMessage(reason error) *paseto.Error {
	bad := refusal.Newf(ErrMessage, "%w", reason)
	if c.gate.messages != builtIn {
		bad.Message = "Bad message. Expected one that carries a token"
	}
	return bad
}

// accepted answers a message whose token was accepted.
func (c *Conn) accepted(kind MessageKind, data []byte) {
	if answer := c.gate.messages.Accepted; answer != nil {
		c.respond(func() error { return answer(c, kind, data) })
	}
}

// refused answers a message whose token was refused.
func (c *Conn) refused(kind MessageKind, data []byte, err error) {
	if answer := c.gate.messages.Refused; answer != nil {
		c.respond(func() error { return answer(c, kind, data, httpauth.Refusal(err)) })
	}
}

// respond has an answer written. If it cannot be, the client would wait for it in vain.
func (c *Conn) respond(write func() error) {
	if err := c.run(write); err != nil {
		c.close(err) // unless the write has failed, which has ended the connection
	}
}

// run calls a function of the application's. A panic of it ends the connection.
func (c *Conn) run(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = c.panicked("function of TokenMessages panicked", cause)
		}
	}()
	return f()
}
