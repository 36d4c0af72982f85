package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/paseto"
)

// boltConfig has its denylist in a file.
const boltConfig = `
token: {keys: [{file: DIR/zero}]}
denylist: {store: bolt, path: DIR/revoked.db, check: [access, refresh, invitation]}
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
	return issued{i.Token, i.Claims}
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
	d.write("ever.yaml", "token: {require_expiry: false}")
	token := d.run("issue --config DIR/auth.yaml --config DIR/ever.yaml --ttl none --subject alice").ok()
	const revoke = "revoke --config DIR/auth.yaml --config DIR/ever.yaml "
	d.run(revoke+"--token", token).want(0, "revoked: access token … (kept for ever)\n", "")
	d.run("verify --config DIR/auth.yaml --config DIR/ever.yaml", token).want(1, "", revokedToken)
	d.run(revoke+"--session a").want(0, "revoked: tokens of session a (kept for ever)\n", "")
	d.run(revoke+"--token-id a").want(0, "revoked: token a (kept for ever)\n", "")
	d.run(revoke+"--json --token-id b").want(0, `{"recorded":true,"token_id":"b"}`+"\n", "")
}

// TestRevokeNeedless revokes tokens that are refused anyway.
func TestRevokeNeedless(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	const revoke = "revoke --config DIR/auth.yaml "
	for _, tokenType := range []string{"access", "refresh"} {
		expired := token(t, key(t, zeroKey), past, tokenType, paseto.Grant{})
		d.run(revoke+"--token", expired).want(0, "nothing to revoke: "+tokenType+" token … has expired\n", "")
		d.run(revoke+"--json --token", expired).want(0,
			`{"recorded":false,"reason":"token_expired","token_id":"…","type":"`+tokenType+`"}`+"\n", "")

		valid := issueNow(t, tokenType, paseto.Grant{Session: "login of " + tokenType})
		d.run(revoke+"--session", valid.claims.Session).ok()
		d.run(revoke+"--token", valid.token).want(0, "nothing to revoke: "+tokenType+" token "+valid.claims.ID+" is revoked already\n", "")
		d.run(revoke+"--json --token", valid.token).want(0,
			`{"recorded":false,"reason":"token_revoked","token_id":"`+valid.claims.ID+`","type":"`+tokenType+`"}`+"\n", "")
		d.run(revoke + "--token-id " + valid.claims.ID).ok() // which is no error
	}
}

// TestRevokeTokenToCome: a token that is not valid yet will be.
func TestRevokeTokenToCome(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	later := issueNow(t, "access", paseto.Grant{NotBefore: time.Now().Add(time.Minute)})
	d.run("revoke --config DIR/auth.yaml --token", later.token).want(0, "revoked: access token "+later.claims.ID+" (kept until 20…Z)\n", "")
	kit, _ := d.serve("auth.yaml")
	if err := kit.Authorizer.Revoked(t.Context(), later.claims); !errors.Is(err, paseto.ErrRevoked) {
		t.Errorf("Revoked = %v", err)
	}
}

// TestRevokeRefusesTokens presents tokens that must not be taken, of which each
// is told why.
func TestRevokeRefusesTokens(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	d.write("implicit", "tied")
	d.write("strict.yaml", "token: {require_issuer: me, require_audience: [api]}")
	kit, stop := d.serve("auth.yaml")
	access := issueNow(t, "access", paseto.Grant{Issuer: "me", Audience: []string{"web"}})
	ticket, err := kit.Authorizer.IssueTicket(access.claims, paseto.TicketGrant{})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	tied := issueNow(t, "access", paseto.Grant{Implicit: []byte("tied")})
	for _, test := range []struct{ name, args, token, want string }{
		{"another key", "", token(t, paseto.NewLocalKey(), time.Now(), "access", paseto.Grant{}), "decryption_failed: Failed to decrypt. (…)"},
		{"another purpose", "", token(t, key(t, pairKey), time.Now(), "access", paseto.Grant{}), "purpose_unsupported: Invalid PASETO purpose public"},
		{"no token", "", "-", "token_missing: PASETO Authorization Token required"},
		{"no token at all", "", "x", "token_malformed: …"},
		{"a token that never expires", "", issueForEver(t), "expiry_missing: Token is missing the 'exp' claim"},
		{"no issuer", "--config DIR/strict.yaml", issueNow(t, "refresh", paseto.Grant{}).token, "issuer_missing: Token is missing the 'iss' claim"},
		{"another audience", "--config DIR/strict.yaml", access.token, "audience_invalid: aud verification failed. (…)"},
		{"implicit assertion", "", tied.token, "decryption_failed: Failed to decrypt. (…)"},
		{"ticket", "", ticket.Token, "a ticket works once, for some seconds, and cannot be revoked; revoke its session"},
		{"ticket, strict", "--config DIR/strict.yaml", ticket.Token, "a ticket works once, for some seconds, and cannot be revoked; revoke its session"},
		{"type that is not looked up", "", issueNow(t, "email-verify", paseto.Grant{}).token,
			`denylist.check = [access, refresh, invitation]: tokens of the type "email-verify" are not looked up, and to revoke one has no effect`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &dir{t: t, path: d.path}
			d.run("revoke --config DIR/auth.yaml "+test.args+" --token", test.token).want(1, "", "pasetokit: "+test.want+"\n")
			r := d.run("revoke --json --config DIR/auth.yaml "+test.args+" --token", test.token)
			e, _ := r.decode()["error"].(map[string]any)
			if code, _, _ := strings.Cut(test.want, ": "); r.status != 1 || strings.Contains(code, "_") && e["code"] != code {
				t.Errorf("JSON error %v", e)
			}
		})
	}
	d.run("revoke --config DIR/auth.yaml --implicit-file DIR/implicit --token", tied.token).want(0, "revoked: access token …\n", "")
}

// issueForEver returns a token without an expiry.
func issueForEver(t *testing.T) string {
	t.Helper()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{key(t, zeroKey)}, AllowNoExpiry: true})
	if err != nil {
		t.Fatal(err)
	}
	token, err := auth.IssueAccess(paseto.Grant{TTL: paseto.NoExpiry})
	if err != nil {
		t.Fatal(err)
	}
	return token.Token
}

// TestRevokeKeys revokes with keys that cannot issue, and without any.
func TestRevokeKeys(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	const store = "\ndenylist: {store: bolt, path: DIR/revoked.db}"
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
	d.run("revoke --config DIR/public.yaml --token", pair.Refresh.Token).want(0, "revoked: refresh token …\n", "")
	d.run("revoke --config DIR/issuing.yaml --token-id a").want(0, "revoked: token a …\n", "")
	d.run("revoke --config DIR/keyless.yaml --session", pair.Access.Claims.Session).want(0, "revoked: tokens of session …\n", "")
	d.run("revoke --config DIR/keyless.yaml --subject bob").want(0, "revoked: tokens of subject bob …\n", "")
	d.run("revoke --config DIR/keyless.yaml --token-id a").want(0, "revoked: token a …\n", "")
	d.run("revoke --config DIR/keyless.yaml --token", bob.Token).want(1, "",
		"pasetokit: token.keys: is empty; without a key no token can be issued or opened\n")
	for _, claims := range []*paseto.Claims{pair.Refresh.Claims, pair.Access.Claims, bob.Claims} {
		kit, stop := d.serve("server.yaml")
		if err := kit.Authorizer.Revoked(t.Context(), claims); !errors.Is(err, paseto.ErrRevoked) {
			t.Errorf("the %s token of %s: %v", claims.Type, claims.Subject, err)
		}
		stop()
	}
}

// TestRevokeOutOfReach names denylists that only a server knows, or has.
func TestRevokeOutOfReach(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", boltConfig)
	d.write("memory.yaml", "token: {keys: [{file: DIR/zero}]}")
	d.write("program.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {store: ''}")
	d.write("disabled.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {enabled: false, store: redis}")
	const memory = "denylist.store = memory: it is known to the running server alone, which alone can revoke; use redis, or bolt while no server runs"
	refused := func(args, code, want string) {
		t.Helper()
		d.run("revoke --subject alice "+args).want(1, "", "pasetokit: "+want+"\n")
		if e, _ := d.run("revoke --json --subject alice " + args).decode()["error"].(map[string]any); e["code"] != code {
			t.Errorf("JSON error %v, want the code %s", e, code)
		}
	}
	refused("", "config_invalid", memory) // the default
	refused("--config DIR/memory.yaml", "config_invalid", memory)
	refused("--config DIR/program.yaml", "config_invalid", "denylist.store: is empty; the program that brings the store alone can revoke")
	refused("--config DIR/disabled.yaml", "config_invalid", "denylist.enabled = false: there is no denylist, and nobody would look a revocation up")

	const missing = "denylist.path: stat DIR/revoked.db: no such file or directory; a server makes it, and a relative path counts from the working directory"
	refused("--config DIR/auth.yaml", "file_missing", missing)
	d.run("verify --config DIR/auth.yaml", issueNow(t, "access", paseto.Grant{}).token).want(1, "", "pasetokit: "+missing+"\n")
	d.wantMissing("revoked.db")

	_, stop := d.serve("auth.yaml")
	refused("--config DIR/auth.yaml", "failed", "denylist.path: DIR/revoked.db is in use; stop the server that has it open for as long, or let servers share redis")
	stop()
	d.run("revoke --subject alice --config DIR/auth.yaml").ok()

	if err := os.WriteFile(d.file("revoked.db"), []byte(strings.Repeat("damage", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("revoke --subject alice --config DIR/auth.yaml").want(1, "", "pasetokit: denylist.path: …damaged…\n")
}

func TestRevokeMisuse(t *testing.T) {
	t.Parallel()
	d := boltDir(t)
	const one = "give exactly one of --subject, --session, --token and --token-id"
	const when = "--issued-before must be a time with its zone, such as 2030-01-31T12:00:00Z"
	written := issueNow(t, "access", paseto.Grant{}).token
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, one},
		{[]string{"--subject", "alice", "--session", "a"}, 2, one},
		{[]string{"--token", "-", "--token-id", "a"}, 2, one},
		{[]string{"--issued-before", "2030-01-31T12:00:00Z"}, 2, one},
		{[]string{"--subject", ""}, 2, "--subject is empty"},
		{[]string{"--token", ""}, 2, "--token is empty"},
		{[]string{"--session", written}, 2, "--session takes a name; a token goes with --token"},
		{[]string{"--token-id", zeroKey}, 2, "--token-id takes a name; a token goes with --token"},
		{[]string{"--session", "a", "--issued-before", "2030-01-31T12:00:00Z"}, 2, "--issued-before goes with --subject alone"},
		{[]string{"--subject", "alice", "--issued-before", "2030-01-31"}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", "2030-01-31T12:00:00"}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", ""}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", "0001-01-01T00:00:00Z"}, 2, when},
		{[]string{"--subject", "alice", "--implicit-file", "a"}, 2, "--implicit-file goes with --token alone"},
		{[]string{"--token", "-", "--implicit-file", "-"}, 2, "standard input gives the token already, and cannot give the implicit assertion as well: use a file for one of them"},
		{[]string{written}, 2, "pasetokit revoke takes at most 0 arguments, not 1; see its --help"},
		{[]string{"--subject", "alice", "--config", "none.yaml"}, 1, "none.yaml: open none.yaml: no such file or directory"},
		{[]string{"--subject", "alice", "--key", "DIR/zero"}, 2, "unknown flag: --key"},
		{[]string{"--subject", strings.Repeat("a", 5000)}, 1, "…the identifier has 5000 bytes…"},
	} {
		args := append([]string{"--config", "DIR/auth.yaml"}, test.args...)
		r := d.run("revoke", args...)
		r.stderr = r.stderr[strings.LastIndex(strings.TrimSpace(r.stderr), "\n")+1:] // after the log
		r.want(test.status, "", "pasetokit: "+test.want+"\n")
	}
	d.run("verify --config DIR/auth.yaml", written).ok()
}

// TestRevokeEnvironment is not parallel: it sets environment variables.
func TestRevokeEnvironment(t *testing.T) {
	d := boltDir(t)
	t.Setenv("PASETOKIT_TOKEN__KEYS", zeroKey)
	t.Setenv("PASETOKIT_DENYLIST__STORE", "bolt")
	t.Setenv("PASETOKIT_DENYLIST__PATH", d.file("revoked.db"))
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
		"denylist: {store: redis, redis: {addresses: ['"+server.Addr()+"'], password_file: DIR/password}}")
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
		eventually(t, flag+": the server refuses the token", func() bool {
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

// eventually fails the test unless ok holds in time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}
