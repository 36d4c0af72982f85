package httpauth

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// FuzzParsePublished: whatever a service answers, only public keys that are
// called by their own names come of it.
func FuzzParsePublished(f *testing.F) {
	half, err := paseto.NewSecretKey().PublicKey()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(fmt.Sprintf(`{"keys":[{"kid":%q,"paserk":%q,"not_after":"2030-01-31T12:00:00Z"}]}`, half.KeyID(), half.Export())))
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kid":"x","paserk":"k4.local.AAAA"}]}`))
	f.Add([]byte(`{"keys":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		keys, err := parsePublished(body)
		if err != nil && keys != nil {
			t.Fatalf("keys come beside the error %v", err)
		}
		for _, key := range keys {
			if key.CanIssue() || key.Purpose() != paseto.Public || key.kid != key.KeyID() {
				t.Fatalf("%s is taken as %s", key.Key, key.kid)
			}
		}
	})
}

func TestParsePublishedIsBounded(t *testing.T) {
	t.Parallel()
	entry := `{"kid":"x","paserk":"y"}`
	_, err := parsePublished([]byte(`{"keys":[` + strings.Repeat(entry+",", maxPublished) + entry + `]}`))
	if err == nil || !strings.Contains(err.Error(), "at most 32") {
		t.Errorf("error is %v", err)
	}
}
