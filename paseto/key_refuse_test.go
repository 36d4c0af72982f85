package paseto_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// p384Order is the number of points of P-384: scalars are less.
const p384Order = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"

// checkNoKey checks that err says why a text is no key, that no key comes with
// it, and that it contains nothing of the text.
func checkNoKey(t testing.TB, key paseto.Key, err error, text, why string) {
	t.Helper()
	if !errors.Is(err, paseto.ErrKey) || !strings.Contains(err.Error(), why) {
		t.Fatalf("error is %v, want %v about %s", err, paseto.ErrKey, why)
	}
	if key.CanIssue() || key.String() != "no key" || key.Export() != "" {
		t.Errorf("%s comes with the error", key)
	}
	checkQuiet(t, err, text)
}

// checkQuiet checks that an error contains nothing of a text: no eight bytes in
// a row but those that every text of its format has.
func checkQuiet(t testing.TB, err error, text string) {
	t.Helper()
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" .\n-", r) }) {
		for part := range slices.Chunk([]byte(word), 8) {
			if len(part) == 8 && strings.Contains(err.Error(), string(part)) {
				t.Errorf("the error contains part of the key: %v", err)
			}
		}
	}
}

func TestPASERKRefused(t *testing.T) {
	t.Parallel()
	seq, pair, secret := unhex(sequential), unhex(sequentialPair), unhex(scalar)
	mixed := append(bytes.Clone(pair[:32]), keyPair[32:]...)
	infinite := make([]byte, 49)
	uncompressed := append([]byte{4}, secret...)
	noPoint := append([]byte{2}, append(make([]byte, 47), 1)...)
	for _, test := range []struct{ name, text, why string }{
		{"k2 data in k3", paserkOf("k3", "secret", pair), "a v3 secret key has 48 bytes, this one 64"},
		{"k3 data in k4", paserkOf("k4", "secret", secret), "a v4 secret key has 64 bytes, this one 48"},
		{"k4 public data in k3", paserkOf("k3", "public", seq), "a v3 public key has 49 bytes, this one 32"},
		{"short k2 local", paserkOf("k2", "local", seq[:31]), "a v2 local key has 32 bytes, this one 31"},
		{"long k3 local", paserkOf("k3", "local", append(bytes.Clone(seq), 0)), "a v3 local key has 32 bytes, this one 33"},
		{"public half as k2 secret", paserkOf("k2", "secret", pair[32:]), "a v2 secret key has 64 bytes, this one 32"},
		{"public half as k4 secret", paserkOf("k4", "secret", pair[32:]), "a v4 secret key has 64 bytes, this one 32"},
		{"short k3 secret", paserkOf("k3", "secret", secret[1:]), "a v3 secret key has 48 bytes, this one 47"},
		{"long k3 public", paserkOf("k3", "public", append(infinite, 0)), "a v3 public key has 49 bytes, this one 50"},

		{"halves of different k2 pairs", paserkOf("k2", "secret", mixed), "does not belong to its seed"},
		{"halves of different k4 pairs", paserkOf("k4", "secret", mixed), "does not belong to its seed"},
		{"k2 point not on the curve", paserkOf("k2", "public", seq), "not a point on the curve"},
		{"k4 point not on the curve", paserkOf("k4", "public", seq), "not a point on the curve"},
		{"k3 point not on the curve", paserkOf("k3", "public", noPoint), "not a point on the curve"},
		{"k3 point at infinity", paserkOf("k3", "public", infinite), "not a point on the curve"},
		{"k3 point with another prefix", paserkOf("k3", "public", uncompressed), "not a point on the curve"},
		{"k3 scalar zero", paserkOf("k3", "secret", make([]byte, 48)), "not a scalar"},
		{"k3 scalar as large as the order", paserkOf("k3", "secret", unhex(p384Order)), "not a scalar"},
		{"k3 scalar beyond the order", paserkOf("k3", "secret", bytes.Repeat([]byte{255}, 48)), "not a scalar"},

		{"padding", paserkOf("k2", "local", seq) + "=", "base64url"},
		{"line feed inside", paserkOf("k3", "local", seq)[:20] + "\n" + paserkOf("k3", "local", seq)[20:], "base64url"},
		{"standard alphabet", "k3.local." + strings.Repeat("+", 43), "base64url"},
		{"another part", paserkOf("k3", "local", seq) + ".AAAA", "base64url"},
		{"stray bits", "k2.local." + strings.Repeat("A", 42) + "B", "base64url"},
		{"text behind it", paserkOf("k2", "local", seq) + " AAAA", "base64url"},
		{"no data", "k3.public.", "a v3 public key has 49 bytes, this one 0"},
		{"a mebibyte", "k4.local." + strings.Repeat("A", 1<<20), "a v4 local key has 32 bytes"},

		{"version 1", paserkOf("k1", "secret", seq), "expected local, secret or public of version k2, k3 or k4"},
		{"version 0", paserkOf("k0", "local", seq), "unknown kind of PASERK"},
		{"version 44", paserkOf("k44", "local", seq), "expected a PASERK"},
		{"identifier of a local key", localKey.ID(), "unknown kind of PASERK"},
		{"identifier of a key pair", secretKey.ID(), "unknown kind of PASERK"},
		{"identifier of a public half", publicKey.ID(), "unknown kind of PASERK"},
		{"sealed key", paserkOf("k4", "seal", pair), "unknown kind of PASERK"},
		{"token", "v4.local." + strings.Repeat("A", 60), "expected a PASERK"},

		{"wrapped local key", must(localKey.Wrap(otherLocal)), "it is wrapped"},
		{"wrapped key pair", must(secretKey.Wrap(otherLocal)), "it is wrapped"},
		{"password-wrapped local key", must(localKey.WrapPassword([]byte("x"), cheap)), "it is wrapped"},
		{"password-wrapped key pair", must(secretKey.WrapPassword([]byte("x"), cheap)), "it is wrapped"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := paseto.ParseKey(test.text)
			checkNoKey(t, key, err, test.text, test.why)
			for _, version := range versions {
				for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
					key, err := paseto.ParseKeyFor(version, purpose, test.text)
					checkNoKey(t, key, err, test.text, "")
				}
			}
		})
	}
}

func TestNewKeyRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		version paseto.Version
		purpose paseto.Purpose
	}{
		{"v1", paseto.Local}, {"v1", paseto.Public}, {"v5", paseto.Local}, {"", ""}, {paseto.V4, ""}, {paseto.V4, "secret"}, {"k4", paseto.Local},
		{paseto.V3, "a purpose that is far too long to be shown whole"},
	} {
		key, err := paseto.NewKey(test.version, test.purpose)
		if !errors.Is(err, paseto.ErrKey) || key.String() != "no key" {
			t.Errorf("%s.%s: a new key is %s, error %v, want %v", test.version, test.purpose, key, err, paseto.ErrKey)
		}
		if err != nil && strings.Contains(err.Error(), "too long") {
			t.Errorf("the error repeats all it is given: %v", err)
		}
	}
}
