// Package testtoken makes v4.public tokens with any payload and footer, as another
// program that has the key might: what no Authorizer would issue.
package testtoken

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
)

const header = "v4.public."

// Sign returns a token of a v4.public key pair.
func Sign(key paseto.Key, payload, footer, implicit string) string {
	text := key.Export()
	pair, err := base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:])
	if err != nil {
		panic(err)
	}
	return Join(payload, footer, ed25519.Sign(pair, Bytes(payload, footer, implicit)))
}

// Bytes returns what a token signs.
func Bytes(payload, footer, implicit string) []byte {
	pieces := []string{header, payload, footer, implicit}
	signed := binary.LittleEndian.AppendUint64(nil, uint64(len(pieces)))
	for _, piece := range pieces {
		signed = append(binary.LittleEndian.AppendUint64(signed, uint64(len(piece))), piece...)
	}
	return signed
}

// Join returns the token that has a signature.
func Join(payload, footer string, signature []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	token := header + encode(append([]byte(payload), signature...))
	if footer != "" {
		token += "." + encode([]byte(footer))
	}
	return token
}
