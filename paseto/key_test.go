package paseto_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

func paserk(kind string, material []byte) string { return paserkOf("k4", kind, material) }

func paserkOf(version, kind string, material []byte) string {
	return version + "." + kind + "." + base64.RawURLEncoding.EncodeToString(material)
}

func pemOf(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// The shared key pair as PEM.
func privatePEM() string {
	der, err := x509.MarshalPKCS8PrivateKey(keyPair)
	return pemOf("PRIVATE KEY", der, err)
}

func publicPEM() string {
	der, err := x509.MarshalPKIXPublicKey(keyPair.Public())
	return pemOf("PUBLIC KEY", der, err)
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	issuer := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name, text string
		purpose    paseto.Purpose
		issues     bool
		prints     string
	}{
		{"local PASERK", paserk("local", unhex(localHex)), paseto.Local, true, "v4.local key (redacted)"},
		{"secret PASERK", paserk("secret", keyPair), paseto.Public, true, "v4.public secret key (redacted)"},
		{"public PASERK", paserk("public", keyPair[32:]), paseto.Public, false, "v4.public public key"},
		{"private PEM", privatePEM(), paseto.Public, true, "v4.public secret key (redacted)"},
		{"public PEM", publicPEM(), paseto.Public, false, "v4.public public key"},
		{"white space around", "\n\t " + paserk("secret", keyPair) + "\r\n", paseto.Public, true, "v4.public secret key (redacted)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := paseto.ParseKey(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if key.Version() != paseto.V4 || key.Purpose() != test.purpose || key.CanIssue() != test.issues || key.String() != test.prints {
				t.Errorf("key is %s of %s.%s, issues %t", key, key.Version(), key.Purpose(), key.CanIssue())
			}
			auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, Purpose: test.purpose})
			verify(t, auth, issueAccess(t, issuer, paseto.Grant{Purpose: test.purpose}).Token.Reveal(), paseto.Requirement{})
			if test.issues {
				verify(t, issuer, issueAccess(t, auth, paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
			}
		})
	}
}

func TestParseHexKey(t *testing.T) {
	t.Parallel()
	issuer := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		purpose paseto.Purpose
		text    string
	}{
		{paseto.Local, localHex},
		{paseto.Local, strings.ToUpper(localHex) + "\n"},
		{paseto.Public, hex.EncodeToString(keyPair)},
	} {
		key, err := paseto.ParseKeyFor(paseto.V4, test.purpose, test.text)
		if err != nil {
			t.Fatal(err)
		}
		auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, Purpose: test.purpose})
		verify(t, issuer, issueAccess(t, auth, paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
	}
}

func TestKeysRefused(t *testing.T) {
	t.Parallel()
	mixed := append(bytes.Clone(keyPair[:32]), unhex(localHex)...)
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ecPrivate, err := x509.MarshalPKCS8PrivateKey(ecKey)
	ecPEM := pemOf("PRIVATE KEY", ecPrivate, err)
	ecPublic, err := x509.MarshalPKIXPublicKey(ecKey.Public())
	ecPublicPEM := pemOf("PUBLIC KEY", ecPublic, err)
	seed := base64.RawURLEncoding.EncodeToString(keyPair[:32])
	local := paserk("local", unhex(localHex))

	parse := paseto.ParseKey
	asLocal := func(text string) (paseto.Key, error) { return paseto.ParseKeyFor(paseto.V4, paseto.Local, text) }
	asPublic := func(text string) (paseto.Key, error) { return paseto.ParseKeyFor(paseto.V4, paseto.Public, text) }
	asOther := func(text string) (paseto.Key, error) { return paseto.ParseKeyFor(paseto.V4, "other", text) }
	for _, test := range []struct {
		name  string
		parse func(string) (paseto.Key, error)
		text  string
		why   string
	}{
		{"empty", parse, " \n", "empty"},
		{"hex where the kind must show", parse, localHex, "PASERK"},
		{"password", parse, "correct horse battery staple", "PASERK"},
		{"version 1", parse, "k1.local." + seed, "unknown kind of PASERK"},
		{"unknown version", parse, "k5.local." + seed, "unknown kind of PASERK"},
		{"PASERK in capitals", parse, "K4.LOCAL." + seed, "PASERK"},
		{"unknown type of PASERK", parse, "k4.seal." + seed, "unknown kind of PASERK"},
		{"identifier instead of key", parse, "k4.lid." + seed, "unknown kind of PASERK"},
		{"PASERK without data", parse, "k4.local.", "32 bytes, this one 0"},
		{"PASERK without dot", parse, "k4.local", "unknown kind of PASERK"},
		{"short local PASERK", parse, paserk("local", keyPair[:31]), "32 bytes, this one 31"},
		{"long local PASERK", parse, paserk("local", keyPair), "32 bytes, this one 64"},
		{"seed as secret PASERK", parse, paserk("secret", keyPair[:32]), "64 bytes"},
		{"halves of different pairs", parse, paserk("secret", mixed), "does not belong"},
		{"key pair as public PASERK", parse, paserk("public", keyPair), "32 bytes, this one 64"},
		{"padded PASERK", parse, local + "=", "base64url"},
		{"PASERK over lines", parse, local[:20] + "\n" + local[20:], "base64url"},
		{"PASERK with another part", parse, local + ".AAAA", "base64url"},
		{"PASERK with stray bits", parse, local[:len(local)-1] + "9", "base64url"},
		{"damaged PEM", parse, strings.Replace(privatePEM(), "END", "ENT", 1), "damaged"},
		{"two PEM blocks", parse, privatePEM() + publicPEM(), "exactly one"},
		{"text after PEM", parse, privatePEM() + "x", "exactly one"},
		{"PEM of another algorithm", parse, ecPEM, "Ed25519"},
		{"public PEM of another algorithm", parse, ecPublicPEM, "Ed25519"},
		{"PEM of another type", parse, strings.ReplaceAll(privatePEM(), "PRIVATE", "EC PRIVATE"), "Ed25519"},
		{"private PEM called public", parse, strings.ReplaceAll(privatePEM(), "PRIVATE", "PUBLIC"), "Ed25519"},
		{"PEM of junk", parse, pemOf("PRIVATE KEY", keyPair, nil), "Ed25519"},

		{"odd number of digits", asLocal, localHex[1:], "hexadecimal"},
		{"not hex", asLocal, "correct horse battery staple", "hexadecimal"},
		{"short local hex", asLocal, localHex[2:], "32 bytes, this one 31"},
		{"empty hex", asLocal, "", "empty"},
		{"seed or public key in hex", asPublic, seedHex, "k4.secret"},
		{"short key pair in hex", asPublic, hex.EncodeToString(keyPair[:63]), "64 bytes"},
		{"halves of different pairs in hex", asPublic, hex.EncodeToString(mixed), "does not belong"},
		{"unknown purpose", asOther, localHex, "unknown purpose"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := test.parse(test.text)
			if !errors.Is(err, paseto.ErrKey) || !strings.Contains(err.Error(), test.why) {
				t.Fatalf("error is %v, want %v about %s", err, paseto.ErrKey, test.why)
			}
			if key.CanIssue() || key.String() != "no key" {
				t.Errorf("%s comes with the error", key)
			}
			for _, word := range strings.FieldsFunc(test.text, func(r rune) bool { return strings.ContainsRune(" .\n-", r) }) {
				// Shorter words are those of the format.
				if len(word) > 8 && strings.Contains(err.Error(), word[:8]) {
					t.Errorf("the error contains part of the key: %v", err)
				}
			}
		})
	}
}

func TestPublicKey(t *testing.T) {
	t.Parallel()
	half, err := secretKey.PublicKey()
	if err != nil || half.CanIssue() || half.Purpose() != paseto.Public {
		t.Errorf("public half of a pair is %s, error %v", half, err)
	}
	if again, err := half.PublicKey(); err != nil || again.String() != half.String() {
		t.Errorf("public half of a public half is %s, error %v", again, err)
	}
	for _, key := range []paseto.Key{localKey, {}} {
		if half, err := key.PublicKey(); !errors.Is(err, paseto.ErrKey) || half.String() != "no key" {
			t.Errorf("public half of %s is %s, error %v, want %v", key, half, err, paseto.ErrKey)
		}
	}
}

func TestNewKeysDiffer(t *testing.T) {
	t.Parallel()
	for purpose, generate := range map[paseto.Purpose]func() paseto.Key{paseto.Local: paseto.NewLocalKey, paseto.Public: paseto.NewSecretKey} {
		one := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{generate()}, Purpose: purpose})
		two := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{generate()}, Purpose: purpose})
		token := issueAccess(t, one, paseto.Grant{}).Token.Reveal()
		verify(t, one, token, paseto.Requirement{})
		if _, err := two.Verify(t.Context(), token, paseto.Requirement{}); err == nil {
			t.Errorf("%s: a second new key opens the tokens of the first", purpose)
		}
	}
}
