package paseto_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
)

// smallOrder are points with which everybody can sign.
var smallOrder = []string{
	zeros, "01" + zeros[2:], "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestWeakKeysAreRefused(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, version := range []string{"k2", "k4"} {
		for _, point := range smallOrder {
			weak := must(paseto.ParseKey(paserkOf(version, "public", unhex(point))))
			_, err := paseto.New(paseto.Config{Keys: []paseto.Key{localKey, weak}})
			for _, err := range []error{err, auth.SetKeys(localKey, weak), auth.SetKeys(weak.Retire(start))} {
				if !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), "small order") {
					t.Errorf("%s %s: error is %v, want %v", version, point, err, paseto.ErrConfig)
				}
			}
		}
	}
	if got := auth.Keys(); len(got) != 2 || !got[0].Equal(localKey) {
		t.Errorf("the keys are %v", got)
	}
}

// forge returns a token that a point of small order verifies, made without any
// secret: with one message in eight or more, a constant is its signature.
func forge(t testing.TB, point string) string {
	t.Helper()
	signature := append(unhex("01"+zeros[2:]), unhex(zeros)...)
	for i := range 1000 {
		payload := fmt.Sprintf(`{"type":"access","sub":"mallory","exp":"2030-01-02T03:19:05Z","n":%d}`, i)
		if ed25519.Verify(unhex(point), testtoken.Bytes(payload, "", ""), signature) {
			return testtoken.Join(payload, "", signature)
		}
	}
	t.Fatalf("no token can be forged with %s", point)
	return ""
}

// TestWeakKeysOfASourceAreNotTried has a source that gives out such points.
func TestWeakKeysOfASourceAreNotTried(t *testing.T) {
	t.Parallel()
	for _, point := range smallOrder {
		weak := must(paseto.ParseKey(paserk("public", unhex(point))))
		auth := newAuthorizer(t, paseto.Config{}, paseto.WithKeySource(&source{keys: []paseto.Key{weak, publicKey}}))
		_, err := auth.Verify(t.Context(), forge(t, point), paseto.Requirement{})
		checkRefused(t, err, paseto.ErrSignature, "")
		verify(t, auth, sign(`{"type":"access","exp":"2030-01-02T03:19:05Z"}`, "", ""), paseto.Requirement{})
	}
}
