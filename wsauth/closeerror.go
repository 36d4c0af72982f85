package wsauth

import (
	"errors"
	"fmt"

	"github.com/gorilla/websocket"
)

// CloseError says that the peer closed the connection. It is what a read of a [Conn]
// returns then, and the cause of its context; [errors.As] finds it.
type CloseError struct {
	// Code is what the peer gave: [CloseNoCode] if nothing, and [CloseAbnormal] if
	// the connection broke off without a close frame.
	Code CloseCode
	// Reason is the peer's text, often empty. Danger: the peer wrote it.
	Reason string
}

// Error implements error.
func (e *CloseError) Error() string {
	if e == nil {
		return "wsauth: a nil *CloseError"
	}
	if e.Code == CloseAbnormal {
		return "wsauth: peer broke the connection off without closing it"
	}
	if e.Reason == "" {
		return fmt.Sprintf("wsauth: peer closed the connection with code %d", e.Code)
	}
	return fmt.Sprintf("wsauth: peer closed the connection with code %d, %q", e.Code, e.Reason)
}

// readError returns the error of a read in the types of this package.
func readError(err error) error {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	switch {
	case !ok:
		return err
	case closed.Code == websocket.CloseAbnormalClosure: // whose text is not the peer's
		return &CloseError{Code: CloseAbnormal}
	}
	return &CloseError{Code: CloseCode(closed.Code), Reason: closed.Text}
}
