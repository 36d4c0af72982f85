package codec

import (
	"crypto/ed25519"
	"slices"

	gopaseto "aidanwoods.dev/go-paseto"
	"filippo.io/edwards25519"
)

const (
	headerV2Public = "v2.public."
	headerV4Public = "v4.public."
)

// ed25519Public is the public half of a v2.public or v4.public key.
type ed25519Public struct {
	header string
	key    ed25519.PublicKey
}

// newEd25519Public refuses bytes that are no point of the curve.
func newEd25519Public(header string, key []byte) (*ed25519Public, error) {
	if len(key) != ed25519.PublicKeySize {
		return nil, ErrKey
	}
	if _, err := new(edwards25519.Point).SetBytes(key); err != nil {
		return nil, ErrKey
	}
	return &ed25519Public{header: header, key: slices.Clone(key)}, nil
}

// Weak reports whether the key is a point of small order: then anybody can make
// signatures that it verifies.
func (k *ed25519Public) Weak() bool {
	point, err := new(edwards25519.Point).SetBytes(k.key)
	return err != nil || new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 1
}

// Bytes implements [Opener].
func (k *ed25519Public) Bytes() []byte { return slices.Clone(k.key) }

// Open implements [Opener] after "PASETO Version 4", Verify, and the same of
// version 2, which has no implicit assertion.
func (k *ed25519Public) Open(payload, footer, implicit []byte) ([]byte, error) {
	if len(payload) <= ed25519.SignatureSize {
		return nil, ErrForm
	}
	claims, signature := payload[:len(payload)-ed25519.SignatureSize], payload[len(payload)-ed25519.SignatureSize:]
	pieces := [][]byte{[]byte(k.header), claims, footer, implicit}
	if k.header == headerV2Public {
		if len(implicit) > 0 {
			return nil, ErrAuthentication
		}
		pieces = pieces[:3]
	}
	if !ed25519.Verify(k.key, pae(pieces...), signature) {
		return nil, ErrAuthentication
	}
	return claims, nil
}

// ed25519Secret is a v2.public or v4.public key pair.
type ed25519Secret struct {
	ed25519Public
	pair *ed25519.PrivateKey
	seal func(token *gopaseto.Token, implicit []byte) (string, error)
}

// newEd25519Secret reads a key pair of 64 bytes, a seed and the public key,
// which must belong to it.
func newEd25519Secret(header string, key []byte) (*ed25519Secret, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, ErrKey
	}
	pair := ed25519.NewKeyFromSeed(key[:ed25519.SeedSize])
	if !slices.Equal(pair, key) {
		return nil, ErrKey
	}
	public, err := newEd25519Public(header, key[ed25519.SeedSize:])
	if err != nil {
		return nil, err
	}
	return &ed25519Secret{ed25519Public: *public, pair: &pair}, nil
}

func newV2Secret(key []byte) (*ed25519Secret, error) {
	k, err := newEd25519Secret(headerV2Public, key)
	if err != nil {
		return nil, err
	}
	seal, err := gopaseto.NewV2AsymmetricSecretKeyFromEd25519(*k.pair)
	if err != nil {
		return nil, ErrKey
	}
	k.seal = func(token *gopaseto.Token, implicit []byte) (string, error) {
		if len(implicit) > 0 {
			return "", ErrImplicit
		}
		return token.V2Sign(seal), nil
	}
	return k, nil
}

func newV4Secret(key []byte) (*ed25519Secret, error) {
	k, err := newEd25519Secret(headerV4Public, key)
	if err != nil {
		return nil, err
	}
	seal, err := gopaseto.NewV4AsymmetricSecretKeyFromEd25519(*k.pair)
	if err != nil {
		return nil, ErrKey
	}
	k.seal = func(token *gopaseto.Token, implicit []byte) (string, error) {
		return token.V4Sign(seal, implicit), nil
	}
	return k, nil
}

// Bytes implements [Opener].
func (k *ed25519Secret) Bytes() []byte { return slices.Clone(*k.pair) }

// Seal implements [Sealer].
func (k *ed25519Secret) Seal(claims, footer, implicit []byte) (string, error) {
	token, err := gopaseto.NewTokenFromClaimsJSON(claims, footer)
	if err != nil {
		return "", err
	}
	return k.seal(token, implicit)
}
