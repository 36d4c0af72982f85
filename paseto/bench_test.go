package paseto_test

import (
	"testing"
	"time"

	gopaseto "aidanwoods.dev/go-paseto"

	"github.com/pasetokit/pasetokit/paseto"
)

// BenchmarkVerify verifies a typical token, here and with go-paseto's parser.
// Both check the signature or tag, the times and the issuer, and read the
// subject and the type.
func BenchmarkVerify(b *testing.B) {
	auth := newAuthorizer(b, paseto.Config{RequireIssuer: "https://issuer.example"}, paseto.WithClock(time.Now))
	local := must(gopaseto.V4SymmetricKeyFromHex(localHex))
	public := must(gopaseto.NewV4AsymmetricPublicKeyFromBytes(keyPair[32:]))
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		token := issueAccess(b, auth, paseto.Grant{
			Subject: "alice", Issuer: "https://issuer.example", Audience: []string{"web"}, Scopes: []string{"read", "write"},
			Session: "LJ3VYXKKKTZ5CZ2AKJ6PXV4ZWS", Claims: map[string]string{"name": "Alice"}, Purpose: purpose,
		}).Token.Reveal()
		b.Run(string(purpose)+"/pasetokit", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				claims, err := auth.Verify(b.Context(), token, paseto.Requirement{})
				if err != nil || claims.Subject != "alice" {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(purpose)+"/go-paseto", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parser := gopaseto.NewParserForValidNow() // which freezes its clock
				parser.AddRule(gopaseto.IssuedBy("https://issuer.example"))
				var opened *gopaseto.Token
				var err error
				if purpose == paseto.Local {
					opened, err = parser.ParseV4Local(local, token, nil)
				} else {
					opened, err = parser.ParseV4Public(public, token, nil)
				}
				if err != nil {
					b.Fatal(err)
				}
				subject, err := opened.GetSubject()
				if err != nil || subject != "alice" {
					b.Fatal(err)
				}
				if kind, err := opened.GetString("type"); err != nil || kind != "access" {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIssue(b *testing.B) {
	auth := newAuthorizer(b, paseto.Config{})
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		b.Run(string(purpose), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := auth.IssueAccess(paseto.Grant{Subject: "alice", Purpose: purpose}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
