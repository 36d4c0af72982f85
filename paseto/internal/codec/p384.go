package codec

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
)

// p384Size is the length of a coordinate of P-384 in bytes.
const p384Size = 48

// The first byte of a point after SEC 1, section 2.3.3.
const (
	compressedEven = 2
	uncompressed   = 4
)

// CompressP384 returns a public key as a compressed point, as PASETO has it.
func CompressP384(key *ecdsa.PublicKey) ([]byte, error) {
	point, err := key.Bytes()
	if err != nil || len(point) != 1+2*p384Size {
		return nil, ErrKey
	}
	sign := compressedEven + point[2*p384Size]&1
	return append([]byte{sign}, point[1:1+p384Size]...), nil
}

// DecompressP384 returns the public key of a compressed point. The error is
// [ErrKey] for what is no point on the curve.
func DecompressP384(compressed []byte) (*ecdsa.PublicKey, error) {
	if len(compressed) != 1+p384Size {
		return nil, ErrKey
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P384(), compressed)
	if x == nil {
		return nil, ErrKey
	}
	point := append([]byte{uncompressed}, coordinate(x)...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P384(), append(point, coordinate(y)...))
	if err != nil {
		return nil, ErrKey
	}
	return key, nil
}

func coordinate(n *big.Int) []byte { return n.FillBytes(make([]byte, p384Size)) }
