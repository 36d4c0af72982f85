package paseto_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/pasetokit/pasetokit/paseto"
)

// inUTF16 returns a text in UTF-16, big endian or little.
func inUTF16(text, mark string, big bool) string {
	var b strings.Builder
	b.WriteString(mark)
	for _, unit := range utf16.Encode([]rune(text)) {
		high, low := byte(unit>>8), byte(unit)
		if big {
			b.Write([]byte{high, low})
		} else {
			b.Write([]byte{low, high})
		}
	}
	return b.String()
}

// TestMisread says what tools have made of a key, in every form of one.
func TestMisread(t *testing.T) {
	t.Parallel()
	private := privatePEM()
	wrapped := must(localKey.WrapPassword([]byte("x"), cheap))
	for _, form := range []struct{ name, text string }{
		{"PASERK", localKey.Export()}, {"hex", sequential}, {"PEM", private}, {"wrapped", wrapped},
	} {
		for _, test := range []struct{ name, text, why string }{
			{"a mark of UTF-8", "\ufeff" + form.text, "it begins with a byte order mark"},
			{"a mark of UTF-8 and CR LF", "\ufeff" + form.text + "\r\n", "it begins with a byte order mark"},
			{"UTF-16 as Windows writes it", inUTF16(form.text+"\r\n", "\xff\xfe", false), "it is text in UTF-16"},
			{"UTF-16, big endian", inUTF16(form.text, "\xfe\xff", true), "it is text in UTF-16"},
			{"UTF-16 without a mark", inUTF16(form.text, "", false), "it is text in UTF-16"},
			{"double quotes", `"` + form.text + `"` + "\n", "it stands in quotes"},
			{"single quotes", `'` + form.text + `'`, "it stands in quotes"},
			{"literal line breaks", strings.ReplaceAll(private, "\n", `\n`), `its line breaks are written as \n`},
			{"literal line breaks and a real one", strings.ReplaceAll(private, "\n", `\n`) + "\n", `its line breaks are written as \n`},
			{"spaces for line breaks", strings.ReplaceAll(private, "\n", " "), "lost its line breaks"},
		} {
			t.Run(form.name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				key, err := paseto.ParseKey(test.text)
				checkNoKey(t, key, err, test.text, test.why)
				for _, version := range versions {
					for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
						key, err := paseto.ParseKeyFor(version, purpose, test.text)
						checkNoKey(t, key, err, test.text, test.why)
					}
				}
				key, err = paseto.UnwrapKeyPassword(test.text, []byte("x"))
				checkNoKey(t, key, err, test.text, test.why)
				key, err = paseto.UnwrapKey(test.text, localKey)
				checkNoKey(t, key, err, test.text, test.why)
			})
		}
	}
}

// TestWrongSize says what bytes could be that are not as many as they should be.
func TestWrongSize(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		version paseto.Version
		purpose paseto.Purpose
		bytes   string
		why     string
	}{
		{"a pair where a local key is asked for", paseto.V4, paseto.Local, string(keyPair), "32 bytes, this one 64, as a key pair of version 4 has, for purpose public"},
		{"a scalar where a local key is asked for", paseto.V3, paseto.Local, string(unhex(scalar)), "32 bytes, this one 48, as a secret key of version 3 has, for purpose public"},
		{"a scalar for version 4", paseto.V4, paseto.Public, string(unhex(scalar)), "64 bytes, this one 48, as a secret key of version 3 has"},
		{"a local key where a scalar is asked for", paseto.V3, paseto.Public, string(unhex(sequential)), "48 bytes, this one 32, as a local key has, for purpose local"},
		{"a local key where a pair is asked for", paseto.V4, paseto.Public, string(unhex(sequential)), "purpose local"},
		{"as no key has", paseto.V4, paseto.Local, "\x01\x02\x03", "a v4 local key has 32 bytes, this one 3"},
	} {
		for form, text := range map[string]string{"bytes": test.bytes, "digits": hex.EncodeToString([]byte(test.bytes))} {
			t.Run(test.name+"/"+form, func(t *testing.T) {
				t.Parallel()
				key, err := paseto.ParseKeyFor(test.version, test.purpose, text)
				checkNoKey(t, key, err, text, test.why)
			})
		}
	}
}

// TestPasswordMisread says what surrounds a password that does not fit.
func TestPasswordMisread(t *testing.T) {
	t.Parallel()
	wrapped := must(localKey.WrapPassword([]byte("pass word"), cheap))
	const wrong = "the wrapping key or password is wrong, or it was changed"
	for _, test := range []struct{ name, password, about string }{
		{"another", "other", ""},
		{"white space within", "pass  word", ""},
		{"a space behind", "pass word ", "; the password begins or ends with white space, which is part of it"},
		{"CR LF behind", "pass word\r\n", "; the password begins or ends with white space, which is part of it"},
		{"a tab before", "\tpass word", "; the password begins or ends with white space, which is part of it"},
		{"a mark of UTF-8", "\ufeffpass word", "; the password begins with a byte order mark"},
		{"UTF-16", inUTF16("pass word", "\xff\xfe", false), "; the password is text in UTF-16"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := paseto.UnwrapKeyPassword(wrapped, []byte(test.password))
			if want := paseto.ErrKey.Error() + ": " + wrong + test.about; err == nil || err.Error() != want {
				t.Errorf("error is %v, want %s", err, want)
			}
		})
	}
}
