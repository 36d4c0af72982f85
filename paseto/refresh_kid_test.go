package paseto_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestRefreshNamesTheNewKey rotates between a login and its refresh: the new
// pair names the key that has made it, and keeps the rest of the footer.
func TestRefreshNamesTheNewKey(t *testing.T) {
	t.Parallel()
	for _, kind := range everyKind {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			version, purpose := kind.version, kind.purpose
			keys := newKeys(t, version, purpose, 2)
			kid := `"kid":"` + keys[1].KeyID() + `"`
			for _, test := range []struct {
				name   string
				omit   bool
				footer any
				want   string
			}{
				{"no footer", false, nil, "{" + kid + "}"},
				{"object", false, map[string]any{"a": []int{1}, "z": true}, `{"a":[1],` + kid + `,"z":true}`},
				{"text", false, "text", "text"},
				{"list", false, []int{1}, "[1]"},
				{"object that names no key", false, `{"a": 1}`, `{"a": 1}`},
				{"no footer, no kid", true, nil, ""},
				{"object, no kid", true, map[string]int{"a": 1}, `{"a":1}`},
			} {
				auth, c := revocable(t, paseto.Config{Keys: keys[:1], Version: version, Purpose: purpose, OmitKeyID: test.omit})
				pair := issuePair(t, auth, paseto.Grant{Subject: "alice", Footer: test.footer})
				if err := auth.SetKeys(keys[1], keys[0].Retire(start.Add(2*time.Hour))); err != nil {
					t.Fatal(err)
				}
				c.Advance(time.Hour)
				next, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				c.Advance(2 * time.Hour) // by now the old key is gone
				claims := verify(t, auth, next.Refresh.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
				for _, got := range []*paseto.Claims{claims, next.Access.Claims} {
					if string(got.Footer) != test.want || got.Version != version || got.Purpose != purpose || got.Subject != "alice" {
						t.Errorf("%s: the successor says %s, want the footer %s", test.name, says(t, got), test.want)
					}
				}
			}
		})
	}
}

// TestRefreshWithoutKey has no key left for the version of the login: the pair
// is refused, and the refresh token not used up.
func TestRefreshWithoutKey(t *testing.T) {
	t.Parallel()
	old := must(paseto.NewKey(paseto.V3, paseto.Local))
	auth, _ := revocable(t, paseto.Config{Keys: []paseto.Key{old}, Version: paseto.V3})
	token := issuePair(t, auth, paseto.Grant{}).Refresh.Token.Reveal()
	if err := auth.SetKeys(localKey, old.Retire(start.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.Refresh(t.Context(), token, paseto.Requirement{}); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("error is %v, want %v", err, paseto.ErrConfig)
	}
	if err := auth.SetKeys(old); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.Refresh(t.Context(), token, paseto.Requirement{}); err != nil {
		t.Errorf("the refresh token is used up: %v", err)
	}
}
