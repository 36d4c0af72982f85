package codec_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// TestP384Points has the public keys of known scalars, one of each sign.
func TestP384Points(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ scalar, point string }{
		{
			"000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
			"03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
		},
		{
			"20347609607477aca8fbfbc5e6218455f3199669792ef8b466faa87bdc67798144c848dd03661eed5ac62461340cea96",
			"02fbcb7c69ee1c60579be7a334134878d9c5c5bf35d552dab63c0140397ed14cef637d7720925c44699ea30e72874c72fb",
		},
	} {
		pair, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), unhex(t, test.scalar))
		if err != nil {
			t.Fatal(err)
		}
		compressed, err := codec.CompressP384(&pair.PublicKey)
		if err != nil || hex.EncodeToString(compressed) != test.point {
			t.Errorf("the point is %x, error %v, want %s", compressed, err, test.point)
		}
		key, err := codec.DecompressP384(unhex(t, test.point))
		if err != nil || !key.Equal(&pair.PublicKey) {
			t.Errorf("%s is another public key, error %v", test.point, err)
		}
	}
}

func TestP384PointsRefused(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), material(1))
	if err != nil {
		t.Fatal(err)
	}
	if point, err := codec.CompressP384(&p256.PublicKey); !errors.Is(err, codec.ErrKey) || point != nil {
		t.Errorf("a point of P-256 is %x, error %v, want %v", point, err, codec.ErrKey)
	}
	for size := range 100 {
		if size == 49 {
			continue
		}
		if key, err := codec.DecompressP384(make([]byte, size)); !errors.Is(err, codec.ErrKey) || key != nil {
			t.Errorf("error of %d bytes is %v, want %v", size, err, codec.ErrKey)
		}
	}
}
