// Package scheme finds what is left of a header before a token.
package scheme

import (
	"errors"
	"strings"
)

// ErrLeft is the cause of the refusal of a token that has a scheme before it.
var ErrLeft = errors.New("a scheme, such as Bearer, was left before the token; give the token alone")

const space = " \t\r\n"

// IsLeft reports whether a scheme, or a whole header, was left before a token, which may
// be wrapped in base64. It allocates nothing: strangers send what it looks at.
func IsLeft(token string) bool {
	token = strings.Trim(token, space)
	at := strings.LastIndexAny(token, space)
	if at < 0 {
		return false
	}
	last := token[at+1:]
	if strings.HasPrefix(last, "dj") { // v and a digit in base64
		return true
	}
	return len(last) > 2 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9' && last[2] == '.'
}
