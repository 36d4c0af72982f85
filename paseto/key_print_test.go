package paseto_test

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"

	"github.com/pasetokit/pasetokit/internal/secrettest"
	"github.com/pasetokit/pasetokit/paseto"
)

// scalarHex is a v3 key pair.
const scalarHex = "20347609607477aca8fbfbc5e6218455f3199669792ef8b466faa87bdc67798144c848dd03661eed5ac62461340cea96"

// TestSecretsDoNotPrint prints keys and tokens, alone and inside other values,
// in every way that comes to mind.
func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	tokens := issuePair(t, auth, paseto.Grant{Subject: "alice"})
	type account struct {
		Key    paseto.Key
		hidden paseto.Key
		Token  paseto.Issued
	}
	values := map[string]any{
		"local key":        localKey,
		"secret key":       secretKey,
		"pointer to key":   &secretKey,
		"keys":             []paseto.Key{localKey, secretKey},
		"configuration":    auth.Config(),
		"authorizer":       auth,
		"token":            tokens.Access,
		"pointer to token": &tokens.Access,
		"pair":             tokens,
		"pointer to pair":  &tokens,
		"no token":         paseto.Issued{},
		"struct":           account{secretKey, localKey, tokens.Access},
	}
	for _, version := range versions {
		local := must(paseto.ParseKeyFor(version, paseto.Local, localHex))
		pairHex := hex.EncodeToString(keyPair)
		if version == paseto.V3 {
			pairHex = scalarHex
		}
		pair := must(paseto.ParseKeyFor(version, paseto.Public, pairHex))
		name := string(version) + " "
		values[name+"keys"] = []paseto.Key{local, pair, local.Retire(start), pair.Retire(start)}
		values[name+"hidden keys"] = []account{{hidden: local}, {hidden: pair}, {hidden: pair.Retire(start)}}
		values[name+"authorizer"] = newAuthorizer(t, paseto.Config{Keys: []paseto.Key{local, pair}})
		wrapping := must(paseto.NewKey(version, paseto.Local))
		for kind, key := range map[string]paseto.Key{"local": local, "pair": pair} {
			values[name+"wrapped "+kind] = must(key.Wrap(wrapping))
			values[name+"unwrapped "+kind] = must(paseto.UnwrapKey(must(key.Wrap(wrapping)), wrapping))
			values[name+"password-wrapped "+kind] = must(key.WrapPassword([]byte("x"), cheap))
			_, err := paseto.UnwrapKey(must(key.Wrap(wrapping)), local)
			values[name+"error of a wrapped "+kind] = err
		}
	}
	secrets := []string{
		string(unhex(localHex)), string(keyPair[:30]), string(unhex(scalarHex)), new(big.Int).SetBytes(unhex(scalarHex)).String(),
		tokens.Access.Token.Reveal(), tokens.Refresh.Token.Reveal(),
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secrettest.Hides(t, value, secrets...)
		})
	}
}

func TestIssuedPrints(t *testing.T) {
	t.Parallel()
	tokens := issuePair(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{Subject: "alice"})
	for got, want := range map[string]string{
		fmt.Sprintf("%v", tokens.Access):                                                "access token (redacted)",
		fmt.Sprintf("%v", paseto.Issued{}):                                              "no token",
		tokens.Access.LogValue().String():                                               tokens.Access.Claims.LogValue().String(),
		fmt.Sprintf("%v", paseto.Key{}):                                                 "no key",
		localKey.LogValue().String():                                                    "v4.local key (redacted)",
		fmt.Sprintf("%x", []paseto.Key{localKey}):                                       "[v4.local key (redacted)]",
		must(paseto.NewKey(paseto.V2, paseto.Local)).String():                           "v2.local key (redacted)",
		must(paseto.NewKey(paseto.V3, paseto.Public)).String():                          "v3.public secret key (redacted)",
		must(must(paseto.NewKey(paseto.V3, paseto.Public)).PublicKey()).String():        "v3.public public key",
		must(paseto.NewKey(paseto.V2, paseto.Public)).Retire(start).LogValue().String(): "v2.public secret key (redacted)",
	} {
		if got != want {
			t.Errorf("printed is %q, want %q", got, want)
		}
	}
}
