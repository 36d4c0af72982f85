// Package sentinel has the type of the errors that packages export to be compared
// by errors.Is. They are constants, so that no program can change them.
package sentinel

// Error is an error that is its text. Two of the same text are the same error, so
// each begins with the name of its package.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }
