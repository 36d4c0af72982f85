package paseto_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

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
	secrets := map[string]string{
		"the local key in hex":       localHex,
		"the local key in base64url": base64.RawURLEncoding.EncodeToString(unhex(localHex)),
		"the local key in base64":    base64.StdEncoding.EncodeToString(unhex(localHex)),
		"the local key in decimal":   decimal(unhex(localHex)),
		"the local key in Go":        strings.Join(strings.Fields(fmt.Sprintf("%#02x", unhex(localHex)[:8])), ", "),
		"the seed in hex":            seedHex,
		"the seed in base64url":      base64.RawURLEncoding.EncodeToString(keyPair[:30]),
		"the seed in base64":         base64.StdEncoding.EncodeToString(keyPair[:30]),
		"the seed in decimal":        decimal(keyPair[:32]),
		"the scalar in hex":          scalarHex,
		"the scalar in base64url":    base64.RawURLEncoding.EncodeToString(unhex(scalarHex)),
		"the scalar in base64":       base64.StdEncoding.EncodeToString(unhex(scalarHex)),
		"the scalar in decimal":      decimal(unhex(scalarHex)),
		"the scalar as a number":     new(big.Int).SetBytes(unhex(scalarHex)).String(),
		"the access token":           tokens.Access.Token,
		"the access token in hex":    hex.EncodeToString([]byte(tokens.Access.Token)),
		"the refresh token":          tokens.Refresh.Token,
	}
	check := func(t *testing.T, way, printed string) {
		t.Helper()
		for what, secret := range secrets {
			if strings.Contains(strings.ToLower(printed), strings.ToLower(secret)) {
				t.Errorf("%s shows %s", way, what)
			}
		}
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
				check(t, verb, fmt.Sprintf(verb, value))
			}
			var text, json bytes.Buffer
			slog.New(slog.NewTextHandler(&text, nil)).Info("x", "value", value)
			check(t, "slog text", text.String())
			slog.New(slog.NewJSONHandler(&json, nil)).Info("x", "value", value)
			check(t, "slog JSON", json.String())
		})
	}
}

func TestIssuedPrints(t *testing.T) {
	t.Parallel()
	tokens := issuePair(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{Subject: "alice"})
	for got, want := range map[string]string{
		fmt.Sprintf("%v", tokens.Access):                                                "access token (redacted)",
		fmt.Sprintf("%#v", tokens.Refresh):                                              "refresh token (redacted)",
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

// decimal returns bytes as fmt prints a slice of them.
func decimal(b []byte) string { return strings.Trim(fmt.Sprintf("%d", b), "[]") }
