package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
)

// boltConfig has its denylist in a file.
const boltConfig = `
token: {keys: [{file: DIR/zero}]}
denylist: {store: bolt, bolt: {path: DIR/revoked.db}, check: [access, refresh, invitation]}
`

// serve opens a configuration as a server does, until the test ends or stop is
// called.
func (d *dir) serve(name string) (kit *config.Kit, stop func()) {
	d.t.Helper()
	cfg, err := config.Load(d.file(name))
	if err != nil {
		d.t.Fatal(err)
	}
	kit, err = config.Open(d.t.Context(), cfg)
	if err != nil {
		d.t.Fatal(err)
	}
	stop = func() {
		if err := kit.Close(); err != nil {
			d.t.Errorf("Close: %v", err)
		}
	}
	d.t.Cleanup(stop)
	return kit, stop
}

// boltDir returns a directory with a configuration whose server has run.
func boltDir(t *testing.T) *dir {
	t.Helper()
	d := newDir(t)
	d.write("auth.yaml", boltConfig)
	_, stop := d.serve("auth.yaml")
	stop()
	return d
}

// issued is a token that was issued just now, and its claims.
type issued struct {
	token  string
	claims *paseto.Claims
}

func issueNow(t *testing.T, tokenType string, g paseto.Grant) issued {
	t.Helper()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{key(t, zeroKey)}})
	if err != nil {
		t.Fatal(err)
	}
	i, err := auth.Issue(tokenType, g)
	if err != nil {
		t.Fatal(err)
	}
	return issued{i.Token.Reveal(), i.Claims}
}

const revokedToken = "pasetokit: token_revoked: Token has been revoked\n"

// TestRevoke revokes what a token belongs to in every way. It is refused then,
// and no other is.
func TestRevoke(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, tokenType string
		args            func(issued) (stdin, line string)
		want            func(issued) string
		json            func(issued) map[string]any
	}{
		{"subject", "access",
			func(issued) (string, string) { return "", "--subject alice" },
			func(issued) string {
				return "revoked: tokens of subject alice issued until 20…Z (kept until 20…Z)\n"
			},
			func(issued) map[string]any { return map[string]any{"subject": "alice"} }},
		{"subject until a time", "refresh",
			func(issued) (string, string) {
				return "", "--subject alice --issued-before " + time.Now().Add(time.Second).Format(time.RFC3339)
			},
			func(issued) string {
				return "revoked: tokens of subject alice issued until 20…Z (kept until 20…Z)\n"
			},
			func(issued) map[string]any { return map[string]any{"subject": "alice"} }},
		{"session", "refresh",
			func(issued) (string, string) { return "", "--session login" },
			func(issued) string { return "revoked: tokens of session login (kept until 20…Z)\n" },
			func(issued) map[string]any { return map[string]any{"session": "login"} }},
		{"token", "access",
			func(i issued) (string, string) { return "", "--token " + i.token },
			func(i issued) string {
				return "revoked: access token " + i.claims.ID + " (kept until 20…Z)\n"
			},
			func(i issued) map[string]any { return map[string]any{"token_id": i.claims.ID, "type": "access"} }},
		{"token on standard input", "refresh",
			func(i issued) (string, string) { return " " + i.token + "\r\n", "--token -" },
			func(i issued) string { return "revoked: refresh token " + i.claims.ID + " (kept until 20…Z)\n" },
			func(i issued) map[string]any { return map[string]any{"token_id": i.claims.ID, "type": "refresh"} }},
		{"token of a type of its own", "invitation",
			func(i issued) (string, string) { return i.token, "--token -" },
			func(i issued) string { return "revoked: invitation token " + i.claims.ID + " (kept until 20…Z)\n" },
			func(i issued) map[string]any { return map[string]any{"token_id": i.claims.ID, "type": "invitation"} }},
		{"token id", "access",
			func(i issued) (string, string) { return "", "--token-id " + i.claims.ID },
			func(i issued) string { return "revoked: token " + i.claims.ID + " (kept until 20…Z)\n" },
			func(i issued) map[string]any { return map[string]any{"token_id": i.claims.ID} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for _, asJSON := range []bool{false, true} {
				d := boltDir(t)
				alice := issueNow(t, test.tokenType, paseto.Grant{Subject: "alice", Session: "login"})
				bob := issueNow(t, test.tokenType, paseto.Grant{Subject: "bob", Session: "another"})
				verify := "verify --config DIR/auth.yaml --type " + test.tokenType
				d.run(verify, alice.token).ok()

				stdin, line := test.args(alice)
				line = "revoke --config DIR/auth.yaml " + line
				if asJSON {
					wantRecord(t, d.runWith(stdin, line+" --json"), test.json(alice))
				} else {
					r := d.runWith(stdin, line)
					wantText(t, "standard output", r.stdout, test.want(alice))
					if r.status != 0 {
						t.Errorf("exit status %d: %s", r.status, r.stderr)
					}
				}
				d.run(verify, alice.token).want(1, "", revokedToken)
				if v := d.run(verify+" --json", bob.token).decode(); v["revocation_checked"] != true {
					t.Errorf("verify says %v", v)
				}
			}
		})
	}
}

// wantRecord checks the JSON of a record that is kept until a time.
func wantRecord(t *testing.T, r result, want map[string]any) {
	t.Helper()
	r.want(0, "…\n", "")
	got := r.decode()
	want["recorded"], want["until"] = true, got["until"]
	if want["subject"] != nil {
		want["issued_before"] = got["issued_before"]
	}
	for name, value := range want {
		if value == nil || got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
	if len(got) != len(want) {
		t.Errorf("it prints %v, want %v", got, want)
	}
}

// TestRevokeKeepsLongEnough: no record goes before the last token that it covers.
func TestRevokeKeepsLongEnough(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	d.write("ttl.yaml", "token: {max_ttl: 1000h, leeway: 1h}")
	now := time.Now()
	last := now.Add(1001 * time.Hour)
	token := issueNow(t, "access", paseto.Grant{})
	for args, earliest := range map[string]time.Time{
		"--token " + token.token: token.claims.ExpiresAt.Add(time.Hour),
		"--token-id a":           last,
		"--session a":            last,
		"--subject a":            last,
		"--subject a --issued-before " + past.Format(time.RFC3339):                  last,
		"--subject a --issued-before " + now.Add(24*time.Hour).Format(time.RFC3339): last.Add(24*time.Hour - time.Second),
	} {
		r := d.run("revoke --json --config DIR/auth.yaml --config DIR/ttl.yaml " + args)
		text, _ := r.decode()["until"].(string)
		until, err := time.Parse(time.RFC3339, text)
		if err != nil || until.Before(earliest) || until.After(earliest.Add(3*time.Hour)) {
			t.Errorf("%.30s is kept until %s, want %s or a little later", args, text, earliest.UTC().Format(time.RFC3339))
		}
	}
}

// TestRevokeSubjectUntil revokes what was issued before, and what is issued yet.
func TestRevokeSubjectUntil(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	const verify = "verify --config DIR/auth.yaml"
	alice := issueNow(t, "access", paseto.Grant{Subject: "alice"})
	d.run("revoke --config DIR/auth.yaml --subject alice --issued-before 2020-01-02T04:04:05+01:00").want(0,
		"revoked: tokens of subject alice issued until 2020-01-02T03:04:05Z (kept until 20…Z)\n", "")
	d.run(verify, alice.token).ok()

	future := time.Now().UTC().AddDate(0, 0, 2).Truncate(time.Second)
	until := "--issued-before " + future.Format(time.RFC3339)
	d.run("revoke --config DIR/auth.yaml --subject alice "+until).want(0,
		"revoked: tokens of subject alice issued until "+future.Format(time.RFC3339)+" (kept until 20…Z)\n",
		"pasetokit: note: new logins of the subject are refused too, until that time\n")
	d.run(verify, issueNow(t, "access", paseto.Grant{Subject: "alice"}).token).want(1, "", revokedToken)
}

// TestRevokeForEver: where tokens may live for ever, so do records.
func TestRevokeForEver(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	d.write("ever.yaml", "token: {allow_no_expiry: true}")
	token := d.run("issue --config DIR/auth.yaml --config DIR/ever.yaml --ttl none --subject alice").ok()
	const revoke = "revoke --config DIR/auth.yaml --config DIR/ever.yaml "
	d.run(revoke+"--token", token).want(0, "revoked: access token … (kept for ever)\n", "")
	d.run("verify --config DIR/auth.yaml --config DIR/ever.yaml", token).want(1, "", revokedToken)
	d.run(revoke+"--session a").want(0, "revoked: tokens of session a (kept for ever)\n", "")
	d.run(revoke+"--token-id a").want(0, "revoked: token a (kept for ever)\n", "")
	d.run(revoke+"--json --token-id b").want(0, `{"recorded":true,"token_id":"b"}`+"\n", "")
}

// TestRevokeKeys revokes with keys that cannot issue, and without any.
func TestRevokeKeys(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	const store = "\ndenylist: {store: bolt, bolt: {path: DIR/revoked.db}}"
	d.write("server.yaml", "token: {purpose: public, keys: [{file: DIR/pair}]}"+store)
	d.write("public.yaml", "token: {purpose: public, verify_only: true, keys: [{file: DIR/public}]}"+store)
	d.write("issuing.yaml", "token: {purpose: public, keys: [{file: DIR/public}]}"+store)
	d.write("keyless.yaml", "token: {purpose: public}"+store)
	kit, stop := d.serve("server.yaml")
	pair, err := kit.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	bob, err := kit.Authorizer.IssueAccess(paseto.Grant{Subject: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	d.run("revoke --config DIR/public.yaml --token", pair.Refresh.Token.Reveal()).want(0, "revoked: refresh token …\n", "")
	d.run("revoke --config DIR/issuing.yaml --token-id a").want(0, "revoked: token a …\n", "")
	d.run("revoke --config DIR/keyless.yaml --session", pair.Access.Claims.Session).want(0, "revoked: tokens of session …\n", "")
	d.run("revoke --config DIR/keyless.yaml --subject bob").want(0, "revoked: tokens of subject bob …\n", "")
	d.run("revoke --config DIR/keyless.yaml --token-id a").want(0, "revoked: token a …\n", "")
	d.run("revoke --config DIR/keyless.yaml --token", bob.Token.Reveal()).want(1, "",
		"pasetokit: token.keys: is empty; without a key no token can be issued or opened\n")
	for _, claims := range []*paseto.Claims{pair.Refresh.Claims, pair.Access.Claims, bob.Claims} {
		kit, stop := d.serve("server.yaml")
		if err := kit.Authorizer.Revoked(t.Context(), claims); !errors.Is(err, paseto.ErrRevoked) {
			t.Errorf("the %s token of %s: %v", claims.Type, claims.Subject, err)
		}
		stop()
	}
}

func TestRevokeCompletion(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	if out := d.run("__complete", "revoke", "--config", "").ok(); !strings.Contains(out, "yaml") {
		t.Errorf("--config completes to %s", out)
	}
	if out := d.run("__complete", "revo").ok(); !strings.Contains(out, "revoke") {
		t.Errorf("revo completes to %s", out)
	}
}

// TestRevokeEnvironment is not parallel: it sets environment variables.
func TestRevokeEnvironment(t *testing.T) {
	d := boltDir(t)
	t.Setenv("PASETOKIT_TOKEN__KEYS", zeroKey)
	t.Setenv("PASETOKIT_DENYLIST__STORE", "bolt")
	t.Setenv("PASETOKIT_DENYLIST__BOLT__PATH", d.file("revoked.db"))
	alice := issueNow(t, "access", paseto.Grant{Subject: "alice"})
	d.run("verify", alice.token).ok()
	d.run("revoke --subject alice").ok()
	d.run("verify", alice.token).want(1, "", revokedToken)
}

// TestRevokeInRedis revokes while a server runs.
func TestRevokeInRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--requirepass", password)
	d := newDir(t)
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}]}\n"+
		"denylist: {store: redis, redis: {addresses: ['"+server.Addr()+"'], password_file: DIR/password, timeout: 20s}}")
	kit, _ := d.serve("auth.yaml")
	for _, flag := range []string{"--subject", "--session", "--token", "--token-id"} {
		alice := issueNow(t, "access", paseto.Grant{Subject: "alice of " + flag, Session: "login of " + flag})
		bob := issueNow(t, "access", paseto.Grant{Subject: "bob"})
		named := map[string]string{
			"--subject": alice.claims.Subject, "--session": alice.claims.Session, "--token": alice.token, "--token-id": alice.claims.ID,
		}[flag]
		if _, err := kit.Authorizer.Verify(t.Context(), alice.token, paseto.Requirement{}); err != nil {
			t.Fatalf("%s: before: %v", flag, err)
		}
		d.run("revoke --config DIR/auth.yaml "+flag, named).want(0, "revoked: …\n", "")
		testtool.Eventually(t, flag+": the server refuses the token", func() bool {
			_, err := kit.Authorizer.Verify(t.Context(), alice.token, paseto.Requirement{})
			return errors.Is(err, paseto.ErrRevoked)
		})
		if _, err := kit.Authorizer.Verify(t.Context(), bob.token, paseto.Requirement{}); err != nil {
			t.Errorf("%s: another token: %v", flag, err)
		}
		d.run("verify --config DIR/auth.yaml", alice.token).want(1, "", revokedToken)
	}
	server.Kill()
	r := d.run("revoke --config DIR/auth.yaml --subject alice")
	if r.status != 1 || !strings.Contains(r.stderr, server.Addr()) || strings.Contains(r.stderr, password) {
		t.Errorf("without a server: exit status %d, %s", r.status, r.stderr)
	}
}
