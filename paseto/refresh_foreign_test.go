package paseto_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestRefreshOfAnothersToken: what another issuer signed is accepted, and not
// turned into tokens of our own, which would outlive its withdrawal.
func TestRefreshOfAnothersToken(t *testing.T) {
	t.Parallel()
	theirs, ours := paseto.NewSecretKey(), paseto.NewSecretKey()
	half := must(theirs.PublicKey())
	pair := issuePair(t, newAuthorizer(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{theirs}}), paseto.Grant{Subject: "alice"})
	for name, auth := range map[string]*paseto.Authorizer{
		"public half in the ring": newAuthorizer(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{ours, half}}),
		"key of a source": newAuthorizer(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{ours}},
			paseto.WithKeySource(&source{keys: []paseto.Key{half}})),
	} {
		verify(t, auth, pair.Refresh.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
		next, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
		checkRefused(t, err, paseto.ErrForbidden, "Access denied")
		if next.Access.Token.Reveal() != "" {
			t.Errorf("%s: a token is issued", name)
		}
	}
	retired := newAuthorizer(t, paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{ours, theirs.Retire(start.AddDate(1, 0, 0))}})
	if _, err := retired.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); err != nil {
		t.Errorf("a token of our retired key: %v", err)
	}
}
