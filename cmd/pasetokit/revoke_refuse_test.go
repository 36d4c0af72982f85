package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

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
		{"ticket", "", ticket.Token.Reveal(), "a ticket works once, for some seconds, and cannot be revoked; revoke its session"},
		{"ticket, strict", "--config DIR/strict.yaml", ticket.Token.Reveal(), "a ticket works once, for some seconds, and cannot be revoked; revoke its session"},
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
	return token.Token.Reveal()
}

// TestRevokeOutOfReach names denylists that only a server knows, or has.
func TestRevokeOutOfReach(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", boltConfig)
	d.write("memory.yaml", "token: {keys: [{file: DIR/zero}]}")
	d.write("program.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {store: program}")
	d.write("disabled.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {disabled: true, store: redis}")
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
	refused("--config DIR/program.yaml", "config_invalid", "denylist.store = program: the program that brings the store alone can revoke")
	refused("--config DIR/disabled.yaml", "config_invalid", "denylist.disabled = true: there is no denylist, and nobody would look a revocation up")

	const missing = "denylist.bolt.path: stat DIR/revoked.db: no such file or directory; a server makes it, and a relative path counts from the working directory"
	refused("--config DIR/auth.yaml", "file_missing", missing)
	d.run("verify --config DIR/auth.yaml", issueNow(t, "access", paseto.Grant{}).token).want(1, "", "pasetokit: "+missing+"\n")
	d.wantMissing("revoked.db")

	_, stop := d.serve("auth.yaml")
	refused("--config DIR/auth.yaml", "failed", "denylist.bolt.path: DIR/revoked.db is in use; stop the server that has it open for as long, or let servers share redis")
	stop()
	d.run("revoke --subject alice --config DIR/auth.yaml").ok()

	if err := os.WriteFile(d.file("revoked.db"), []byte(strings.Repeat("damage", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("revoke --subject alice --config DIR/auth.yaml").want(1, "", "pasetokit: denylist.bolt.path: …damaged…\n")
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
		{[]string{"--subject", "alice", "--issued-before", "2030-01-31T1:00:00Z"}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", "2030-01-31T12:00:00,5Z"}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", "2030-01-31T12:00:00+24:00"}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", ""}, 2, when},
		{[]string{"--subject", "alice", "--issued-before", "0001-01-01T00:00:00Z"}, 2, when},
		{[]string{"--subject", "alice", "--implicit-file", "a"}, 2, "--implicit-file goes with --token alone"},
		{[]string{"--token", "-", "--implicit-file", "-"}, 2, "standard input gives the token already, and cannot give the implicit assertion as well: use a file for one of them"},
		{[]string{written}, 2, "pasetokit revoke takes at most 0 arguments, not 1; see its --help"},
		{[]string{"--subject", "alice", "--config", "none.yaml"}, 1, "none.yaml: open none.yaml: no such file or directory; a relative path counts from the working directory: …none.yaml was tried"},
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
