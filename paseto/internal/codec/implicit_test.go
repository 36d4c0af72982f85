package codec_test

import (
	"errors"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// TestVersion2HasNoImplicitAssertions neither seals with one nor opens: what a
// caller binds a token to must not be passed over.
func TestVersion2HasNoImplicitAssertions(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"v2.local", "v2.public"} {
		kind := kindOf(t, header)
		if token, err := kind.key.Seal([]byte(`{"a":1}`), nil, []byte("x")); !errors.Is(err, codec.ErrImplicit) || token != "" {
			t.Errorf("%s: sealed is %q, error %v, want %v", header, token, err, codec.ErrImplicit)
		}
		token, err := kind.key.Seal([]byte(`{"a":1}`), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if claims, _, err := open(kind.key, header, token, "x"); !errors.Is(err, codec.ErrAuthentication) || claims != nil {
			t.Errorf("%s: opens to %s with an implicit assertion, error %v, want %v", header, claims, err, codec.ErrAuthentication)
		}
		if _, _, err := open(kind.key, header, token, ""); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// TestVersionsDoNotMix opens a token with the same key in another version.
func TestVersionsDoNotMix(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds(t) {
		token, err := kind.key.Seal([]byte(`{"a":1,"padding":"so that it is long enough for every version"}`), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := codec.Split(token)
		if err != nil {
			t.Fatal(err)
		}
		payload, footer, err := parts.Decode()
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range kinds(t) {
			if other.header == kind.header {
				continue
			}
			if claims, err := other.key.Open(payload, footer, nil); !errors.Is(err, codec.ErrAuthentication) {
				t.Errorf("%s opened as %s: %s, error %v, want %v", kind.header, other.header, claims, err, codec.ErrAuthentication)
			}
		}
	}
}
