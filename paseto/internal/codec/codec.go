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
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io"
	"strings"
)

// The versions and purposes that tokens name in their header.
const (
	V2     = "v2"
	V3     = "v3"
	V4     = "v4"
	Local  = "local"
	Public = "public"
)

// Secret is the kind of a key pair, beside the kinds [Local] and [Public] of
// keys, which are called as their purposes.
const Secret = "secret"

var (
	// ErrForm is returned for what does not have the form of a token.
	ErrForm = errors.New("not a PASETO token")
	// ErrKey is returned for bytes that are no key of their version and kind.
	ErrKey = errors.New("key is not valid")
	// ErrVersion is returned for a version and kind that there is not.
	ErrVersion = errors.New("unknown version or kind of key")
	// ErrImplicit is returned for an implicit assertion where the version has
	// none.
	ErrImplicit = errors.New("version 2 has no implicit assertions")
	// ErrAuthentication is returned for a token that the key did not make, or
	// not with this footer and implicit assertion.
	ErrAuthentication = errors.New("token does not authenticate with this key")
)

// Opener is a key that opens tokens of one version and purpose.
type Opener interface {
	// Bytes returns the key as PASERK encodes it. The caller may keep and
	// change it.
	Bytes() []byte
	// Open returns the claims of a token, as they were sealed, in the memory of
	// the payload perhaps, which is not to be used any more then. Its error is
	// [ErrForm] or [ErrAuthentication], and leaves the payload as it was.
	Open(payload, footer, implicit []byte) (claims []byte, err error)
}

// Sealer is a key that seals tokens of one version and purpose.
type Sealer interface {
	Opener
	// Seal returns the token for claims, which must be a JSON object.
	Seal(claims, footer, implicit []byte) (string, error)
}

// New returns the key of a version and kind, of which it keeps no reference to
// the bytes. Keys of the kinds Local and Secret are [Sealer]s.
func New(version, kind string, key []byte) (Opener, error) {
	switch version + "." + kind {
	case V2 + "." + Local:
		return newV2Local(key)
	case V2 + "." + Secret:
		return newV2Secret(key)
	case V2 + "." + Public:
		return newEd25519Public(headerV2Public, key)
	case V3 + "." + Local:
		return newV3Local(key)
	case V3 + "." + Secret:
		return newV3Secret(key)
	case V3 + "." + Public:
		return newV3Public(key)
	case V4 + "." + Local:
		return newV4Local(key)
	case V4 + "." + Secret:
		return newV4Secret(key)
	case V4 + "." + Public:
		return newEd25519Public(headerV4Public, key)
	}
	return nil, ErrVersion
}

// Size returns the length of the bytes of a key, zero for an unknown kind.
func Size(version, kind string) int {
	return map[string]int{
		"v2.local": 32, "v2.secret": 64, "v2.public": 32,
		"v3.local": 32, "v3.secret": 48, "v3.public": 49,
		"v4.local": 32, "v4.secret": 64, "v4.public": 32,
	}[version+"."+kind]
}

// Generate returns the bytes of a fresh key of the kind Local or Secret.
func Generate(version, kind string, random io.Reader) ([]byte, error) {
	if kind == Public || Size(version, kind) == 0 {
		return nil, ErrVersion
	}
	for {
		seed := make([]byte, Size(version, kind))
		if kind == Secret && version != V3 {
			seed = seed[:ed25519.SeedSize]
		}
		if _, err := io.ReadFull(random, seed); err != nil {
			return nil, err
		}
		if kind == Secret && version != V3 {
			return ed25519.NewKeyFromSeed(seed), nil
		}
		// Nearly all of 48 bytes are a scalar of P-384.
		if _, err := New(version, kind, seed); err == nil {
			return seed, nil
		}
	}
}

// PublicHalf returns the public half of a key pair, and false for other keys.
func PublicHalf(k Opener) (Opener, bool) {
	switch k := k.(type) {
	case *ed25519Secret:
		return &k.ed25519Public, true
	case *v3Secret:
		return &k.v3Public, true
	}
	return nil, false
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
