package paseto

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// Secret is a text that must not be shown by accident: a token, a password, a
// key. Printed with fmt, logged or encoded, it says (redacted), or nothing if it
// is empty, wherever it is: in a struct, in an unexported field, in a map, behind
// a pointer. [Secret.Reveal] returns the text. The zero Secret is empty.
//
// A Secret can be decoded from text, so that a client can read the body of an
// answer into a struct that has one. It is never encoded as what it is: JSON, XML
// and YAML get the placeholder, and encoding/gob refuses it. What sends a secret
// on purpose sends the text that Reveal returns.
//
// Use [Secret.Equal] to compare two Secrets. Comparing them, or structs that have
// one, by == does not compile. Danger: if they are in interfaces, as in any(a) ==
// any(b), it panics, and so does using one as a key of a map[any]T.
// [reflect.DeepEqual] never reports two Secrets as equal, unless both are empty.
type Secret struct {
	// A function, because printers and encoders that use reflection read
	// unexported fields and follow pointers, but call no function.
	reveal func() string
}

const redacted = "(redacted)"

// NewSecret returns a text as a Secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// Reveal returns the text. Danger: what is done with it is up to the caller; do
// not print or log it.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether the text is empty.
func (s Secret) IsZero() bool { return s.reveal == nil }

// Equal reports whether both texts are the same. Its time does not depend on
// where they differ.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns (redacted), or nothing for an empty Secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format implements [fmt.Formatter]: every verb prints [Secret.String].
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText implements [encoding.TextMarshaler]: it returns [Secret.String].
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]: the text becomes the
// secret. It refuses the placeholder, which means that whoever wrote the text
// encoded a Secret instead of what Reveal returns.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == redacted {
		return errors.New("paseto: the text is a placeholder for a secret, and not the secret; encode what Reveal returns")
	}
	*s = NewSecret(string(text))
	return nil
}
