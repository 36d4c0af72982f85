package paseto_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestSetKeys(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey}})
	old := issueAccess(t, auth, paseto.Grant{})

	given := []paseto.Key{otherLocal, localKey.Retire(start.Add(time.Hour))}
	if err := auth.SetKeys(given...); err != nil {
		t.Fatal(err)
	}
	given[0] = paseto.Key{} // the caller's own
	rotated := issueAccess(t, auth, paseto.Grant{})
	if got := kidOf(t, rotated); got != otherLocal.KeyID() {
		t.Errorf("the kid is %s, want the new key's, %s", got, otherLocal.KeyID())
	}
	verify(t, auth, old.Token.Reveal(), paseto.Requirement{})
	verify(t, auth, rotated.Token.Reveal(), paseto.Requirement{})

	for _, keys := range [][]paseto.Key{auth.Keys(), auth.Config().Keys} {
		if len(keys) != 2 || !keys[0].Equal(otherLocal) || keys[1].NotAfter().IsZero() {
			t.Errorf("the keys are %v", keys)
		}
		keys[0] = localKey // nor may this change anything
	}
	if got := kidOf(t, issueAccess(t, auth, paseto.Grant{})); got != otherLocal.KeyID() {
		t.Errorf("the kid is %s, want %s", got, otherLocal.KeyID())
	}

	if err := auth.SetKeys(otherLocal, secretKey); err != nil {
		t.Fatal(err)
	}
	_, err := auth.Verify(t.Context(), old.Token.Reveal(), paseto.Requirement{})
	checkRefused(t, err, paseto.ErrDecrypt, "")
	verify(t, auth, rotated.Token.Reveal(), paseto.Requirement{})
	verify(t, auth, issueAccess(t, auth, paseto.Grant{Purpose: paseto.Public}).Token.Reveal(), paseto.Requirement{})
}

// TestSetKeysKeepsTheOldOnError breaks a working ring in every way.
func TestSetKeysKeepsTheOldOnError(t *testing.T) {
	t.Parallel()
	weak := must(paseto.ParseKey("k4.public." + strings.Repeat("A", 43)))
	for _, test := range []struct {
		name string
		keys []paseto.Key
		why  []string
	}{
		{"none", nil, []string{"Keys is empty"}},
		{"zero key", []paseto.Key{otherLocal, {}}, []string{"Keys[1] is the zero Key"}},
		{"too many", slices.Repeat([]paseto.Key{otherLocal}, 33), []string{"Keys has 33 entries"}},
		{"weak key", []paseto.Key{otherLocal, weak}, []string{"Keys[1] is a point of small order"}},
		{"everything at once", append(slices.Repeat([]paseto.Key{otherLocal}, 33), paseto.Key{}, weak), []string{"35 entries", "Keys[33]", "Keys[34]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey}})
			token := issueAccess(t, auth, paseto.Grant{}).Token.Reveal()
			err := auth.SetKeys(test.keys...)
			if !errors.Is(err, paseto.ErrConfig) {
				t.Fatalf("error is %v, want %v", err, paseto.ErrConfig)
			}
			for _, why := range test.why {
				if !strings.Contains(err.Error(), why) {
					t.Errorf("error %q does not say %q", err, why)
				}
			}
			verify(t, auth, token, paseto.Requirement{})
			if got := auth.Keys(); len(got) != 1 || !got[0].Equal(localKey) || !auth.CanIssue() {
				t.Errorf("the keys are %v, want the old one", got)
			}
		})
	}
}

// TestRotationUnderLoad swaps keys a thousand times while eight goroutines
// verify: a token whose key stays in the ring never fails, and a key that
// issues makes tokens that it names.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	const goroutines, swaps = 8, 1000
	var stopped atomic.Bool
	stays := []paseto.Key{localKey, secretKey}
	auth := newAuthorizer(t, paseto.Config{})
	var tokens []string
	for _, omit := range []bool{false, true} {
		issuer := newAuthorizer(t, paseto.Config{OmitKeyID: omit})
		for _, purpose := range purposes {
			tokens = append(tokens, issueAccess(t, issuer, paseto.Grant{Purpose: purpose}).Token.Reveal())
		}
	}

	var working, verified sync.WaitGroup
	working.Add(goroutines)
	for range goroutines {
		verified.Go(func() {
			for i := 0; i == 0 || !stopped.Load(); i++ {
				if _, err := auth.Verify(t.Context(), tokens[i%len(tokens)], paseto.Requirement{}); err != nil {
					t.Errorf("a token whose key is in the ring is refused: %v", err)
					stopped.Store(true)
				}
				if issued, err := auth.IssueAccess(paseto.Grant{}); err != nil || len(issued.Claims.Footer) == 0 {
					t.Errorf("nothing can be issued: %v", err)
					stopped.Store(true)
				}
				if i == 0 {
					working.Done()
				}
			}
		})
	}
	working.Wait()
	for i := range swaps {
		fresh := []paseto.Key{paseto.NewLocalKey(), paseto.NewLocalKey().Retire(start.Add(time.Hour))}
		keys := slices.Concat(stays, fresh)
		if i%2 == 0 {
			keys = slices.Concat(fresh, stays)
		}
		if err := auth.SetKeys(keys...); err != nil {
			t.Errorf("swap %d: %v", i, err)
		}
		if got := auth.Keys(); !got[0].Equal(keys[0]) {
			t.Errorf("swap %d: the first key is %s", i, got[0])
		}
	}
	stopped.Store(true)
	verified.Wait()
}
