package paseto_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// p384Pair is the known v3 key pair as the standard library has it.
var p384Pair = must(ecdsa.ParseRawPrivateKey(elliptic.P384(), unhex(scalar)))

func encodePEM(kind string) func(der []byte, err error) string {
	return func(der []byte, err error) string { return pemOf(kind, der, err) }
}

// TestParsePEM reads what openssl writes.
func TestParsePEM(t *testing.T) {
	t.Parallel()
	pkcs8, sec1, spki := encodePEM("PRIVATE KEY"), encodePEM("EC PRIVATE KEY"), encodePEM("PUBLIC KEY")
	ed := paserkOf("k4", "secret", keyPair)
	ed2 := paserkOf("k2", "secret", keyPair)
	p384 := paserkOf("k3", "secret", unhex(scalar))
	p384Half := must(must(paseto.ParseKey(p384)).PublicKey()).Export()
	for _, test := range []struct {
		name, text string
		version    paseto.Version
		want       string
	}{
		{"Ed25519 private", privatePEM(), paseto.V4, ed},
		{"Ed25519 public", publicPEM(), paseto.V4, paserkOf("k4", "public", keyPair[32:])},
		{"Ed25519 private for version 2", privatePEM(), paseto.V2, ed2},
		{"Ed25519 public for version 2", publicPEM(), paseto.V2, paserkOf("k2", "public", keyPair[32:])},
		{"Ed25519 where version 3 is asked for", privatePEM(), paseto.V3, ed},
		{"P-384 private", pkcs8(x509.MarshalPKCS8PrivateKey(p384Pair)), paseto.V3, p384},
		{"P-384 private, SEC 1", sec1(x509.MarshalECPrivateKey(p384Pair)), paseto.V3, p384},
		{"P-384 public", spki(x509.MarshalPKIXPublicKey(p384Pair.Public())), paseto.V3, p384Half},
		{"P-384 where version 4 is asked for", pkcs8(x509.MarshalPKCS8PrivateKey(p384Pair)), paseto.V4, p384},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			crlf := strings.ReplaceAll(test.text, "\n", "\r\n")
			for _, text := range []string{test.text, "\n\n" + test.text + "\n", strings.TrimSpace(test.text), crlf} {
				for _, purpose := range []paseto.Purpose{paseto.Public, paseto.Local} {
					key, err := paseto.ParseKeyFor(test.version, purpose, text)
					if err != nil || key.Export() != test.want {
						t.Errorf("it is read as %s, error %v, want %.10s…", key.ID(), err, test.want)
					}
				}
				if test.version == paseto.V2 {
					continue // PEM does not say so, and ParseKey is not told
				}
				key, err := paseto.ParseKey(text)
				if err != nil || key.Export() != test.want {
					t.Errorf("it is read as %s, error %v, want %.10s…", key.ID(), err, test.want)
				}
			}
		})
	}
}

func TestPEMRefused(t *testing.T) {
	t.Parallel()
	pkcs8, sec1, spki := encodePEM("PRIVATE KEY"), encodePEM("EC PRIVATE KEY"), encodePEM("PUBLIC KEY")
	p256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := pkcs8(x509.MarshalPKCS8PrivateKey(p384Pair))
	p384Public := spki(x509.MarshalPKIXPublicKey(p384Pair.Public()))
	der := must(x509.MarshalECPrivateKey(p384Pair))
	patched := func(material string) string { // SEC 1 with another scalar
		i := strings.Index(string(der), string(unhex(scalar)))
		return pemOf("EC PRIVATE KEY", slices.Concat(der[:i], unhex(material), der[i+48:]), nil)
	}
	spkiDER := must(x509.MarshalPKIXPublicKey(p384Pair.Public()))
	offCurve := slices.Clone(spkiDER)
	offCurve[len(offCurve)-1] ^= 1
	for _, test := range []struct{ name, text, why string }{
		{"P-256 private", pkcs8(x509.MarshalPKCS8PrivateKey(p256)), "no key of Ed25519 or P-384"},
		{"P-256 private, SEC 1", sec1(x509.MarshalECPrivateKey(p256)), "no key of Ed25519 or P-384"},
		{"P-256 public", spki(x509.MarshalPKIXPublicKey(p256.Public())), "no key of Ed25519 or P-384"},
		{"PKCS #8 called SEC 1", strings.ReplaceAll(p384, "PRIVATE", "EC PRIVATE"), "no key of Ed25519 or P-384"},
		{"P-384 scalar zero", patched(strings.Repeat("00", 48)), ""},
		{"P-384 scalar as large as the order", patched(p384Order), ""},
		{"P-384 point not on the curve", pemOf("PUBLIC KEY", offCurve, nil), "no key of Ed25519 or P-384"},
		{"certificate", strings.ReplaceAll(p384Public, "PUBLIC KEY", "CERTIFICATE"), "no key of Ed25519 or P-384"},
		{"encrypted", strings.ReplaceAll(p384, "PRIVATE", "ENCRYPTED PRIVATE"), "no key of Ed25519 or P-384"},
		{"cut off", p384[:len(p384)/2], "damaged"},
		{"cut off behind the data", strings.Split(p384, "-----END")[0], "damaged"},
		{"padded in the middle", strings.Replace(p384, "M", "=", 1), "damaged"},
		{"two keys", p384 + p384Public, "exactly one"},
		{"text behind", p384 + "k4.local.AAAA", "exactly one"},
		{"no data", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "no key of Ed25519 or P-384"},
		{"no end", "-----BEGIN PRIVATE KEY-----", "damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := paseto.ParseKey(test.text)
			checkNoKey(t, key, err, "", test.why)
			for _, line := range strings.Split(test.text, "\n") {
				if len(line) > 16 && strings.Contains(err.Error(), line) {
					t.Errorf("the error contains a line of it: %v", err)
				}
			}
			for _, version := range versions {
				key, err := paseto.ParseKeyFor(version, paseto.Public, test.text)
				checkNoKey(t, key, err, "", test.why)
			}
		})
	}
}

// TestExportPEM reads what is exported with the standard library, as openssl
// would.
func TestExportPEM(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		pair := must(paseto.NewKey(version, paseto.Public))
		half := must(pair.PublicKey())
		for kind, key := range map[string]paseto.Key{"PRIVATE KEY": pair, "PUBLIC KEY": half} {
			text, err := key.ExportPEM()
			if err != nil {
				t.Fatal(err)
			}
			block, rest := pem.Decode([]byte(text))
			if block == nil || block.Type != kind || len(rest) > 0 || len(block.Headers) > 0 {
				t.Fatalf("%s: exported is %v and %q", key, block, rest)
			}
			var parsed any
			if kind == "PRIVATE KEY" {
				parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
			} else {
				parsed, err = x509.ParsePKIXPublicKey(block.Bytes)
			}
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			paserkKind := strings.Split(key.Export(), ".")[1]
			if paserkOf("k"+string(version[1:]), paserkKind, material(t, parsed)) != key.Export() {
				t.Errorf("%s: the exported key is another", key)
			}
			same, err := paseto.ParseKeyFor(version, paseto.Public, text)
			if err != nil || !same.Equal(key) || same.String() != key.String() {
				t.Errorf("%s is read as %s, error %v", key, same, err)
			}
		}
	}
}

// material returns the bytes of a key of the standard library as PASERK has
// them.
func material(t testing.TB, key any) []byte {
	t.Helper()
	switch key := key.(type) {
	case ed25519.PrivateKey:
		return key
	case ed25519.PublicKey:
		return key
	case *ecdsa.PrivateKey:
		return must(key.Bytes())
	case *ecdsa.PublicKey:
		point := must(key.Bytes()) // 4, and the two coordinates
		compressed := point[:1+len(point)/2]
		compressed[0] = 2 | point[len(point)-1]&1
		return compressed
	}
	t.Fatalf("the key is a %T", key)
	return nil
}

func TestExportPEMRefuses(t *testing.T) {
	t.Parallel()
	for _, key := range []paseto.Key{{}, localKey, must(paseto.NewKey(paseto.V3, paseto.Local))} {
		if text, err := key.ExportPEM(); text != "" || !errors.Is(err, paseto.ErrKey) {
			t.Errorf("%s: exported is %q, error %v, want %v", key, text, err, paseto.ErrKey)
		}
	}
}

// TestPEMWithMoreInside: what follows the key is not passed over, and the
// parameters that openssl writes before it are.
func TestPEMWithMoreInside(t *testing.T) {
	t.Parallel()
	private := privatePEM()
	if _, err := paseto.ParseKey("-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n" + private); err != nil {
		t.Errorf("parameters before the key: %v", err)
	}
	block, _ := pem.Decode([]byte(private))
	if _, err := paseto.ParseKey(pemOf("PRIVATE KEY", append(block.Bytes, "JUNK"...), nil)); err == nil {
		t.Error("trailing bytes are accepted")
	}
}
