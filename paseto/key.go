package paseto

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// Version is a version of the PASETO protocol.
type Version string

// V4 is version 4: XChaCha20 with BLAKE2b, and Ed25519.
const V4 Version = codec.V4

// Purpose tells encrypted tokens from signed ones.
type Purpose string

const (
	// Local tokens are encrypted with a shared key: only its holders read,
	// verify and issue them.
	Local Purpose = codec.Local
	// Public tokens are signed: everyone reads them, holders of the public key
	// verify them, and only the holder of the secret key issues them.
	Public Purpose = codec.Public
)

// Key is a key of one version and purpose. The zero Key is not usable; keys
// come from [ParseKey], [ParseHexKey], [NewLocalKey] and [NewSecretKey].
//
// However a Key is printed or logged, its material does not show.
type Key struct {
	version Version
	purpose Purpose
	opener  codec.Opener
	sealer  codec.Sealer // nil for a public half
}

// Version returns the version of the tokens that the key opens.
func (k Key) Version() Version { return k.version }

// Purpose returns the purpose of the tokens that the key opens.
func (k Key) Purpose() Purpose { return k.purpose }

// CanIssue reports whether the key issues tokens: false for the public half of
// a key pair, which only verifies, and for the zero Key.
func (k Key) CanIssue() bool { return k.sealer != nil }

// String returns the kind of the key and nothing of its material.
func (k Key) String() string {
	switch {
	case k.opener == nil:
		return "no key"
	case k.purpose == Local:
		return string(k.version) + ".local key (redacted)"
	case k.CanIssue():
		return string(k.version) + ".public secret key (redacted)"
	default:
		return string(k.version) + ".public public key"
	}
}

// Format implements [fmt.Formatter]: every verb prints [Key.String].
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue implements [slog.LogValuer].
func (k Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// NewLocalKey returns a fresh random key for v4.local tokens.
func NewLocalKey() Key {
	material := make([]byte, 32)
	_, _ = rand.Read(material) // never fails: see crypto/rand
	key, err := localKey(material)
	if err != nil {
		panic(err) // 32 bytes are always a key
	}
	return key
}

// NewSecretKey returns a fresh random key pair for v4.public tokens.
func NewSecretKey() Key {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed)
	key, err := secretKey(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		panic(err) // the two halves belong together
	}
	return key
}

// PublicKey returns the half of a key pair that verifies and cannot issue. Of a
// public half it is the key itself. A local key has none.
func (k Key) PublicKey() (Key, error) {
	secret, pair := k.opener.(*codec.V4Secret)
	switch {
	case pair:
		return Key{version: k.version, purpose: k.purpose, opener: &secret.V4Public}, nil
	case k.purpose == Public:
		return k, nil
	}
	return Key{}, keyError("only a key of purpose public has a public half")
}

// ParseKey reads a key that says itself what it is:
//
//   - PASERK: k4.local, k4.secret, k4.public;
//   - PEM: an Ed25519 private key (PKCS #8) or public key (SPKI).
//
// White space around it is ignored. The error wraps [ErrKey] and contains none
// of the text.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return Key{}, keyError("it is empty")
	case strings.HasPrefix(text, "-----BEGIN "):
		return parsePEM(text)
	case strings.HasPrefix(text, "k4."):
		return parsePASERK(text)
	}
	return Key{}, keyError("expected a PASERK (k4.local.…, k4.secret.…, k4.public.…) or a PEM block")
}

// ParseHexKey reads a key from hexadecimal digits, which do not say what they
// are: for [Local] the 32 bytes of a v4.local key, for [Public] the 64 bytes of
// an Ed25519 key pair (seed and public key). The 32 bytes of a lone seed are
// refused, since they cannot be told from a public key. The error wraps
// [ErrKey] and contains none of the text.
func ParseHexKey(purpose Purpose, text string) (Key, error) {
	material, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return Key{}, keyError("it is not made of pairs of hexadecimal digits")
	}
	switch {
	case purpose == Local:
		return localKey(material)
	case purpose != Public:
		return Key{}, keyError("unknown purpose %.16q", string(purpose))
	case len(material) == ed25519.SeedSize:
		return Key{}, keyError("32 bytes in hex may be a seed or a public key: write it as k4.secret.…, k4.public.… or PEM")
	}
	return secretKey(material)
}

func parsePASERK(text string) (Key, error) {
	kind, data, _ := strings.Cut(strings.TrimPrefix(text, "k4."), ".")
	read, known := map[string]func([]byte) (Key, error){
		"local": localKey, "secret": secretKey, "public": publicKey,
	}[kind]
	if !known {
		return Key{}, keyError("unknown PASERK type; expected k4.local, k4.secret or k4.public")
	}
	if strings.ContainsAny(data, "\r\n") {
		return Key{}, keyError("the PASERK is broken over lines")
	}
	material, err := base64.RawURLEncoding.Strict().DecodeString(data)
	if err != nil {
		return Key{}, keyError("the data of the PASERK is not base64url without padding")
	}
	return read(material)
}

func parsePEM(text string) (Key, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return Key{}, keyError("the PEM block is damaged")
	case strings.TrimSpace(string(rest)) != "":
		return Key{}, keyError("something follows the PEM block; expected exactly one key")
	}
	switch block.Type {
	case "PRIVATE KEY":
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if key, ok := parsed.(ed25519.PrivateKey); ok && err == nil {
			return secretKey(key)
		}
	case "PUBLIC KEY":
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		if key, ok := parsed.(ed25519.PublicKey); ok && err == nil {
			return publicKey(key)
		}
	}
	return Key{}, keyError("the PEM block holds no Ed25519 key (PKCS #8 \"PRIVATE KEY\" or SPKI \"PUBLIC KEY\")")
}

func localKey(material []byte) (Key, error) {
	k, err := codec.NewV4Local(material)
	if err != nil {
		return Key{}, keyError("a v4.local key has 32 bytes, this one %d", len(material))
	}
	return Key{version: V4, purpose: Local, opener: k, sealer: k}, nil
}

func secretKey(material []byte) (Key, error) {
	if len(material) != ed25519.PrivateKeySize {
		return Key{}, keyError("a v4.public key pair has 64 bytes (seed and public key), this one %d", len(material))
	}
	k, err := codec.NewV4Secret(material)
	if err != nil {
		return Key{}, keyError("the public half of the key pair does not belong to its seed")
	}
	return Key{version: V4, purpose: Public, opener: k, sealer: k}, nil
}

func publicKey(material []byte) (Key, error) {
	k, err := codec.NewV4Public(material)
	if err != nil {
		return Key{}, keyError("a v4.public public key has 32 bytes, this one %d", len(material))
	}
	return Key{version: V4, purpose: Public, opener: k}, nil
}

func keyError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKey, fmt.Sprintf(format, args...))
}
