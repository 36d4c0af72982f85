// Package paserk has the cryptography of PASERK, the standard for keys of
// PASETO: identifiers, and keys wrapped with another key or a password. It
// knows bytes and headers and not what a key is for.
//
// Versions 2 and 4 use XChaCha20, BLAKE2b and Argon2id; version 3 uses
// AES-256-CTR, HMAC-SHA384 and PBKDF2.
package paserk

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"
)

var (
	// ErrForm is returned for what has not the form of a wrapped key.
	ErrForm = errors.New("it is damaged or cut off")
	// ErrAuthentication is returned where the wrapping key or password is
	// wrong, or the wrapped key was changed.
	ErrAuthentication = errors.New("the wrapping key or password is wrong, or it was changed")
	// ErrLimits is wrapped by the error for a password-wrapped key whose parameters
	// ask for more than is allowed, or for what is not possible.
	ErrLimits = errors.New("its password costs more than is allowed, or nothing")
)

// encoding is base64url without padding, and with no stray bits at the end.
var encoding = base64.RawURLEncoding.Strict()

// Decode returns the data of a PASERK.
func Decode(data string) ([]byte, error) {
	if strings.ContainsAny(data, "\r\n") {
		return nil, ErrForm
	}
	b, err := encoding.DecodeString(data)
	if err != nil {
		return nil, ErrForm
	}
	return b, nil
}

// Encode returns a PASERK: a header that ends with a dot, and its data.
func Encode(header string, data []byte) string {
	return header + encoding.EncodeToString(data)
}

// idSize is the length of an identifier: 264 bits, which encode evenly.
const idSize = 33

// ID returns the identifier of a PASERK, with a header such as "k4.lid.".
func ID(header, paserk string) string {
	if isV3(header) {
		digest := sha512.Sum384([]byte(header + paserk))
		return Encode(header, digest[:idSize])
	}
	return Encode(header, hash(nil, idSize, []byte(header+paserk)))
}

// isV3 reports whether a header belongs to version 3.
func isV3(header string) bool { return strings.HasPrefix(header, "k3.") }

// hash is BLAKE2b, with sizes for which it cannot fail.
func hash(key []byte, size int, data ...[]byte) []byte {
	h, err := blake2b.New(size, key)
	if err != nil {
		panic("paserk: " + err.Error())
	}
	for _, d := range data {
		h.Write(d)
	}
	return h.Sum(nil)
}

// mac is HMAC-SHA384.
func mac(key []byte, data ...[]byte) []byte {
	h := hmac.New(sha512.New384, key)
	for _, d := range data {
		h.Write(d)
	}
	return h.Sum(nil)
}

// xchacha20 encrypts or decrypts, with a key of 32 and a nonce of 24 bytes.
func xchacha20(key, nonce, data []byte) []byte {
	c, err := chacha20.NewUnauthenticatedCipher(key, nonce)
	if err != nil {
		panic("paserk: " + err.Error())
	}
	out := make([]byte, len(data))
	c.XORKeyStream(out, data)
	return out
}

// aesCTR encrypts or decrypts, with a key of 32 and a nonce of 16 bytes.
func aesCTR(key, nonce, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("paserk: " + err.Error())
	}
	out := make([]byte, len(data))
	cipher.NewCTR(block, nonce).XORKeyStream(out, data)
	return out
}
