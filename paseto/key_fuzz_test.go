package paseto_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// checkParsed checks what every parser of keys promises: an error that wraps
// ErrKey and no key with it, or a key that can be exported and read again.
func checkParsed(t *testing.T, text string, key paseto.Key, err error) {
	t.Helper()
	if err != nil {
		if !errors.Is(err, paseto.ErrKey) || key.Export() != "" || len(err.Error()) > 200 {
			t.Fatalf("%q: error is %v, with %s", text, err, key)
		}
		return
	}
	again, err := paseto.ParseKey(key.Export())
	if err != nil || !again.Equal(key) || again.KeyID() != key.KeyID() || again.CanIssue() != key.CanIssue() {
		t.Fatalf("%q is %s, which is exported as %s, error %v", text, key, again, err)
	}
	if key.Purpose() == paseto.Local {
		return
	}
	encoded, err := key.ExportPEM()
	if err != nil {
		t.Fatalf("%q is %s, which has no PEM: %v", text, key, err)
	}
	if again, err = paseto.ParseKeyFor(key.Version(), paseto.Public, encoded); err != nil || !again.Equal(key) {
		t.Fatalf("%q is %s, which is exported as PEM of %s, error %v", text, key, again, err)
	}
}

// seedKeys returns texts that are keys, or nearly.
func seedKeys() []string {
	texts := []string{
		"", "k4.local", "k4.local.", "k4.seal.AAAA", "k1.secret.AAAA", "k9.public.AAAA", privatePEM(), publicPEM(), privatePEM() + publicPEM(),
		"-----BEGIN ", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----", localHex, seedHex, string(keyPair), string(keyPair[:32]), scalar, p384Order,
		localKey.ID(), secretKey.ID(), publicKey.ID(),
	}
	for _, known := range knownKeys {
		key := must(paseto.ParseKey(known.paserk))
		texts = append(texts, known.paserk, known.paserk+"=", known.paserk+"\n", known.paserk+"A", known.paserk[:len(known.paserk)-1], known.material)
		if encoded, err := key.ExportPEM(); err == nil {
			texts = append(texts, encoded, encoded[:len(encoded)/2])
		}
	}
	for i := range wrappedKeys {
		texts = append(texts, wrappedKeys[i].text, cheapKeys[i])
	}
	return texts
}

// FuzzParseKey checks that a PASERK has one spelling, beside what checkParsed
// does.
func FuzzParseKey(f *testing.F) {
	for _, text := range seedKeys() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := paseto.ParseKey(text)
		checkParsed(t, text, key, err)
		if trimmed := strings.TrimSpace(text); err == nil && strings.HasPrefix(trimmed, "k") && trimmed != key.Export() {
			t.Fatalf("%q is exported as %s", text, key.Export())
		}
	})
}

// FuzzParseKeyFor checks that what ParseKey reads is read here as well, unless
// it is as long as the bytes of a key and no text.
func FuzzParseKeyFor(f *testing.F) {
	for _, text := range seedKeys() {
		for version := range len(versions) {
			f.Add(version, true, text)
			f.Add(version, false, text)
		}
	}
	f.Fuzz(func(t *testing.T, version int, public bool, text string) {
		if version < 0 || version >= len(versions) {
			return
		}
		purpose := paseto.Local
		if public {
			purpose = paseto.Public
		}
		key, err := paseto.ParseKeyFor(versions[version], purpose, text)
		checkParsed(t, text, key, err)
		if same, sameErr := paseto.ParseKey(text); sameErr == nil && err != nil {
			t.Fatalf("%q: %s.%s refuses what is %s: %v", text, versions[version], purpose, same, err)
		}
	})
}

// FuzzUnwrapKey checks that nothing unwraps but the seeds.
func FuzzUnwrapKey(f *testing.F) {
	valid := make(map[string]string)
	var wrapping []paseto.Key
	for _, v := range wrappedKeys {
		valid[v.text] = v.key
		wrapping = append(wrapping, must(paseto.ParseKeyFor(paseto.Version("v"+v.text[1:2]), paseto.Local, v.wrapping)))
	}
	for _, text := range seedKeys() {
		f.Add(text)
	}
	for _, v := range wrappedKeys {
		f.Add(v.text + "=")
		f.Add(v.text[:len(v.text)-1])
		f.Add(strings.Replace(v.text, ".pie.", ".", 1))
	}
	f.Fuzz(func(t *testing.T, text string) {
		opened := 0
		for _, w := range wrapping {
			key, err := paseto.UnwrapKey(text, w)
			checkParsed(t, text, key, err)
			if err == nil {
				opened++
				if key.Export() != valid[strings.TrimSpace(text)] {
					t.Fatalf("%q is unwrapped as %s", text, key)
				}
			}
		}
		if _, ok := valid[strings.TrimSpace(text)]; ok && opened != 1 {
			t.Fatalf("%q is unwrapped by %d keys", text, opened)
		}
	})
}

// cheapKeys are the keys that are known of each version, wrapped with the
// password at the least cost. They are written out because the processes that
// fuzz must agree on them.
var cheapKeys = []string{
	"k2.local-pw.NaX78F0b2jkD_PlbUKzE4gAAAAAAACAAAAAAAQAAAAG4czRfuieuKo9ISCEyuyMR39cj1aoGOAXB4LfcqYT3ZfCGMvVDaNrGvrXvRNIsoQ6cu0-VEJqe" +
		"Of793V5oJAKih_8XoF8pK3oDgta4-velsr7By44q06z3",
	"k2.secret-pw.0QKe4aDKdHjdNhukXrjxxQAAAAAAACAAAAAAAQAAAAEVE3h4l-XSLCwnpjMBot0S8TEPU9f12xcZRVaQXjgvFTzwCnwV3QLKxyKsktHQE9meA8RHHsU" +
		"OfhUGw9eem3a3kRbfeDNfPoZSZ39JfG99bdAf8YyynTb2TBDY3DttbXPFFTZ10pyX8JQ9T_B5Q2VYvyYBDx9Fgcs",
	"k3.local-pw.GbFE1H1Mon871-GVQzMgbLWlI0HQ94Pz0VI3DGCu21wAAAAB29GLeNpd4QO7PZk_KYThF4Lih-NZZ12vaovpr-GpPI4raC0hC9X37TQzOu1i2uiadTgd" +
		"8OkvKlSU0Prik-Qs8C_mHgnsLMx6uZawHsZRVbL0stoZKM4-rfMIbVU0a4F-",
	"k3.secret-pw.BIPcKIy73dANvDNc0BQqTYpIcDkblSIo4K7ktb5rwiEAAAAB4o-sTL1Piy0q8M1cRV43P5ozcexJOa6GO5HQNtu1ZoFyC7t7Nq2lGkO1iMBlA2P8vLc" +
		"gPdQI1gz1w8-_UU-MEzF10nRz_2HRn5_iB8TnMjIuweYVmvBZ002Q1FGCWfOVL-m6snGbFDOc9Kz4EV2tmw",
	"k4.local-pw.3FIYQZDF3bV4pSjE0tFHcQAAAAAAACAAAAAAAQAAAAEtBaWMP3iYnThQLIzv18Phl-fTtNMizhAYqDZpNEHhHxxha2IKb39cH4lHz4MdfhfdHSiT4RI2" +
		"Q5Z7sXlD1fjLLGM2cuZxkeQYP-oO2YoMZ3QBUDbQyVUe",
	"k4.secret-pw.H7SWM_KE8L3aX978uLBt6QAAAAAAACAAAAAAAQAAAAFPxVl0_jU6U8PRCP6GdeHqsrgJw8MgvNAFrGa2LSRd3WOvJZ7iYnEulvZxJFQKUtzfgjT-Dun" +
		"ppmPHxzGhE7A6xKdsVvLVEBmf3aKJcAaa64Ru8fbZIhZgtrwkWJOVLwiE9x3h1Azbu0Ow3lto3PMJ8uaROOwVIXo",
}

// dear reports whether a text would cost more than a fuzzer has, and not so much
// that it is refused for that.
func dear(text string) bool {
	data, err := base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:])
	if err != nil || len(data) < 36 {
		return false
	}
	cost := params(text, data)
	if cost.Memory == 0 {
		return cost.Passes > 1000 && cost.Passes <= 10_000_000
	}
	return cost.Memory <= 1<<30 && cost.Passes <= 16 && cost.Threads <= 16 &&
		(cost.Memory > 256<<10 || cost.Passes > 2)
}

// FuzzUnwrapKeyPassword checks that nothing unwraps but the seeds, and that
// what would cost too much is refused before it does: else the fuzzer would find
// an input that hangs.
func FuzzUnwrapKeyPassword(f *testing.F) {
	valid := make(map[string]bool)
	for _, text := range cheapKeys {
		valid[text] = true
	}
	for _, text := range seedKeys() {
		f.Add(text)
	}
	for _, text := range cheapKeys {
		f.Add(text + "=")
		f.Add(text[:len(text)-1])
		f.Add(text[:3] + strings.Replace(text[3:], "A", "_", 4))
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.TrimSpace(text)
		if dear(text) {
			return // it would take too long
		}
		key, err := paseto.UnwrapKeyPassword(text, []byte(password))
		checkParsed(t, text, key, err)
		if (err == nil) != valid[text] {
			t.Fatalf("%q is unwrapped as %s, error %v", text, key, err)
		}
	})
}
