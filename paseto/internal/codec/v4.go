package codec

import (
	"crypto/subtle"
	"slices"

	gopaseto "aidanwoods.dev/go-paseto"
	"golang.org/x/crypto/chacha20"
)

const (
	headerV4Local = "v4.local."

	keySize     = 32
	v4NonceSize = 32
	v4TagSize   = 32
)

// v4Local is a v4.local key: XChaCha20 and keyed BLAKE2b.
type v4Local struct{ *v4LocalKey }

// v4LocalKey is kept behind a pointer of its own, as all key material here: fmt
// looks into unexported fields without asking the key's own Format, and behind
// one pointer, but not behind two.
type v4LocalKey struct {
	key  [keySize]byte
	seal gopaseto.V4SymmetricKey
}

func newV4Local(key []byte) (*v4Local, error) {
	// go-paseto returns a random key beside an error, so none of what it
	// returns is used then.
	seal, err := gopaseto.V4SymmetricKeyFromBytes(key)
	if err != nil {
		return nil, ErrKey
	}
	return &v4Local{&v4LocalKey{key: [keySize]byte(key), seal: seal}}, nil
}

// Bytes implements [Opener].
func (k *v4Local) Bytes() []byte { return slices.Clone(k.key[:]) }

// Seal implements [Sealer].
func (k *v4Local) Seal(claims, footer, implicit []byte) (string, error) {
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return token.V4Encrypt(k.seal, implicit), nil
}

// Open implements [Opener] after "PASETO Version 4", Decrypt.
func (k *v4Local) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= v4NonceSize+v4TagSize {
		return nil, ErrForm
	}
	nonce := payload[:v4NonceSize]
	ciphertext := payload[v4NonceSize : len(payload)-v4TagSize]
	tag := payload[len(payload)-v4TagSize:]

	authKey := k.derive("paseto-auth-key-for-aead", nonce, 32)
	mac := keyedHash(authKey, v4TagSize)
	writePAE(mac, []byte(headerV4Local), nonce, ciphertext, footer, implicit)
	if subtle.ConstantTimeCompare(mac.Sum(nil), tag) != 1 {
		return nil, ErrAuthentication
	}

	derived := k.derive("paseto-encryption-key", nonce, chacha20.KeySize+chacha20.NonceSizeX)
	cipher, err := chacha20.NewUnauthenticatedCipher(derived[:chacha20.KeySize], derived[chacha20.KeySize:])
	if err != nil {
		return nil, err
	}
	cipher.XORKeyStream(ciphertext, ciphertext)
	return ciphertext, nil
}

// derive returns a key of the given size for one nonce and use.
func (k *v4Local) derive(use string, nonce []byte, size int) []byte {
	h := keyedHash(k.key[:], size)
	h.Write([]byte(use))
	h.Write(nonce)
	return h.Sum(nil)
}
