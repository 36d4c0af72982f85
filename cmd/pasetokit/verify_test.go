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
	d.write("store.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {store: program}")
	d.write("without.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {disabled: true}")
	valid := token(t, key(t, zeroKey), time.Now(), "access", paseto.Grant{Subject: "alice", Scopes: []string{"read"}})
	const claims = `{
  "auth_time": "…",
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
		`{"version":"v4","purpose":"local","claims":{"auth_time":…},"footer":{"kid":"`+zeroID+`"},"revocation_checked":false}`+"\n", "")

	expired := token(t, key(t, zeroKey), past, "access", paseto.Grant{})
	for _, test := range []struct{ name, args, token, want string }{
		{"expired", "", expired, "token_expired: Token expired. (valid until 2020-01-02T03:19:05Z, now …)"},
		{"another key", "", token(t, paseto.NewLocalKey(), time.Now(), "access", paseto.Grant{}), "decryption_failed: Failed to decrypt. (…)"},
		{"another purpose", "", token(t, key(t, pairKey), time.Now(), "access", paseto.Grant{}), "purpose_unsupported: Invalid PASETO purpose public"},
		{"no token", "", "-", "token_missing: PASETO Authorization Token required"},
		{"no token at all", "", "x", "token_malformed: …"},
		{"a scheme before it", "", "Bearer " + valid, "version_unsupported: Invalid PASETO version (a scheme, such as Bearer, was left before the token; give the token alone)"},
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

// TestVerifySkipsDenylist verifies while a server has the denylist to itself,
// and where the token cannot be looked up.
func TestVerifySkipsDenylist(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	d.write("other.yaml", "denylist: {bolt: {path: DIR/other.db}}")
	d.write("redis.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {store: redis, redis: {addresses: ['127.0.0.1:1'], password_file: DIR/none, timeout: 100ms}}")
	alice := issueNow(t, "access", paseto.Grant{Subject: "alice"}).token
	claim := issueNow(t, "email-verify", paseto.Grant{}).token
	d.run("revoke --config DIR/auth.yaml --subject alice").ok()

	checked := func(want bool, r result) {
		t.Helper()
		r.want(0, "…\n", "")
		if v := r.decode(); v["revocation_checked"] != want {
			t.Errorf("revocation_checked is %v, want %v", v["revocation_checked"], want)
		}
	}
	const skipped = "pasetokit: note: revocation is not checked; the token may be revoked\n"
	skip := func(config, token string) {
		t.Helper()
		r := d.run("verify --skip-denylist --config DIR/"+config, token)
		if r.status != 0 || r.stderr != skipped || !strings.HasPrefix(r.stdout, "{\n") {
			t.Errorf("exit status %d: %s%s", r.status, r.stderr, r.stdout)
		}
		checked(false, d.run("verify --json --skip-denylist --config DIR/"+config, token))
	}
	d.run("verify --config DIR/auth.yaml", alice).want(1, "", revokedToken)
	skip("auth.yaml", alice)
	checked(true, d.run("verify --json --config DIR/auth.yaml", issueNow(t, "access", paseto.Grant{Subject: "bob"}).token))
	checked(false, d.run("verify --json --config DIR/auth.yaml --type email-verify", claim))
	if r := d.run("verify --config DIR/auth.yaml --type email-verify", claim); r.status != 0 ||
		r.stderr != "pasetokit: note: revocation is not checked; denylist.check does not list tokens of this type\n" {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}

	_, stop := d.serve("auth.yaml")
	d.run("verify --config DIR/auth.yaml", alice).want(1, "",
		"pasetokit: denylist.bolt.path: DIR/revoked.db is in use; stop the server that has it open, or verify with --skip-denylist\n")
	skip("auth.yaml", alice)
	stop()

	d.run("verify --config DIR/auth.yaml --config DIR/other.yaml", alice).want(1, "", "pasetokit: denylist.bolt.path: stat DIR/other.db: no such file …\n")
	d.wantMissing("other.db")
	d.run("verify --skip-denylist --config DIR/auth.yaml --config DIR/other.yaml", alice).ok()
	d.run("verify --config DIR/redis.yaml", alice).want(1, "", "pasetokit: denylist.redis.password_file: the password file cannot be read: …\n")
	skip("redis.yaml", alice)
	d.run("verify --skip-denylist --key DIR/zero", alice).want(0, "{\n…\n…\n…\n…\n…\n…\n…\n…\n}\n", "") // where there is none
}

// TestWithoutDenylist: commands that do not ask the denylist do not mind that
// handshakes are to take tickets, which need one.
func TestWithoutDenylist(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}]}\nwebsocket: {locations: [ticket, query]}")
	token := d.run("issue --config DIR/auth.yaml").ok()
	d.run("verify --config DIR/auth.yaml", token).ok()
	d.run("inspect --config DIR/auth.yaml", token).ok()
	d.run("config check DIR/auth.yaml").ok()
}
