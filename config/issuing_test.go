package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestKeysThatCannotIssue checks for every kind of key, in every configuration of version and
// purpose, that the advice works: what it says to set makes the configuration one that opens.
func TestKeysThatCannotIssue(t *testing.T) {
	t.Parallel()
	const verify = ", or set token.verify_only to true"
	versions := []paseto.Version{paseto.V2, paseto.V3, paseto.V4}
	purposes := []paseto.Purpose{paseto.Local, paseto.Public}
	for _, version := range versions {
		for _, purpose := range purposes {
			key := newKey(t, version, purpose)
			own := string(version) + "." + string(purpose)
			kinds := map[string]config.Key{
				"issuing": {Value: paseto.NewSecret(key.Export())},
				"retired": {Value: paseto.NewSecret(key.Export()), NotAfter: time.Now().Add(time.Hour)},
			}
			if half, err := key.PublicKey(); err == nil {
				kinds["half"] = config.Key{Value: paseto.NewSecret(half.Export())}
			}
			for kind, key := range kinds {
				for _, asVersion := range versions {
					for _, asPurpose := range purposes {
						as := string(asVersion) + "." + string(asPurpose)
						t.Run(kind+" "+own+" as "+as, func(t *testing.T) {
							t.Parallel()
							cfg := with(func(c *config.Config) {
								c.Token.Keys = []config.Key{key}
								c.Token.Version, c.Token.Purpose = asVersion, asPurpose
							})
							_, err := config.Open(t.Context(), cfg)
							if kind == "issuing" && own == as {
								check(t, err)
								return
							}
							if err == nil {
								t.Fatal("it opens")
							}
							text := err.Error()
							advised := func(want string) bool { return strings.Contains(text, want) }
							switch kind {
							case "issuing":
								if advised("verify_only") || !advised("token.keys[0] issues "+own+" tokens: set ") {
									t.Errorf("the advice is %s", text)
								}
								if advised("token.purpose to " + string(purpose)) {
									cfg.Token.Purpose = purpose
								}
								if advised("token.version to " + string(version)) {
									cfg.Token.Version = version
								}
							case "half":
								if !advised("a public half only verifies: add the secret one" + verify) {
									t.Errorf("the advice is %s", text)
								}
								cfg.Token.VerifyOnly = true
							case "retired":
								if advised("is retired by its not_after") != (own == as) || !advised(verify) {
									t.Errorf("the advice is %s", text)
								}
								cfg.Token.VerifyOnly = true
							}
							open(t, cfg)
						})
					}
				}
			}
		}
	}
}

// TestKeyOfAnotherForm checks the advice for keys that do not say themselves what they are.
func TestKeyOfAnotherForm(t *testing.T) {
	t.Parallel()
	pair := newKey(t, paseto.V4, paseto.Public)
	pem, err := pair.ExportPEM()
	check(t, err)
	for name, test := range map[string]struct{ text, purpose, want string }{
		"PEM for local":          {pem, "local", "set token.purpose to public"},
		"a pair's bytes":         {string(material(t, pair)), "local", "for purpose public"},
		"a local key for public": {strings.Repeat("01", 32), "public", "purpose local"},
	} {
		_, err := config.Open(t.Context(), with(func(c *config.Config) {
			c.Token.Purpose = paseto.Purpose(test.purpose)
			c.Token.Keys = []config.Key{{File: keyFile(t, test.text)}}
		}))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "verify_only") {
			t.Errorf("%s: error is %v, want %q, and nothing of verify_only", name, err, test.want)
		}
	}
}
