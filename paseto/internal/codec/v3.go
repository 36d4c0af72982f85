package codec

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha512"
	"math/big"
	"slices"

	gopaseto "aidanwoods.dev/go-paseto"
)

const (
	headerV3Local  = "v3.local."
	headerV3Public = "v3.public."

	v3NonceSize     = 32
	v3TagSize       = 48
	v3SignatureSize = 96
)

// v3Local is a v3.local key: AES-256-CTR and HMAC-SHA384.
type v3Local struct{ *v3LocalKey }

type v3LocalKey struct {
	key  [keySize]byte
	seal gopaseto.V3SymmetricKey
}

func newV3Local(key []byte) (*v3Local, error) {
	seal, err := gopaseto.V3SymmetricKeyFromBytes(key)
	if err != nil {
		return nil, ErrKey
	}
	return &v3Local{&v3LocalKey{key: [keySize]byte(key), seal: seal}}, nil
}

// Bytes implements [Opener].
func (k *v3Local) Bytes() []byte { return slices.Clone(k.key[:]) }

// Seal implements [Sealer].
func (k *v3Local) Seal(claims, footer, implicit []byte) (string, error) {
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return token.V3Encrypt(k.seal, implicit), nil
}

// Open implements [Opener] after "PASETO Version 3", Decrypt.
func (k *v3Local) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= v3NonceSize+v3TagSize {
		return nil, ErrForm
	}
	nonce := payload[:v3NonceSize]
	ciphertext := payload[v3NonceSize : len(payload)-v3TagSize]
	tag := payload[len(payload)-v3TagSize:]

	authKey, err := k.derive("paseto-auth-key-for-aead", nonce)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha512.New384, authKey)
	mac.Write(pae([]byte(headerV3Local), nonce, ciphertext, footer, implicit))
	if !hmac.Equal(mac.Sum(nil), tag) {
		return nil, ErrAuthentication
	}

	derived, err := k.derive("paseto-encryption-key", nonce)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, err
	}
	claims := make([]byte, len(ciphertext))
	cipher.NewCTR(block, derived[32:]).XORKeyStream(claims, ciphertext)
	return claims, nil
}

// derive returns 48 bytes for one nonce and use.
func (k *v3Local) derive(use string, nonce []byte) ([]byte, error) {
	return hkdf.Key(sha512.New384, k.key[:], nil, use+string(nonce), 48)
}

// v3Public is the public half of a v3.public key: ECDSA over P-384.
type v3Public struct {
	key        *ecdsa.PublicKey
	compressed []byte
}

// newV3Public reads a compressed point (SEC 1, section 2.3.3).
func newV3Public(key []byte) (*v3Public, error) {
	public, err := DecompressP384(key)
	if err != nil {
		return nil, err
	}
	return &v3Public{key: public, compressed: slices.Clone(key)}, nil
}

// Bytes implements [Opener].
func (k *v3Public) Bytes() []byte { return slices.Clone(k.compressed) }

// Open implements [Opener] after "PASETO Version 3", Verify.
func (k *v3Public) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= v3SignatureSize {
		return nil, ErrForm
	}
	claims, signature := payload[:len(payload)-v3SignatureSize], payload[len(payload)-v3SignatureSize:]
	digest := sha512.Sum384(pae(k.compressed, []byte(headerV3Public), claims, footer, implicit))
	r := new(big.Int).SetBytes(signature[:v3SignatureSize/2])
	s := new(big.Int).SetBytes(signature[v3SignatureSize/2:])
	if !ecdsa.Verify(k.key, digest[:], r, s) {
		return nil, ErrAuthentication
	}
	return claims, nil
}

// v3Secret is a v3.public key pair.
type v3Secret struct {
	v3Public
	*v3SecretKey
}

type v3SecretKey struct {
	scalar []byte
	seal   gopaseto.V3AsymmetricSecretKey
}

// newV3Secret reads the 48 bytes of the secret scalar.
func newV3Secret(key []byte) (*v3Secret, error) {
	pair, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), key)
	if err != nil {
		return nil, ErrKey
	}
	seal, err := gopaseto.NewV3AsymmetricSecretKeyFromEcdsa(*pair)
	if err != nil {
		return nil, ErrKey
	}
	compressed, err := CompressP384(&pair.PublicKey)
	if err != nil {
		return nil, err
	}
	public, err := newV3Public(compressed)
	if err != nil {
		return nil, err
	}
	return &v3Secret{*public, &v3SecretKey{scalar: slices.Clone(key), seal: seal}}, nil
}

// Bytes implements [Opener].
func (k *v3Secret) Bytes() []byte { return slices.Clone(k.scalar) }

// Seal implements [Sealer].
func (k *v3Secret) Seal(claims, footer, implicit []byte) (string, error) {
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return token.V3Sign(k.seal, implicit), nil
}
