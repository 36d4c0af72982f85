package codec_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

func TestKeySizes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		version, kind string
		right         []byte
	}{
		{codec.V2, codec.Local, material(1)},
		{codec.V2, codec.Public, pair(1)[32:]},
		{codec.V2, codec.Secret, pair(1)},
		{codec.V3, codec.Local, material(1)},
		{codec.V3, codec.Public, point(t)},
		{codec.V3, codec.Secret, scalar(1)},
		{codec.V4, codec.Local, material(1)},
		{codec.V4, codec.Public, pair(1)[32:]},
		{codec.V4, codec.Secret, pair(1)},
	} {
		t.Run(test.version+"."+test.kind, func(t *testing.T) {
			t.Parallel()
			for size := range 100 {
				key := make([]byte, size)
				copy(key, test.right)
				if size == len(test.right) {
					key = test.right
				}
				opener, err := codec.New(test.version, test.kind, key)
				switch {
				case size != len(test.right):
					if !errors.Is(err, codec.ErrKey) {
						t.Errorf("error of %d bytes is %v, want %v", size, err, codec.ErrKey)
					}
				case err != nil:
					t.Errorf("%d bytes: %v", size, err)
				case !bytes.Equal(opener.Bytes(), test.right):
					t.Errorf("the bytes of the key are %x, want %x", opener.Bytes(), test.right)
				}
			}
			if got := codec.Size(test.version, test.kind); got != len(test.right) {
				t.Errorf("Size is %d, want %d", got, len(test.right))
			}
		})
	}
}

func TestKeyPairHalvesBelongTogether(t *testing.T) {
	t.Parallel()
	mixed := append(bytes.Clone(pair(1)[:32]), pair(2)[32:]...)
	for _, version := range []string{codec.V2, codec.V4} {
		if _, err := codec.New(version, codec.Secret, mixed); !errors.Is(err, codec.ErrKey) {
			t.Errorf("%s: error of the seed of one pair and the public key of another is %v", version, err)
		}
		if _, err := codec.New(version, codec.Secret, make([]byte, 64)); !errors.Is(err, codec.ErrKey) {
			t.Errorf("%s: error of 64 zero bytes is %v", version, err)
		}
	}
}

// TestKeysKeepTheirOwnCopy overwrites the material after it was handed over,
// as a careful caller does, and what a key gave out.
func TestKeysKeepTheirOwnCopy(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		keyKind := codec.Local
		if strings.HasSuffix(kind.header, codec.Public) {
			keyKind = codec.Secret
		}
		given := kind.key.Bytes()
		own := sealer(t, kind.header[:2], keyKind, given)
		clear(given)
		clear(own.Bytes())
		keys := []codec.Opener{own}
		if half, ok := codec.PublicHalf(kind.key); ok {
			given := half.Bytes()
			public, err := codec.New(kind.header[:2], codec.Public, given)
			if err != nil {
				t.Fatal(err)
			}
			clear(given)
			clear(public.Bytes())
			keys = append(keys, half, public)
		}
		for _, pair := range []struct {
			seal codec.Sealer
			open []codec.Opener
		}{{own, []codec.Opener{kind.key}}, {kind.key, keys}} {
			token, err := pair.seal.Seal([]byte(`{"a":1}`), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range pair.open {
				if _, _, err := open(key, kind.header, token, ""); err != nil {
					t.Errorf("%s: %v", kind.header, err)
				}
			}
		}
	}
}

func TestPublicHalf(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		half, ok := codec.PublicHalf(kind.key)
		if want := strings.HasSuffix(kind.header, codec.Public); ok != want {
			t.Errorf("%s: whether it has a public half is %t, want %t", kind.header, ok, want)
		}
		if !ok {
			continue
		}
		if _, seals := half.(codec.Sealer); seals {
			t.Errorf("%s: the public half seals", kind.header)
		}
		if _, again := codec.PublicHalf(half); again {
			t.Errorf("%s: the public half has another", kind.header)
		}
		if got, want := len(half.Bytes()), codec.Size(kind.header[:2], codec.Public); got != want {
			t.Errorf("%s: the public half has %d bytes, want %d", kind.header, got, want)
		}
	}
}

func TestUnknownKinds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ version, kind string }{
		{"v1", codec.Local}, {"v5", codec.Public}, {"", ""}, {codec.V4, "seal"}, {codec.V4, ""}, {"v4.local", ""}, {"V4", codec.Local},
	} {
		if key, err := codec.New(test.version, test.kind, material(1)); !errors.Is(err, codec.ErrVersion) || key != nil {
			t.Errorf("%v: error is %v, want %v alone", test, err, codec.ErrVersion)
		}
		if codec.Size(test.version, test.kind) != 0 {
			t.Errorf("%v has a size", test)
		}
		if b, err := codec.Generate(test.version, test.kind, rand.Reader); !errors.Is(err, codec.ErrVersion) || b != nil {
			t.Errorf("%v: %x is generated, error %v, want %v", test, b, err, codec.ErrVersion)
		}
	}
	if _, err := codec.Generate(codec.V4, codec.Public, rand.Reader); !errors.Is(err, codec.ErrVersion) {
		t.Errorf("error of generating a public half is %v, want %v", err, codec.ErrVersion)
	}
}
