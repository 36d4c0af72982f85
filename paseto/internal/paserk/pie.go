package paserk

import (
	"crypto/rand"
	"crypto/subtle"
)

// pieNonceSize is the length of the nonce of a wrapped key.
const pieNonceSize = 32

// Wrap returns a key wrapped with another, after PASERK's wrapping protocol
// PIE. The header is such as "k4.local-wrap.pie."; the wrapping key has 32
// bytes.
func Wrap(header string, wrapping, key []byte) string {
	nonce := make([]byte, pieNonceSize)
	_, _ = rand.Read(nonce) // never fails
	ciphertext := pieCrypt(header, wrapping, nonce, key)
	tag := pieTag(header, wrapping, nonce, ciphertext)
	return Encode(header, concat(tag, nonce, ciphertext))
}

// Unwrap returns the key that Wrap has wrapped; data is what follows the header.
func Unwrap(header string, wrapping []byte, data string) ([]byte, error) {
	b, err := Decode(data)
	if err != nil {
		return nil, err
	}
	tagSize := 32
	if isV3(header) {
		tagSize = 48
	}
	if len(b) <= tagSize+pieNonceSize {
		return nil, ErrForm
	}
	tag, nonce, ciphertext := b[:tagSize], b[tagSize:tagSize+pieNonceSize], b[tagSize+pieNonceSize:]
	if subtle.ConstantTimeCompare(tag, pieTag(header, wrapping, nonce, ciphertext)) != 1 {
		return nil, ErrAuthentication
	}
	return pieCrypt(header, wrapping, nonce, ciphertext), nil
}

// The bytes that keep the two keys derived from one wrapping key apart.
const (
	pieEncryption     = 0x80
	pieAuthentication = 0x81
)

func pieCrypt(header string, wrapping, nonce, data []byte) []byte {
	if isV3(header) {
		x := mac(wrapping, []byte{pieEncryption}, nonce)
		return aesCTR(x[:32], x[32:], data)
	}
	x := hash(wrapping, 56, []byte{pieEncryption}, nonce)
	return xchacha20(x[:32], x[32:], data)
}

func pieTag(header string, wrapping, nonce, ciphertext []byte) []byte {
	if isV3(header) {
		key := mac(wrapping, []byte{pieAuthentication}, nonce)[:32]
		return mac(key, []byte(header), nonce, ciphertext)
	}
	key := hash(wrapping, 32, []byte{pieAuthentication}, nonce)
	return hash(key, 32, []byte(header), nonce, ciphertext)
}

func concat(pieces ...[]byte) []byte {
	var out []byte
	for _, p := range pieces {
		out = append(out, p...)
	}
	return out
}
