package wsauth

import (
	"errors"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TokenMessages says how clients show tokens in messages of the application's own protocol. They
// replace the built-in message {"type":"auth"} in two places: as the first message, on a route
// with the location [httpauth.LocationMessage]; and as messages that renew the token, if
// [Config.RenewMessages] is true. A first message may be 4 KiB longer than the longest token.
//
// The goroutine that reads from the connection calls the functions. They may write, send and
// close, but must not read. If several protocols share a route, [Conn.Subprotocol] tells which
// one the connection uses. A panic closes the connection, as a panic of the handler does.
type TokenMessages struct {
	// Token reads a message. It is required.
	//
	// isOurs says whether the message is about tokens. If not, a first message is refused,
	// and a later one is left to the handler, even with an error. If it is, an error says
	// what is wrong with it: the error is logged, and the client is told [ErrMessage]. An
	// empty token is an anonymous caller, which only an optional route admits.
	Token func(conn *Conn, kind MessageKind, data []byte) (token string, isOurs bool, err error)
	// Accepted answers a message whose token was accepted; conn has its claims. An error
	// closes the connection: with its own code if it is a [*paseto.Error], and otherwise as
	// [httpauth.ErrServer]. Default nil: there is no answer.
	Accepted func(conn *Conn, kind MessageKind, data []byte) error
	// Refused answers a message whose token was refused; told has a code and a message that
	// the client may see. After a first message the connection is then closed. An error is
	// handled as that of Accepted. Default nil: there is no answer.
	Refused func(conn *Conn, kind MessageKind, data []byte, told *paseto.Error) error
	// PassOn gives these messages to the handler too, after the answer. It is for a server
	// that wants to see and answer them itself. A refused first message is never passed on.
	// A message that renews the token is passed on even if it was refused.
	PassOn bool
}

// WithTokenMessages lets clients of the route show their tokens in messages of the
// application's own protocol. It is only for handshakes. It has no effect, and [Guard.Require]
// logs a warning, if the route has neither the location [httpauth.LocationMessage] nor
// [Config.RenewMessages].
func WithTokenMessages(m TokenMessages) httpauth.RouteOption {
	return func(r *locate.Route) { r.TokenMessages = &m }
}

// WithLogin lets an anonymous connection of the route log in: with a message of
// [Config.RenewMessages], or by [Conn.Renew]. From then on it is like a connection that was
// opened with that token: it counts for the subject, revocations find it, and it is closed when
// the token expires. The option is only for handshakes, and needs a requirement that is
// optional.
func WithLogin() httpauth.RouteOption {
	return func(r *locate.Route) { r.Login = true }
}

// How many bytes a first message may be longer than the longest token: the built-in message,
// and one of the application's own protocol.
const (
	authSpace = 256
	ownSpace  = 4 << 10
)

// tokenMessages returns the TokenMessages of the route. The error is a mistake of the program.
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

// space returns how many bytes a first message may be longer than the longest token.
func (m *TokenMessages) space() int64 {
	if m == builtIn {
		return authSpace
	}
	return ownSpace
}

// tokenOf returns the token of a message, and whether the message is about tokens. The error is
// a refusal, or the cause if a panic has ended the connection.
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

// respond writes an answer. If that fails it closes the connection: the client would wait for
// the answer.
func (c *Conn) respond(write func() error) {
	if err := c.run(write); err != nil {
		c.close(err) // does nothing if a failed write has ended the connection
	}
}

// run calls a function of the application. A panic in it ends the connection.
func (c *Conn) run(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = c.panicked("function of TokenMessages panicked", cause)
		}
	}()
	return f()
}
