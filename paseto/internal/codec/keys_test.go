package codec_test

import (
	"bytes"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

func TestKeySizes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		right int
		parse func([]byte) error
	}{
		{"local", 32, func(b []byte) error { _, err := codec.NewV4Local(b); return err }},
		{"public", 32, func(b []byte) error { _, err := codec.NewV4Public(b); return err }},
		{"secret", 64, func(b []byte) error { _, err := codec.NewV4Secret(b); return err }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for size := range 100 {
				material := make([]byte, size)
				if size == 64 {
					material = pair(1)
				}
				if err := test.parse(material); (err == nil) != (size == test.right) {
					t.Errorf("%d bytes: error is %v", size, err)
				}
			}
		})
	}
}

func TestKeyPairHalvesBelongTogether(t *testing.T) {
	t.Parallel()
	mixed := append(bytes.Clone(pair(1)[:32]), pair(2)[32:]...)
	if _, err := codec.NewV4Secret(mixed); err == nil {
		t.Error("the seed of one pair and the public key of another are accepted")
	}
	if _, err := codec.NewV4Secret(make([]byte, 64)); err == nil {
		t.Error("64 zero bytes are accepted")
	}
}

// TestKeysKeepTheirOwnCopy overwrites the material after it was handed over,
// as a careful caller does.
func TestKeysKeepTheirOwnCopy(t *testing.T) {
	t.Parallel()
	local, secret := material(1), pair(1)
	public := bytes.Clone(secret[32:])
	sealLocal, sealSecret := localKey(t, local), secretKey(t, secret)
	openPublic, err := codec.NewV4Public(public)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{local, secret, public} {
		clear(b)
	}
	for _, test := range []struct {
		purpose string
		seal    codec.Sealer
		open    codec.Opener
	}{
		{codec.Local, sealLocal, kinds(t)[0].key},
		{codec.Public, sealSecret, kinds(t)[1].key},
		{codec.Public, kinds(t)[1].key, sealSecret},
		{codec.Public, kinds(t)[1].key, openPublic},
	} {
		token, err := test.seal.Seal([]byte(`{"a":1}`), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := open(test.open, test.purpose, token, ""); err != nil {
			t.Errorf("%s: %v", test.purpose, err)
		}
	}
}
