package wsauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// A token may come in a message of the connection itself, as the first one (see
// [httpauth.LocationMessage]) or to renew the one before (see [Config.RenewMessages]):
//
//	{"type":"auth","token":"v4.local.…"}
//
// and is answered with when the connection will end now, or with why not.

// authType is the type member of these messages.
const authType = "auth"

// authSpace is what such a message may be longer than its token.
const authSpace = 256

// authMessage is what a client sends.
type authMessage struct {
	ours  bool // it is such a message
	token string
}

// parseAuth reads a message that may carry a token. The error is about one that
// should, and is not as it has to be.
func parseAuth(data []byte) (authMessage, error) {
	var m authMessage
	var odd error
	err := strictjson.Object(data, func(name string, value json.RawMessage) error {
		switch name {
		case "type":
			var kind string
			m.ours = json.Unmarshal(value, &kind) == nil && kind == authType
		case "token":
			if json.Unmarshal(value, &m.token) != nil || bytes.Equal(value, []byte("null")) {
				odd = errors.New("its token is not a string")
			}
		default:
			odd = fmt.Errorf("it has the member %.32q", name)
		}
		return nil
	})
	if err != nil {
		return authMessage{ours: m.ours || isLooselyAuth(data)}, err
	}
	if !m.ours {
		return authMessage{}, nil
	}
	return m, odd
}

// isLooselyAuth reports whether JSON that is not strict would be of our type for a
// program that does not mind.
func isLooselyAuth(data []byte) bool {
	var members map[string]json.RawMessage
	var kind string
	return json.Unmarshal(data, &members) == nil && json.Unmarshal(members["type"], &kind) == nil && kind == authType
}

// authAnswer is what the guard answers.
type authAnswer struct {
	Type string `json:"type"`
	// ExpiresAt is when the connection will end, and ExpiresIn the same in
	// whole seconds from now, for clients whose clock is wrong.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	ExpiresIn *int64     `json:"expires_in,omitempty"`
	// Code and Message are those of a refusal.
	Code    paseto.Code `json:"code,omitempty"`
	Message string      `json:"message,omitempty"`
}

// accept answers a message whose token is accepted.
func (c *Conn) accept() {
	answer := authAnswer{Type: authType}
	if deadline := c.Deadline(); !deadline.IsZero() {
		at := deadline.UTC()
		in := int64(max(0, deadline.Sub(c.gate.guard.auth.Now())) / time.Second)
		answer.ExpiresAt, answer.ExpiresIn = &at, &in
	}
	_ = c.WriteJSON(answer) // a failure ends the connection
}

// decline answers a message whose token is refused.
func (c *Conn) decline(refused error) {
	told := httpauth.Refusal(refused)
	_ = c.WriteJSON(authAnswer{Type: authType, Code: told.Code, Message: told.Message})
}

// firstMessage returns the claims of the token that the first message carries.
func (c *Conn) firstMessage() (*paseto.Claims, error) {
	kind, data, err := c.readFirst()
	if err != nil {
		return nil, err
	}
	m, err := parseAuth(data)
	switch {
	case kind != TextMessage:
		return nil, refusal.Newf(ErrMessage, "it is binary")
	case err != nil:
		return nil, refusal.Newf(ErrMessage, "%w", err)
	case !m.ours:
		return nil, refusal.Newf(ErrMessage, "it is of another type")
	}
	return c.gate.guard.auth.Verify(c.Context(), m.token, c.gate.Requirement)
}

// readFirst reads one message that is no longer than a token may be. Its error is
// why the connection has ended.
func (c *Conn) readFirst() (kind MessageKind, data []byte, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	c.ws.SetReadLimit(int64(c.gate.guard.auth.Config().MaxLength) + authSpace)
	kind, data, err = c.read()
	c.ws.SetReadLimit(c.gate.guard.cfg.ReadLimit)
	if err != nil {
		c.in.failed = true
		c.end(err)
	}
	if err != nil || c.right.Ended() {
		return 0, nil, c.cause()
	}
	return kind, data, nil
}
