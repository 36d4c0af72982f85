package httpauth_test

import (
	"encoding/json"
	"testing"

	"github.com/pasetokit/pasetokit/internal/secrettest"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestBodiesDoNotShow: what a client decodes of an answer, and what a server
// decodes of a login, prints without its secrets.
func TestBodiesDoNotShow(t *testing.T) {
	t.Parallel()
	secrettest.Hides(t, httpauth.Credentials{Username: "alice", Password: paseto.NewSecret("opensesame")}, "opensesame")
	var tokens httpauth.Tokens
	var ticket httpauth.Ticket
	for text, into := range map[string]any{
		`{"access_token": "v4.local.one", "refresh_token": "v4.local.two", "token_type": "Bearer"}`: &tokens,
		`{"ticket": "v4.local.three", "expires_in": 30}`:                                            &ticket,
	} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if tokens.AccessToken.Reveal() != "v4.local.one" || tokens.RefreshToken.Reveal() != "v4.local.two" || ticket.Ticket.Reveal() != "v4.local.three" {
		t.Fatal("the secrets are not those of the body")
	}
	secrettest.Hides(t, tokens, "v4.local.one", "v4.local.two")
	secrettest.Hides(t, ticket, "v4.local.three")
}
