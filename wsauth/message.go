package wsauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto"
)

// A token may come in a message: in the first one (see [httpauth.LocationMessage]), or in a
// later one, which renews the token (see [Config.RenewMessages]):
//
//	{"type":"auth","token":"v4.local.…"}
//
// The answer says when the connection will end now, or why the token was refused.

// authType is the type member of these messages.
const authType = "auth"

// builtIn reads and answers these messages. A first message that is refused is answered only
// by the close.
var builtIn = &TokenMessages{
	Token:    func(_ *Conn, kind MessageKind, data []byte) (string, bool, error) { return parseAuth(kind, data) },
	Accepted: func(conn *Conn, _ MessageKind, _ []byte) error { return conn.WriteJSON(acceptance(conn)) },
	Refused: func(conn *Conn, _ MessageKind, _ []byte, told *paseto.Error) error {
		return conn.WriteJSON(authAnswer{Type: authType, Code: told.Code, Message: told.Message})
	},
}

// parseAuth reads a message that may carry a token. The error says what is wrong with the
// form of a message that should carry one.
func parseAuth(kind MessageKind, data []byte) (token string, isOurs bool, err error) {
	if kind != TextMessage || !mayBeAuth(data) {
		return "", false, nil
	}
	var odd error
	err = strictjson.Object(data, func(name string, value json.RawMessage) error {
		switch name {
		case "type":
			var kind string
			isOurs = json.Unmarshal(value, &kind) == nil && kind == authType
		case "token":
			if json.Unmarshal(value, &token) != nil || bytes.Equal(value, []byte("null")) {
				odd = errors.New("its token is not a string")
			}
		default:
			odd = fmt.Errorf("it has the member %.32q", name)
		}
		return nil
	})
	switch {
	case err != nil:
		return "", isOurs || isLooselyAuth(data), err
	case !isOurs:
		return "", false, nil
	}
	return token, true, odd
}

// mayBeAuth reports whether a message may be ours, so that most messages need not be parsed:
// one of ours has its type in plain letters or in escapes.
func mayBeAuth(data []byte) bool {
	return bytes.Contains(data, []byte(`"`+authType+`"`)) || bytes.Contains(data, []byte(`\u`))
}

// isLooselyAuth reports whether a parser that is not strict would find our type in a message.
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

// acceptance is the answer to a message whose token is accepted.
func acceptance(conn *Conn) authAnswer {
	answer := authAnswer{Type: authType}
	if deadline := conn.Deadline(); !deadline.IsZero() {
		at := deadline.UTC()
		in := int64(max(0, deadline.Sub(conn.gate.guard.auth.Now())) / time.Second)
		answer.ExpiresAt, answer.ExpiresIn = &at, &in
	}
	return answer
}
