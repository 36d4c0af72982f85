package paseto_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestRawKeys reads the bytes of keys, also where they look like something
// else.
func TestRawKeys(t *testing.T) {
	t.Parallel()
	zero := strings.Repeat("\x00", 31)
	pair := string(keyPair)
	for _, test := range []struct {
		name    string
		version paseto.Version
		purpose paseto.Purpose
		bytes   string
	}{
		{"v2.local", paseto.V2, paseto.Local, string(unhex(sequential))},
		{"v2.public", paseto.V2, paseto.Public, pair},
		{"v3.local", paseto.V3, paseto.Local, string(unhex(sequential))},
		{"v3.public", paseto.V3, paseto.Public, string(unhex(scalar))},
		{"v4.local", paseto.V4, paseto.Local, string(unhex(sequential))},
		{"v4.public", paseto.V4, paseto.Public, pair},
		{"zeros", paseto.V4, paseto.Local, zero + "\x00"},
		{"a space before", paseto.V4, paseto.Local, " " + zero},
		{"a line feed behind", paseto.V4, paseto.Local, zero + "\n"},
		{"line ends about", paseto.V3, paseto.Local, "\r\n" + zero[:27] + "\t\n\n"},
		{"bytes that are not UTF-8", paseto.V4, paseto.Local, strings.Repeat("\xff", 32)},
		{"a letter beyond ASCII", paseto.V4, paseto.Local, strings.Repeat("a", 30) + "ä"},
		{"digits but for one", paseto.V4, paseto.Local, strings.Repeat("0", 31) + "\x7f"},
		{"the beginning of a PASERK", paseto.V4, paseto.Local, "k4." + zero[2:]},
		{"the beginning of PEM", paseto.V4, paseto.Local, "-----BEGIN " + zero[10:]},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := paseto.ParseKeyFor(test.version, test.purpose, test.bytes)
			if err != nil {
				t.Fatal(err)
			}
			want := must(paseto.ParseKeyFor(test.version, test.purpose, hex.EncodeToString([]byte(test.bytes))))
			if !key.Equal(want) {
				t.Errorf("the key is %s, want %s", key.ID(), want.ID())
			}
		})
	}
}

func TestRawKeysRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		version paseto.Version
		purpose paseto.Purpose
		text    string
		why     string
	}{
		{"a byte too few", paseto.V4, paseto.Local, strings.Repeat("\x01", 31), "hexadecimal"},
		{"a byte too many", paseto.V4, paseto.Local, strings.Repeat("\x01", 33), "hexadecimal"},
		{"a line feed behind the bytes", paseto.V4, paseto.Local, strings.Repeat("\x01", 32) + "\n", "hexadecimal"},
		{"a seed", paseto.V4, paseto.Public, string(keyPair[:32]), "hexadecimal"},
		{"a seed in digits", paseto.V4, paseto.Public, seedHex, "k4.secret"},
		{"a seed in digits for version 2", paseto.V2, paseto.Public, seedHex, "may be a seed or a public key"},
		{"halves that do not belong together", paseto.V4, paseto.Public, string(keyPair[:32]) + string(unhex(sequential)), "does not belong"},
		{"a scalar of zero", paseto.V3, paseto.Public, strings.Repeat("\x00", 48), "not a scalar"},
		{"a scalar as large as the order in digits", paseto.V3, paseto.Public, p384Order, "not a scalar"},
		{"too few digits for a scalar", paseto.V3, paseto.Public, sequential, "a v3 secret key has 48 bytes, this one 32"},
		{"a password of the right length", paseto.V4, paseto.Local, "correct horse battery staple 123", "hexadecimal"},
		{"white space of the right length", paseto.V4, paseto.Local, strings.Repeat(" \n", 16), "empty"},
		{"digits that fill 32 bytes", paseto.V4, paseto.Local, strings.Repeat("0", 32), "32 bytes, this one 16"},
		{"digits in pairs", paseto.V4, paseto.Local, "01:02:03:04:05:06:07:08:09:0a:0b", "hexadecimal"},
		{"an unknown version", "v1", paseto.Local, sequential, "unknown kind of key"},
		{"an unknown version and bytes", "v5", paseto.Local, string(unhex(sequential)), ""},
		{"an unknown purpose", paseto.V4, "secret", hex.EncodeToString(keyPair), "unknown purpose"},
		{"an unknown purpose and bytes", paseto.V4, "other", string(unhex(sequential)), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := paseto.ParseKeyFor(test.version, test.purpose, test.text)
			checkNoKey(t, key, err, test.text, test.why)
		})
	}
}
