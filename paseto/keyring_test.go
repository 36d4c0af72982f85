package paseto_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// kidOf returns the kid in a token's footer.
func kidOf(t testing.TB, issued paseto.Issued) string {
	t.Helper()
	if len(issued.Claims.Footer) == 0 {
		return ""
	}
	var footer struct{ Kid string }
	if err := json.Unmarshal(issued.Claims.Footer, &footer); err != nil {
		t.Fatal(err)
	}
	return footer.Kid
}

// newKeys returns keys that are in no other ring.
func newKeys(t testing.TB, version paseto.Version, purpose paseto.Purpose, n int) []paseto.Key {
	t.Helper()
	var keys []paseto.Key
	for range n {
		keys = append(keys, must(paseto.NewKey(version, purpose)))
	}
	return keys
}

// tokenKind is a version and purpose.
type tokenKind struct {
	version paseto.Version
	purpose paseto.Purpose
}

func (k tokenKind) String() string { return string(k.version) + "." + string(k.purpose) }

var everyKind = []tokenKind{
	{paseto.V2, paseto.Local}, {paseto.V2, paseto.Public},
	{paseto.V3, paseto.Local}, {paseto.V3, paseto.Public},
	{paseto.V4, paseto.Local}, {paseto.V4, paseto.Public},
}

// refusalOf returns the refusal of a token that no key opens.
func refusalOf(purpose paseto.Purpose) error {
	if purpose == paseto.Local {
		return paseto.ErrDecrypt
	}
	return paseto.ErrSignature
}

// TestFirstKeyIssuesAllOpen has keys of every kind in the ring, and of each
// kind several.
func TestFirstKeyIssuesAllOpen(t *testing.T) {
	t.Parallel()
	for _, kind := range everyKind {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			version, purpose := kind.version, kind.purpose
			keys := newKeys(t, version, purpose, 3)
			ring := newAuthorizer(t, paseto.Config{Keys: slices.Concat(keys, everyKey(t)), Version: version, Purpose: purpose})
			issued := issueAccess(t, ring, paseto.Grant{})
			if got := kidOf(t, issued); got != keys[0].KeyID() {
				t.Errorf("the kid is %s, want the first key's, %s", got, keys[0].KeyID())
			}
			for i, key := range append(keys, keyOf(t, version, purpose)) {
				for _, omit := range []bool{false, true} {
					only := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, Version: version, Purpose: purpose, OmitKeyID: omit})
					token := issueAccess(t, only, paseto.Grant{})
					if got := kidOf(t, token); omit != (got == "") {
						t.Errorf("key %d: the kid is %q", i, got)
					}
					verify(t, ring, token.Token.Reveal(), paseto.Requirement{})
					_, err := only.Verify(t.Context(), issued.Token.Reveal(), paseto.Requirement{})
					if i == 0 && err != nil {
						t.Error(err)
					} else if i > 0 {
						checkRefused(t, err, refusalOf(purpose), "")
					}
				}
			}
		})
	}
}

// TestVerifyOnlyKeysDoNotIssue has a public half and a retired key before the
// key that issues.
func TestVerifyOnlyKeysDoNotIssue(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		keys := newKeys(t, version, paseto.Public, 3)
		half := must(keys[0].PublicKey())
		ring := newAuthorizer(t, paseto.Config{
			Keys: []paseto.Key{half, keys[1].Retire(start.AddDate(1, 0, 0)), keys[2]}, Version: version, Purpose: paseto.Public,
		})
		if got := kidOf(t, issueAccess(t, ring, paseto.Grant{})); got != keys[2].KeyID() {
			t.Errorf("the kid is %s, want %s", got, keys[2].KeyID())
		}
		for _, key := range keys {
			only := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, Version: version, Purpose: paseto.Public})
			issued := issueAccess(t, only, paseto.Grant{})
			verify(t, ring, issued.Token.Reveal(), paseto.Requirement{})
		}
		verifier := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{half}, Version: version, Purpose: paseto.Public})
		if _, err := verifier.IssueAccess(paseto.Grant{}); verifier.CanIssue() || !errors.Is(err, paseto.ErrConfig) {
			t.Errorf("%s: a public half issues, error %v", version, err)
		}
	}
}

// TestKeyIDChooses has tokens that name a key that has not made them. The key
// that has is in the ring, and would open them if it was tried.
func TestKeyIDChooses(t *testing.T) {
	t.Parallel()
	for _, kind := range everyKind {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			version, purpose := kind.version, kind.purpose
			keys := newKeys(t, version, purpose, 2)
			other := newKeys(t, version, purpose, 1)[0]
			ring := newAuthorizer(t, paseto.Config{Keys: keys, Version: version, Purpose: purpose})
			maker := newAuthorizer(t, paseto.Config{Keys: keys[1:], Version: version, Purpose: purpose})
			data := strings.Repeat("A", 44)
			for _, test := range []struct {
				name, footer string
				ok           bool
			}{
				{"its own", `{"kid":"` + keys[1].KeyID() + `"}`, true},
				{"its own among others", `{"a":[{"kid":1}],"kid":"` + keys[1].KeyID() + `","b":2}`, true},
				{"another's in the ring", `{"kid":"` + keys[0].KeyID() + `"}`, false},
				{"another's by escape", `{"\u006bid":"` + keys[0].KeyID() + `"}`, false},
				{"an unknown key's", `{"kid":"` + other.KeyID() + `"}`, false},
				{"an unknown lid", `{"kid":"k4.lid.` + data + `"}`, false},
				{"an unknown pid", `{"kid":"k2.pid.` + data + `"}`, false},
				{"an unknown sid", `{"kid":"k3.sid.` + data + `"}`, false},
				{"an identifier of version 1", `{"kid":"k1.lid.` + data + `"}`, false},

				{"none", "", true},
				{"the issuer's own name", `{"kid":"1"}`, true},
				{"an empty name", `{"kid":""}`, true},
				{"a number", `{"kid":1}`, true},
				{"nothing", `{"kid":null}`, true},
				{"a list", `{"kid":["` + other.KeyID() + `"]}`, true},
				{"in capitals", `{"KID":"` + other.KeyID() + `"}`, true},
				{"an identifier too short", `{"kid":"k4.lid.` + data[1:] + `"}`, true},
				{"an identifier too long", `{"kid":"k4.lid.` + data + `A"}`, true},
				{"a line feed behind", `{"kid":"k4.lid.` + data + `\n"}`, true},
				{"a key", `{"kid":"` + paserk("local", unhex(localHex)) + `"}`, true},
				{"further down", `{"a":{"kid":"` + other.KeyID() + `"}}`, true},
				{"in a list", `[{"kid":"` + other.KeyID() + `"}]`, true},
				{"not JSON", `{"kid":"` + other.KeyID() + `"`, true},
				{"text", other.KeyID(), true},
			} {
				issued := issueAccess(t, maker, paseto.Grant{Footer: test.footer})
				_, err := ring.Verify(t.Context(), issued.Token.Reveal(), paseto.Requirement{})
				switch {
				case test.ok && err != nil:
					t.Errorf("%s: %v", test.name, err)
				case !test.ok:
					checkRefused(t, err, refusalOf(purpose), "")
				}
			}
		})
	}
}

// TestAmbiguousKeyID names two keys, and so none.
func TestAmbiguousKeyID(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{otherPair, secretKey}})
	for _, kids := range [][2]string{{otherPair.KeyID(), secretKey.KeyID()}, {secretKey.KeyID(), otherPair.KeyID()}} {
		token := sign(`{"type":"access","exp":"2030-01-02T03:19:05Z"}`, `{"kid":"`+kids[0]+`","kid":"`+kids[1]+`"}`, "")
		verify(t, auth, token, paseto.Requirement{})
	}
}

// TestKeyIDIsAuthenticated changes the kid of a token, to that of the key which
// made it among others.
func TestKeyIDIsAuthenticated(t *testing.T) {
	t.Parallel()
	for _, kind := range everyKind {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			version, purpose := kind.version, kind.purpose
			keys := newKeys(t, version, purpose, 2)
			auth := newAuthorizer(t, paseto.Config{Keys: keys, Version: version, Purpose: purpose})
			token := issueAccess(t, auth, paseto.Grant{}).Token.Reveal()
			for _, footer := range []string{
				`{"kid":"` + keys[1].KeyID() + `"}`, `{"kid": "` + keys[0].KeyID() + `"}`, `{"kid":"1"}`, `{"kid":""}`, `{}`, "x",
			} {
				changed := bare(token) + "." + strings.TrimPrefix(paserkOf("", "", []byte(footer)), "..")
				_, err := auth.Verify(t.Context(), changed, paseto.Requirement{})
				checkRefused(t, err, refusalOf(purpose), "")
			}
			_, err := auth.Verify(t.Context(), bare(token), paseto.Requirement{})
			checkRefused(t, err, refusalOf(purpose), "")
		})
	}
}

// TestRingsAreBounded fills a ring: the last key opens, and one more is too
// many.
func TestRingsAreBounded(t *testing.T) {
	t.Parallel()
	keys := newKeys(t, paseto.V4, paseto.Local, 33)
	ring := newAuthorizer(t, paseto.Config{Keys: keys[:32]})
	for _, omit := range []bool{false, true} {
		last := newAuthorizer(t, paseto.Config{Keys: keys[31:32], OmitKeyID: omit})
		verify(t, ring, issueAccess(t, last, paseto.Grant{}).Token.Reveal(), paseto.Requirement{})
	}
	if _, err := paseto.New(paseto.Config{Keys: keys}); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("error of 33 keys is %v, want %v", err, paseto.ErrConfig)
	}
	if err := ring.SetKeys(keys...); !errors.Is(err, paseto.ErrConfig) || len(ring.Keys()) != 32 {
		t.Errorf("error of 33 keys is %v, want %v", err, paseto.ErrConfig)
	}
}
