package paseto_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestRetire(t *testing.T) {
	t.Parallel()
	for _, key := range everyKey(t) {
		until := start.Add(time.Hour)
		retired := key.Retire(until)
		if retired.CanIssue() || !key.CanIssue() {
			t.Errorf("%s: CanIssue is %t retired and %t before", key, retired.CanIssue(), key.CanIssue())
		}
		if !retired.NotAfter().Equal(until) || !key.NotAfter().IsZero() {
			t.Errorf("%s: NotAfter is %s retired and %s before", key, retired.NotAfter(), key.NotAfter())
		}
		if retired.ID() != key.ID() || retired.KeyID() != key.KeyID() || retired.Export() != key.Export() || retired.String() != key.String() {
			t.Errorf("%s is another when it is retired: %s", key, retired)
		}
		if later := retired.Retire(until.Add(time.Hour)); !later.NotAfter().Equal(until.Add(time.Hour)) {
			t.Errorf("%s: NotAfter is %s when it is retired again", key, later.NotAfter())
		}
		if half, err := retired.PublicKey(); err == nil && !half.NotAfter().Equal(until) {
			t.Errorf("%s: NotAfter of the public half is %s", key, half.NotAfter())
		}
	}
}

// TestRetiredKeysOpen stands at the last moment of a retired key and the first
// after.
func TestRetiredKeysOpen(t *testing.T) {
	t.Parallel()
	for _, kind := range everyKind {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			version, purpose := kind.version, kind.purpose
			c := newClock()
			keys := newKeys(t, version, purpose, 2)
			cfg := paseto.Config{Version: version, Purpose: purpose, AccessTTL: 24 * time.Hour}
			var tokens []string
			for _, omit := range []bool{false, true} {
				cfg.Keys, cfg.OmitKeyID = keys[:1], omit
				tokens = append(tokens, issueAccess(t, newAuthorizer(t, cfg), paseto.Grant{}).Token.Reveal())
			}
			until := start.Add(time.Hour)
			cfg.Keys = []paseto.Key{keys[0].Retire(until), keys[1]}
			auth := newAuthorizer(t, cfg, paseto.WithClock(c.Now))
			if got := kidOf(t, issueAccess(t, newAuthorizer(t, paseto.Config{Keys: cfg.Keys, Version: version, Purpose: purpose}), paseto.Grant{})); got != keys[1].KeyID() {
				t.Errorf("the kid is %s, want %s", got, keys[1].KeyID())
			}
			own := issueAccess(t, auth, paseto.Grant{}).Token.Reveal()
			for _, token := range tokens {
				c.Set(until.Add(-1))
				verify(t, auth, token, paseto.Requirement{})
				for _, now := range []time.Time{until, until.Add(time.Hour)} {
					c.Set(now)
					_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
					checkRefused(t, err, refusalOf(purpose), "")
					verify(t, auth, own, paseto.Requirement{})
				}
			}
		})
	}
}

// TestRetiredAlone has no key that issues.
func TestRetiredAlone(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey.Retire(start.Add(time.Hour))}})
	if _, err := auth.IssueAccess(paseto.Grant{}); auth.CanIssue() || !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("a retired key issues, error %v", err)
	}
	pair := issuePair(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{})
	verify(t, auth, pair.Access.Token.Reveal(), paseto.Requirement{})
	if _, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("error of a refresh is %v, want %v", err, paseto.ErrConfig)
	}
}

// TestRetireAtZero: a time that was forgotten must not make the key issue again.
func TestRetireAtZero(t *testing.T) {
	t.Parallel()
	token := issueAccess(t, newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey}}), paseto.Grant{Subject: "alice"}).Token.Reveal()
	retired := localKey.Retire(time.Time{})
	if retired.CanIssue() {
		t.Error("the retired key issues")
	}
	auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{retired}})
	_, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	checkRefused(t, err, paseto.ErrDecrypt, "Failed to decrypt.")
}
