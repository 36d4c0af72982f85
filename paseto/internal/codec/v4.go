package codec

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/binary"
	"errors"

	gopaseto "aidanwoods.dev/go-paseto"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/chacha20"
)

const (
	headerV4Local  = "v4.local."
	headerV4Public = "v4.public."

	v4KeySize   = 32
	v4NonceSize = 32
	v4TagSize   = 32
)

var errKey = errors.New("key is not valid")

// V4Local is a v4.local key: XChaCha20 and keyed BLAKE2b.
type V4Local struct{ *v4Local }

// v4Local is kept behind a pointer of its own, as all key material here: fmt
// looks into unexported fields without asking the key's own Format, and behind
// one pointer, but not behind two.
type v4Local struct {
	key  [v4KeySize]byte
	seal gopaseto.V4SymmetricKey
}

// NewV4Local returns the key of 32 bytes.
func NewV4Local(key []byte) (*V4Local, error) {
	// go-paseto returns a random key beside an error, so none of what it
	// returns is used then.
	seal, err := gopaseto.V4SymmetricKeyFromBytes(key)
	if err != nil {
		return nil, errKey
	}
	return &V4Local{&v4Local{key: [v4KeySize]byte(key), seal: seal}}, nil
}

// Seal implements [Sealer].
func (k *V4Local) Seal(claims, footer, implicit []byte) (string, error) {
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return token.V4Encrypt(k.seal, implicit), nil
}

// Open implements [Opener] after "PASETO Version 4", Decrypt.
func (k *V4Local) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= v4NonceSize+v4TagSize {
		return nil, ErrForm
	}
	nonce := payload[:v4NonceSize]
	ciphertext := payload[v4NonceSize : len(payload)-v4TagSize]
	tag := payload[len(payload)-v4TagSize:]

	authKey := k.derive("paseto-auth-key-for-aead", nonce, 32)
	mac := keyedHash(authKey, v4TagSize, pae([]byte(headerV4Local), nonce, ciphertext, footer, implicit))
	if subtle.ConstantTimeCompare(mac, tag) != 1 {
		return nil, ErrAuthentication
	}

	derived := k.derive("paseto-encryption-key", nonce, chacha20.KeySize+chacha20.NonceSizeX)
	cipher, err := chacha20.NewUnauthenticatedCipher(derived[:chacha20.KeySize], derived[chacha20.KeySize:])
	if err != nil {
		return nil, err
	}
	claims := make([]byte, len(ciphertext))
	cipher.XORKeyStream(claims, ciphertext)
	return claims, nil
}

// derive returns a key of the given size for one nonce and use.
func (k *V4Local) derive(use string, nonce []byte, size int) []byte {
	return keyedHash(k.key[:], size, append([]byte(use), nonce...))
}

// keyedHash is BLAKE2b with a key of 32 bytes and at most 64 bytes of output:
// sizes with which it cannot fail.
func keyedHash(key []byte, size int, data []byte) []byte {
	h, err := blake2b.New(size, key)
	if err != nil {
		panic("codec: " + err.Error())
	}
	h.Write(data)
	return h.Sum(nil)
}

// V4Public is the public half of a v4.public key: Ed25519.
type V4Public struct {
	key ed25519.PublicKey
}

// NewV4Public returns the public key of 32 bytes.
func NewV4Public(key []byte) (*V4Public, error) {
	if len(key) != ed25519.PublicKeySize {
		return nil, errKey
	}
	return &V4Public{key: append(ed25519.PublicKey(nil), key...)}, nil
}

// Open implements [Opener] after "PASETO Version 4", Verify.
func (k *V4Public) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= ed25519.SignatureSize {
		return nil, ErrForm
	}
	claims, signature := payload[:len(payload)-ed25519.SignatureSize], payload[len(payload)-ed25519.SignatureSize:]
	if !ed25519.Verify(k.key, pae([]byte(headerV4Public), claims, footer, implicit), signature) {
		return nil, ErrAuthentication
	}
	return claims, nil
}

// V4Secret is a v4.public key pair.
type V4Secret struct {
	V4Public
	seal *gopaseto.V4AsymmetricSecretKey
}

// NewV4Secret returns the key pair of 64 bytes, a seed and the public key that
// belongs to it.
func NewV4Secret(key []byte) (*V4Secret, error) {
	seal, err := gopaseto.NewV4AsymmetricSecretKeyFromBytes(append([]byte(nil), key...))
	if err != nil {
		return nil, errKey
	}
	public, err := NewV4Public(key[ed25519.SeedSize:])
	if err != nil {
		return nil, err
	}
	return &V4Secret{V4Public: *public, seal: &seal}, nil
}

// Seal implements [Sealer].
func (k *V4Secret) Seal(claims, footer, implicit []byte) (string, error) {
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return token.V4Sign(*k.seal, implicit), nil
}

// pae is the pre-authentication encoding of the PASETO specification: a count
// of pieces, and before each its length, as 64-bit little-endian numbers.
func pae(pieces ...[]byte) []byte {
	size := 8
	for _, piece := range pieces {
		size += 8 + len(piece)
	}
	out := binary.LittleEndian.AppendUint64(make([]byte, 0, size), uint64(len(pieces)))
	for _, piece := range pieces {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(piece)))
		out = append(out, piece...)
	}
	return out
}
