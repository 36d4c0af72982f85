package main

import (
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("implicit", "tied")
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}]}")
	d.write("store.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {store: ''}")
	d.write("without.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {enabled: false}")
	valid := token(t, key(t, zeroKey), time.Now(), "access", paseto.Grant{Subject: "alice", Scopes: []string{"read"}})
	const claims = `{
  "exp": "…",
  "fresh": false,
  "iat": "…",
  "jti": "…",
  "nbf": "…",
  "scope": "read",
  "sub": "alice",
  "type": "access"
}
`
	const note = "pasetokit: note: revocation is not checked; only the running server knows its denylist\n"
	d.run("verify --key DIR/zero", valid).want(0, claims, "")
	d.runWith(valid+"\n", "verify --key DIR/pair --key DIR/zero -").want(0, claims, "")
	d.runWith(zeroKey, "verify --key -", valid).want(0, claims, "")
	d.run("verify --config DIR/auth.yaml", valid).want(0, claims, note)
	d.run("verify --config DIR/store.yaml", valid).want(0, claims, note)
	d.run("verify --config DIR/without.yaml", valid).want(0, claims, "")
	d.run("verify --json --config DIR/auth.yaml", valid).want(0,
		`{"version":"v4","purpose":"local","claims":{"exp":…},"footer":{"kid":"`+zeroID+`"},"revocation_checked":false}`+"\n", "")

	expired := token(t, key(t, zeroKey), past, "access", paseto.Grant{})
	for _, test := range []struct{ name, args, token, want string }{
		{"expired", "", expired, "token_expired: Token expired. (valid until 2020-01-02T03:19:05Z, now …)"},
		{"another key", "", token(t, paseto.NewLocalKey(), time.Now(), "access", paseto.Grant{}), "decryption_failed: Failed to decrypt. (…)"},
		{"another purpose", "", token(t, key(t, pairKey), time.Now(), "access", paseto.Grant{}), "purpose_unsupported: Invalid PASETO purpose public"},
		{"no token", "", "-", "token_missing: PASETO Authorization Token required"},
		{"no token at all", "", "x", "token_malformed: …"},
		{"type", "--type refresh", valid, "type_mismatch: Refresh token required but access provided"},
		{"scope", "--scope write", valid, `scope_insufficient: Token scope is not sufficient (…)`},
		{"fresh", "--fresh", valid, "token_not_fresh: PASETO access token is not fresh"},
		{"audience", "--audience api", valid, "audience_invalid: aud verification failed. (…)"},
		{"issuer", "--issuer me", valid, "issuer_missing: Token is missing the 'iss' claim"},
		{"implicit assertion", "--implicit-file DIR/implicit", valid, "decryption_failed: Failed to decrypt. (…)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: d.path}
			d.run("verify --key DIR/zero "+test.args, test.token).want(1, "", "pasetokit: "+test.want+"\n")
			code, _, _ := strings.Cut(test.want, ":")
			e, _ := d.run("verify --json --key DIR/zero "+test.args, test.token).decode()["error"].(map[string]any)
			if e["code"] != code || e["message"] == "" {
				t.Errorf("JSON error %v", e)
			}
		})
	}
}

func TestVerifyMisuse(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"--key DIR/zero --fresh --type refresh x", 2, `invalid requirement: Fresh together with Type "refresh"; only access tokens are fresh`},
		{"--key DIR/zero x y", 2, "pasetokit verify takes at most 1 arguments, not 2; see its --help"},
		{"--key DIR/zero --implicit-file DIR/none x", 1, "open DIR/none: no such file or directory"},
		{"--key DIR/zero --implicit-file - -", 2, "standard input gives the token already, and cannot give the implicit assertion as well: use a file for one of them"},
		{"--config DIR/none.yaml x", 1, "DIR/none.yaml: …"},
		{"x", 1, "token.keys: is empty; without a key no token can be issued or opened"},
	} {
		d.run("verify "+test.args).want(test.status, "", "pasetokit: "+test.want+"\n")
	}
}
