package codec_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// p384Order is the number of points of P-384: scalars are less.
const p384Order = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"

// point returns the public half of the v3 key pair scalar(1).
func point(t testing.TB) []byte {
	t.Helper()
	half, ok := codec.PublicHalf(sealer(t, codec.V3, codec.Secret, scalar(1)))
	if !ok {
		t.Fatal("a v3 key pair has no public half")
	}
	return half.Bytes()
}

func TestPointsRefused(t *testing.T) {
	t.Parallel()
	good := point(t)
	with := func(i int, b byte) []byte {
		changed := bytes.Clone(good)
		changed[i] = b
		return changed
	}
	for _, test := range []struct {
		name    string
		version string
		key     []byte
	}{
		{"no point of Edwards25519", codec.V4, unhex(t, "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f")},
		{"no point of Edwards25519 in version 2", codec.V2, unhex(t, "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f")},
		{"two, of which there is no root", codec.V4, append([]byte{2}, make([]byte, 31)...)},
		{"uncompressed prefix", codec.V3, with(0, 4)},
		{"point at infinity", codec.V3, with(0, 0)},
		{"hybrid prefix", codec.V3, with(0, 6)},
		{"coordinate beyond the field", codec.V3, append([]byte{2}, bytes.Repeat([]byte{255}, 48)...)},
		{"no point of P-384", codec.V3, append([]byte{2}, append(make([]byte, 47), 1)...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := codec.New(test.version, codec.Public, test.key); !errors.Is(err, codec.ErrKey) {
				t.Errorf("error is %v, want %v", err, codec.ErrKey)
			}
		})
	}
}

func TestScalarsRefused(t *testing.T) {
	t.Parallel()
	order := unhex(t, p384Order)
	less := bytes.Clone(order)
	less[47]--
	for name, test := range map[string]struct {
		scalar []byte
		ok     bool
	}{
		"zero":                {make([]byte, 48), false},
		"one":                 {append(make([]byte, 47), 1), true},
		"less than the order": {less, true},
		"the order":           {order, false},
		"more than the order": {bytes.Repeat([]byte{255}, 48), false},
	} {
		if _, err := codec.New(codec.V3, codec.Secret, test.scalar); (err == nil) != test.ok || err != nil && !errors.Is(err, codec.ErrKey) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestWeak has the points of small order, in the encodings that are of use to
// an attacker, and others.
func TestWeak(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, point string
		weak        bool
	}{
		{"order 1", "0100000000000000000000000000000000000000000000000000000000000000", true},
		{"order 2", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
		{"order 4", "0000000000000000000000000000000000000000000000000000000000000000", true},
		{"order 4, negative", "0000000000000000000000000000000000000000000000000000000000000080", true},
		{"order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", true},
		{"order 8, negative", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", true},
		{"order 8, another", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", true},
		{"order 1, not reduced", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
		{"order 4, not reduced", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
		{"of a key pair", "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2", false},
		{"base point", "5866666666666666666666666666666666666666666666666666666666666666", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, version := range []string{codec.V2, codec.V4} {
				key, err := codec.New(version, codec.Public, unhex(t, test.point))
				if err != nil {
					t.Fatal(err)
				}
				w, ok := key.(interface{ Weak() bool })
				if !ok || w.Weak() != test.weak {
					t.Errorf("%s: it is not told whether it is weak (%t), or wrongly", version, test.weak)
				}
			}
		})
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	for _, version := range []string{codec.V2, codec.V3, codec.V4} {
		for _, kind := range []string{codec.Local, codec.Secret} {
			one, err := codec.Generate(version, kind, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			sealer(t, version, kind, one)
			if two, err := codec.Generate(version, kind, rand.Reader); err != nil || bytes.Equal(one, two) {
				t.Errorf("%s.%s: two keys are the same, error %v", version, kind, err)
			}
			if b, err := codec.Generate(version, kind, bytes.NewReader(make([]byte, 31))); !errors.Is(err, io.ErrUnexpectedEOF) || b != nil {
				t.Errorf("%s.%s: %x is generated with too little randomness, error %v", version, kind, b, err)
			}
		}
	}
}

// TestGenerateTriesAgain has a source that first gives what is no scalar.
func TestGenerateTriesAgain(t *testing.T) {
	t.Parallel()
	source := bytes.NewReader(append(append(make([]byte, 48), unhex(t, p384Order)...), scalar(1)...))
	key, err := codec.Generate(codec.V3, codec.Secret, source)
	if err != nil || !bytes.Equal(key, scalar(1)) {
		t.Errorf("generated is %x, error %v, want %x", key, err, scalar(1))
	}
}
