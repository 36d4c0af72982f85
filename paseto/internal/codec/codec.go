// Package codec turns claims into tokens and tokens into claims: the
// cryptography of PASETO and nothing above it. A version and purpose is one
// pair of types here, behind [Opener] and [Sealer]; what the claims say is not
// looked at.
//
// Tokens are sealed by go-paseto. They are opened here, for go-paseto hands out
// claims only after encoding/json has decided which of two duplicate members
// counts; the bytes that were sealed cannot be had from it.
package codec

import (
	"encoding/base64"
	"errors"
	"strings"
)

// The versions and purposes that tokens name in their header.
const (
	V4     = "v4"
	Local  = "local"
	Public = "public"
)

var (
	// ErrForm is returned for what does not have the form of a token.
	ErrForm = errors.New("not a PASETO token")
	// ErrAuthentication is returned for a token that the key did not make, or
	// not with this footer and implicit assertion.
	ErrAuthentication = errors.New("token does not authenticate with this key")
)

// Opener is a key that opens tokens of one version and purpose.
type Opener interface {
	// Open returns the claims of a token, as they were sealed. Its error is
	// [ErrForm] or [ErrAuthentication].
	Open(payload, footer, implicit []byte) (claims []byte, err error)
}

// Sealer is a key that seals tokens of one version and purpose.
type Sealer interface {
	Opener
	// Seal returns the token for claims, which must be a JSON object.
	Seal(claims, footer, implicit []byte) (string, error)
}

// Parts is a token split at its dots, not yet decoded.
type Parts struct {
	Version, Purpose string
	payload, footer  string
}

// Split takes a token apart without decoding or allocating anything. A token
// has three parts, or four with a footer; an empty last part is refused, for
// the same token would then have two spellings.
func Split(token string) (Parts, error) {
	if n := strings.Count(token, "."); n != 2 && n != 3 {
		return Parts{}, ErrForm
	}
	var p Parts
	var rest string
	p.Version, rest, _ = strings.Cut(token, ".")
	p.Purpose, rest, _ = strings.Cut(rest, ".")
	var hasFooter bool
	p.payload, p.footer, hasFooter = strings.Cut(rest, ".")
	if p.payload == "" || hasFooter && p.footer == "" {
		return Parts{}, ErrForm
	}
	return p, nil
}

// Decode returns the bytes of the payload and the footer.
func (p Parts) Decode() (payload, footer []byte, err error) {
	if payload, err = decode(p.payload); err != nil {
		return nil, nil, err
	}
	if footer, err = decode(p.footer); err != nil {
		return nil, nil, err
	}
	return payload, footer, nil
}

// FooterLen returns the length of the decoded footer.
func (p Parts) FooterLen() int { return encoding.DecodedLen(len(p.footer)) }

// encoding is base64url without padding, and with no stray bits at the end.
var encoding = base64.RawURLEncoding.Strict()

// decode is encoding.DecodeString without its tolerance of line ends.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, ErrForm
	}
	b, err := encoding.DecodeString(s)
	if err != nil {
		return nil, ErrForm
	}
	return b, nil
}
