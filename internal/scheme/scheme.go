// Package scheme finds what is left of a header before a token.
package scheme

import (
	"errors"
	"regexp"
)

// ErrLeft is the cause of the refusal of a token that has a scheme before it.
var ErrLeft = errors.New("a scheme, such as Bearer, was left before the token; give the token alone")

// left matches words before a token, as it is or wrapped in base64.
var left = regexp.MustCompile(`^\s*(?:\S+\s+)+(?:v\d+\.|dj)`)

// IsLeft reports whether a scheme was left before a token, or a whole header.
func IsLeft(token string) bool { return left.MatchString(token) }
