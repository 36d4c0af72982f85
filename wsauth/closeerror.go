package wsauth

import (
	"errors"
	"fmt"

	"github.com/gorilla/websocket"
)

// CloseError says that the peer closed the connection. Reads of the [Conn] return it then, and
// it is the cause of the context; [errors.As] finds it.
type CloseError struct {
	// Code is the code that the peer sent. It is [CloseNoCode] if the close frame had none,
	// and [CloseAbnormal] if the connection broke off without a close frame.
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
		return "wsauth: peer broke the connection off without a close frame"
	}
	if e.Reason == "" {
		return fmt.Sprintf("wsauth: peer closed the connection with code %d", e.Code)
	}
	return fmt.Sprintf("wsauth: peer closed the connection with code %d, %q", e.Code, e.Reason)
}

// readError turns the error of a read of gorilla/websocket into one of this package.
func readError(err error) error {
	closed, ok := errors.AsType[*websocket.CloseError](err)
	switch {
	case !ok:
		return err
	case closed.Code == websocket.CloseAbnormalClosure: // here gorilla wrote the text, not the peer
		return &CloseError{Code: CloseAbnormal}
	}
	return &CloseError{Code: CloseCode(closed.Code), Reason: closed.Text}
}
