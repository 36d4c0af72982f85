package pasetokit_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestRefusalsDocument checks that docs/refusals.md gives each sentinel's code,
// message and status.
func TestRefusalsDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/refusals.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, refusal := range []*paseto.Error{
		paseto.ErrNoToken, paseto.ErrMalformedCredential, paseto.ErrAmbiguousCredential, paseto.ErrLocation,
		paseto.ErrMalformed, paseto.ErrVersion, paseto.ErrPurpose, paseto.ErrBase64, paseto.ErrDecrypt,
		paseto.ErrSignature, paseto.ErrClaims, paseto.ErrExpired, paseto.ErrNoExpiry, paseto.ErrNotYetValid,
		paseto.ErrNoIssuer, paseto.ErrIssuer, paseto.ErrAudience, paseto.ErrType, paseto.ErrNotFresh,
		paseto.ErrScope, paseto.ErrRevoked, paseto.ErrReused, paseto.ErrTicket, paseto.ErrTicketUsed, paseto.ErrForbidden, paseto.ErrUnavailable, paseto.ErrKeysUnavailable,
		httpauth.ErrCredentials, httpauth.ErrCrossOrigin,
	} {
		row := "| `" + refusal.Code + "` | " + refusal.Message + " | " + strconv.Itoa(httpauth.Status(refusal))
		if !strings.Contains(string(text), "\n"+row) {
			t.Errorf("no row begins %s", row)
		}
	}
}
