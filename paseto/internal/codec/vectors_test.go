package codec_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"go/build"
	"os"
	"path/filepath"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// vector is one of the official test vectors of PASETO version 4.
type vector struct {
	Name       string
	ExpectFail bool `json:"expect-fail"`
	Key        string
	Nonce      string
	PublicKey  string `json:"public-key"`
	SecretKey  string `json:"secret-key"`
	Token      string
	Payload    string
	Footer     string
	Implicit   string `json:"implicit-assertion"`
}

// vectors returns the official vectors, which come with the module go-paseto.
func vectors(t testing.TB) []vector {
	t.Helper()
	module, err := build.Import("aidanwoods.dev/go-paseto", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(module.Dir, "test-vectors", "v4.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Tests []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tests) < 17 {
		t.Fatalf("there are %d vectors, fewer than version 4 has", len(file.Tests))
	}
	return file.Tests
}

// sealer returns the key of the vector, and its purpose.
func (v vector) sealer(t testing.TB) (codec.Sealer, string) {
	t.Helper()
	if v.Key != "" {
		return localKey(t, unhex(t, v.Key)), codec.Local
	}
	return secretKey(t, unhex(t, v.SecretKey)), codec.Public
}

func TestVectorsOpen(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			key, purpose := v.sealer(t)
			claims, footer, err := open(key, purpose, v.Token, v.Implicit)
			if v.ExpectFail {
				if err == nil {
					t.Fatalf("opens to %s, want it refused", claims)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(claims) != v.Payload {
				t.Errorf("claims are %s, want %s", claims, v.Payload)
			}
			if string(footer) != v.Footer {
				t.Errorf("footer is %s, want %s", footer, v.Footer)
			}
		})
	}
}

func TestVectorsOpenWithPublicKeyAlone(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		if v.PublicKey == "" || v.ExpectFail {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			key, err := codec.NewV4Public(unhex(t, v.PublicKey))
			if err != nil {
				t.Fatal(err)
			}
			claims, _, err := open(key, codec.Public, v.Token, v.Implicit)
			if err != nil || string(claims) != v.Payload {
				t.Errorf("opens to %s (error %v), want %s", claims, err, v.Payload)
			}
		})
	}
}

// TestVectorsSeal replaces the source of randomness, from which the nonce of a
// local token comes, so neither it nor its subtests may run in parallel.
func TestVectorsSeal(t *testing.T) {
	random := rand.Reader
	t.Cleanup(func() { rand.Reader = random })
	for _, v := range vectors(t) {
		if v.ExpectFail {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			key, _ := v.sealer(t)
			rand.Reader = bytes.NewReader(unhex(t, v.Nonce))
			token, err := key.Seal([]byte(v.Payload), []byte(v.Footer), []byte(v.Implicit))
			rand.Reader = random
			if err != nil {
				t.Fatal(err)
			}
			if token != v.Token {
				t.Errorf("token is\n%s, want\n%s", token, v.Token)
			}
		})
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
