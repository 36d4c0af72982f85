// Package refusal makes the refusals that httpauth and wsauth return.
package refusal

import (
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// New returns the refusal of code with its message.
func New(code paseto.Code) *paseto.Error {
	return &paseto.Error{Code: code, Message: code.Message()}
}

// Newf returns the refusal of code with its message, and a cause for the log.
func Newf(code paseto.Code, format string, args ...any) *paseto.Error {
	err := New(code)
	err.Cause = fmt.Errorf(format, args...)
	return err
}

// Later returns the refusal of code that says how long to wait.
func Later(code paseto.Code, wait time.Duration) *paseto.Error {
	err := Newf(code, "for %s", wait)
	err.RetryAfter = wait
	return err
}
