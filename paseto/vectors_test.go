package paseto_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	gopaseto "aidanwoods.dev/go-paseto"

	"github.com/pasetokit/pasetokit/paseto"
)

// vector is one of the official test vectors of PASETO version 4, which come
// with the module go-paseto.
type vector struct {
	Name         string
	ExpectFail   bool `json:"expect-fail"`
	Key          string
	SecretKey    string `json:"secret-key"`
	SecretKeyPEM string `json:"secret-key-pem"`
	PublicKey    string `json:"public-key"`
	PublicKeyPEM string `json:"public-key-pem"`
	Token        string
	Payload      string
	Footer       string
	Implicit     string `json:"implicit-assertion"`
}

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
	return file.Tests
}

// keys returns the vector's key in every form that it can be read from, the
// one that issues first.
func (v vector) keys(t testing.TB) []paseto.Key {
	t.Helper()
	if v.Key != "" {
		return []paseto.Key{
			must(paseto.ParseHexKey(paseto.Local, v.Key)),
			must(paseto.ParseKey(paserk("local", unhex(v.Key)))),
		}
	}
	return []paseto.Key{
		must(paseto.ParseHexKey(paseto.Public, v.SecretKey)),
		must(paseto.ParseKey(v.SecretKeyPEM)),
		must(paseto.ParseKey(v.PublicKeyPEM)),
		must(paseto.ParseKey("k4.public." + base64.RawURLEncoding.EncodeToString(unhex(v.PublicKey)))),
	}
}

// TestVectors has tokens without a type, which no requirement admits: that one
// is refused for its type and for nothing else says that it is authentic and
// valid, and the observer is shown what it says.
func TestVectors(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2021, 12, 31, 23, 59, 59, 0, time.UTC) }
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			for _, key := range v.keys(t) {
				var seen events
				auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, AllowNoExpiry: true},
					paseto.WithClock(now), paseto.WithObserver(seen.observe))
				_, err := auth.Verify(t.Context(), v.Token, paseto.Requirement{Implicit: []byte(v.Implicit)})
				all := seen.take()
				if len(all) != 1 || all[0].Kind != paseto.EventRefused {
					t.Fatalf("%s: events are %v", key, all)
				}
				claims := all[0].Claims
				if v.ExpectFail {
					if claims != nil || err == nil || errors.Is(err, paseto.ErrType) {
						t.Errorf("%s: opens, want it refused (error %v)", key, err)
					}
					continue
				}
				checkRefused(t, err, paseto.ErrType, "Access token required but untyped provided")
				var payload json.RawMessage
				if err := claims.Decode(&payload); err != nil {
					t.Fatal(err)
				}
				if string(payload) != v.Payload || string(claims.Footer) != v.Footer {
					t.Errorf("%s: opens to %s with footer %s, want %s with %s", key, payload, claims.Footer, v.Payload, v.Footer)
				}
			}
		})
	}
}

// TestVectorsExpire moves the clock to the time of expiry.
func TestVectorsExpire(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC) }
	for _, v := range vectors(t) {
		if v.ExpectFail {
			continue
		}
		auth := newAuthorizer(t, paseto.Config{Keys: v.keys(t)[:1]}, paseto.WithClock(now))
		_, err := auth.Verify(t.Context(), v.Token, paseto.Requirement{Implicit: []byte(v.Implicit)})
		checkRefused(t, err, paseto.ErrExpired, "")
	}
}

// TestInterop issues the vectors' claims here and opens them with go-paseto,
// and the other way round.
func TestInterop(t *testing.T) {
	t.Parallel()
	parser := gopaseto.NewParserWithoutExpiryCheck()
	now := func() time.Time { return time.Date(2021, 12, 31, 0, 0, 0, 0, time.UTC) }
	for _, v := range vectors(t) {
		if v.ExpectFail {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			key := v.keys(t)[0]
			auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}}, paseto.WithClock(now))
			var claims map[string]any
			if err := json.Unmarshal([]byte(v.Payload), &claims); err != nil {
				t.Fatal(err)
			}
			data := claims["data"]
			delete(claims, "exp")
			issued := issueAccess(t, auth, paseto.Grant{
				Subject: "alice", Claims: claims, ExpiresAt: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC),
				Purpose: key.Purpose(), Footer: v.Footer, Implicit: []byte(v.Implicit),
			})

			var theirs *gopaseto.Token
			var err error
			if key.Purpose() == paseto.Local {
				theirs, err = parser.ParseV4Local(must(gopaseto.V4SymmetricKeyFromHex(v.Key)), issued.Token, []byte(v.Implicit))
			} else {
				theirs, err = parser.ParseV4Public(must(gopaseto.NewV4AsymmetricPublicKeyFromHex(v.PublicKey)), issued.Token, []byte(v.Implicit))
			}
			if err != nil {
				t.Fatal(err)
			}
			var ours map[string]any
			if err := issued.Claims.Decode(&ours); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(theirs.Claims(), ours) || string(theirs.Footer()) != v.Footer {
				t.Errorf("go-paseto reads %v with footer %s, issued were %v with %s", theirs.Claims(), theirs.Footer(), ours, v.Footer)
			}
			if expiry, err := theirs.GetExpiration(); err != nil || !expiry.Equal(issued.Claims.ExpiresAt) {
				t.Errorf("go-paseto reads the expiry %s (error %v)", expiry, err)
			}

			made := gopaseto.NewToken()
			made.SetString("type", "access")
			made.SetSubject("alice")
			made.SetExpiration(now().Add(time.Minute))
			made.SetString("data", fmt.Sprint(data))
			made.SetFooter([]byte(v.Footer))
			var token string
			if key.Purpose() == paseto.Local {
				token = made.V4Encrypt(must(gopaseto.V4SymmetricKeyFromHex(v.Key)), []byte(v.Implicit))
			} else {
				token = made.V4Sign(must(gopaseto.NewV4AsymmetricSecretKeyFromHex(v.SecretKey)), []byte(v.Implicit))
			}
			opened := verify(t, auth, token, paseto.Requirement{Implicit: []byte(v.Implicit)})
			var mine struct{ Data string }
			if err := opened.Decode(&mine); err != nil || mine.Data != data || opened.Subject != "alice" || string(opened.Footer) != v.Footer {
				t.Errorf("opened %s", says(t, opened))
			}
		})
	}
}
