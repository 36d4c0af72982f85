package paseto

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// misread says what editors, shells and other tools have made of a text that cannot be read, and
// how to mend it; else it returns otherwise. It shows nothing of the text.
func misread(text, otherwise string) string {
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(trimmed, "\ufeff"):
		return "it begins with a byte order mark: save it as UTF-8 without one"
	case isUTF16(text):
		return "it is text in UTF-16: save it as UTF-8 without a byte order mark"
	case len(trimmed) > 1 && strings.ContainsAny(trimmed[:1], `"'`) && trimmed[0] == trimmed[len(trimmed)-1]:
		return "it stands in quotes: take them away"
	case strings.HasPrefix(trimmed, "-----BEGIN ") && strings.Contains(trimmed, `\n`):
		return `its line breaks are written as \n: write real ones, as printf '%b' does`
	case strings.HasPrefix(trimmed, "-----BEGIN ") && strings.Contains(trimmed, "-----END ") && !strings.Contains(trimmed, "\n"):
		return "the PEM block has lost its line breaks"
	}
	return otherwise
}

// isUTF16 reports whether every other byte at the beginning is zero, as in UTF-16 of ASCII.
func isUTF16(text string) bool {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "\xff\xfe"), "\xfe\xff")
	const most = 8
	var zero [2]int
	for i := range min(len(text), most) {
		if text[i] == 0 {
			zero[i%2]++
		}
	}
	return len(text) >= most && (zero == [2]int{0, most / 2} || zero == [2]int{most / 2, 0})
}

// wrongSize says how many bytes a key should have, and of what keys it has as many.
func wrongSize(version Version, kind string, n int) string {
	text := fmt.Sprintf("a %s %s key has %d bytes, this one %d", version, kind, codec.Size(string(version), kind), n)
	switch n {
	case codec.Size(codec.V4, codec.Local):
		text += ", as a local key has, for purpose local"
	case codec.Size(codec.V4, codec.Secret):
		text += ", as a key pair of version 4 has, for purpose public"
	case codec.Size(codec.V3, codec.Secret):
		text += ", as a secret key of version 3 has, for purpose public"
	}
	return text
}

// aboutPassword says what surrounds a password that does not fit and can have come there by
// mistake.
func aboutPassword(password []byte) string {
	text := string(password)
	switch {
	case strings.HasPrefix(text, "\ufeff"):
		return "; the password begins with a byte order mark"
	case isUTF16(text):
		return "; the password is text in UTF-16"
	case strings.TrimFunc(text, unicode.IsSpace) != text:
		return "; the password begins or ends with white space, which is part of it"
	}
	return ""
}
