package paseto_test

import (
	"encoding/json"
	"errors"
	"go/build"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// vector is one of the official test vectors of PASETO, which come with the
// module go-paseto.
type vector struct {
	version      paseto.Version
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

var versions = []paseto.Version{paseto.V2, paseto.V3, paseto.V4}

// vectors returns the vectors of all versions. Those of version 2 have implicit
// assertions that an implementation is expected to pass over; here they are
// refused, and left out.
func vectors(t testing.TB) []vector {
	t.Helper()
	module, err := build.Import("aidanwoods.dev/go-paseto", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	for _, version := range versions {
		data, err := os.ReadFile(filepath.Join(module.Dir, "test-vectors", string(version)+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Tests []vector }
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		for _, v := range file.Tests {
			v.version = version
			if version == paseto.V2 {
				v.Implicit = ""
			}
			all = append(all, v)
		}
	}
	if len(all) < 49 {
		t.Fatalf("there are %d vectors, fewer than there should be", len(all))
	}
	return all
}

// keys returns the vector's key in every form that it can be read from, the
// one that issues first.
func (v vector) keys(t testing.TB) []paseto.Key {
	t.Helper()
	prefix := "k" + string(v.version[1:])
	if v.Key != "" {
		return []paseto.Key{
			must(paseto.ParseKeyFor(v.version, paseto.Local, v.Key)),
			must(paseto.ParseKeyFor(v.version, paseto.Local, string(unhex(v.Key)))),
			must(paseto.ParseKey(paserkOf(prefix, "local", unhex(v.Key)))),
		}
	}
	return []paseto.Key{
		must(paseto.ParseKeyFor(v.version, paseto.Public, v.SecretKey)),
		must(paseto.ParseKeyFor(v.version, paseto.Public, string(unhex(v.SecretKey)))),
		must(paseto.ParseKeyFor(v.version, paseto.Public, v.SecretKeyPEM)),
		must(paseto.ParseKeyFor(v.version, paseto.Public, v.PublicKeyPEM)),
		must(paseto.ParseKey(paserkOf(prefix, "secret", unhex(v.SecretKey)))),
		must(paseto.ParseKey(paserkOf(prefix, "public", unhex(v.PublicKey)))),
	}
}

// expiry returns the time at which the vector's token expires.
func (v vector) expiry(t testing.TB) time.Time {
	t.Helper()
	if v.ExpectFail {
		return time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	var claims struct{ Exp time.Time }
	if err := json.Unmarshal([]byte(v.Payload), &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Exp
}

// TestVectors has tokens without a type, which no requirement admits: that one
// is refused for its type and for nothing else says that it is authentic and
// valid, and the observer is shown what it says.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		now := func() time.Time { return v.expiry(t).Add(-time.Second) }
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
				if claims.Version != v.version || claims.Purpose != key.Purpose() {
					t.Errorf("%s: claims are of %s.%s", key, claims.Version, claims.Purpose)
				}
			}
		})
	}
}

// TestVectorsExpire moves the clock to the time of expiry.
func TestVectorsExpire(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		if v.ExpectFail {
			continue
		}
		now := func() time.Time { return v.expiry(t) }
		auth := newAuthorizer(t, paseto.Config{Keys: v.keys(t)[:1]}, paseto.WithClock(now))
		_, err := auth.Verify(t.Context(), v.Token, paseto.Requirement{Implicit: []byte(v.Implicit)})
		checkRefused(t, err, paseto.ErrExpired, "")
	}
}
