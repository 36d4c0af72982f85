package codec

import (
	"slices"

	gopaseto "aidanwoods.dev/go-paseto"
	"golang.org/x/crypto/chacha20poly1305"
)

const headerV2Local = "v2.local."

// v2Local is a v2.local key: XChaCha20-Poly1305.
type v2Local struct{ *v2LocalKey }

type v2LocalKey struct {
	key  [keySize]byte
	seal gopaseto.V2SymmetricKey
}

func newV2Local(key []byte) (*v2Local, error) {
	seal, err := gopaseto.V2SymmetricKeyFromBytes(key)
	if err != nil {
		return nil, ErrKey
	}
	return &v2Local{&v2LocalKey{key: [keySize]byte(key), seal: seal}}, nil
}

// Bytes implements [Opener].
func (k *v2Local) Bytes() []byte { return slices.Clone(k.key[:]) }

// Seal implements [Sealer]. Version 2 has no implicit assertions.
func (k *v2Local) Seal(claims, footer, implicit []byte) (string, error) {
	if len(implicit) > 0 {
		return "", ErrImplicit
	}
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return token.V2Encrypt(k.seal), nil
}

// Open implements [Opener] after "PASETO Version 2", Decrypt.
func (k *v2Local) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return nil, ErrForm
	}
	if len(implicit) > 0 {
		return nil, ErrAuthentication
	}
	aead, err := chacha20poly1305.NewX(k.key[:])
	if err != nil {
		return nil, err
	}
	nonce, ciphertext := payload[:chacha20poly1305.NonceSizeX], payload[chacha20poly1305.NonceSizeX:]
	claims, err := aead.Open(nil, nonce, ciphertext, pae([]byte(headerV2Local), nonce, footer))
	if err != nil {
		return nil, ErrAuthentication
	}
	return claims, nil
}
