package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("implicit", "tied\n")
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}, {file: DIR/pair}], issuer: me, audience: [api], access_ttl: 1h}")
	d.write("more.yaml", "token: {issuer: you}")
	for _, test := range []struct {
		name, args string
		more       []string
		verify     string
		want       map[string]any // claims, nil for one that must be missing
	}{
		{"key", "--key DIR/zero --subject alice", nil, "--key DIR/zero",
			map[string]any{"sub": "alice", "type": "access", "fresh": false, "iss": nil, "aud": nil}},
		{"pair", "--key DIR/pair --fresh --scope read --scope", []string{"write admin"}, "--key DIR/public --fresh --scope admin",
			map[string]any{"scope": "read write admin", "fresh": true}},
		{"several keys", "--key DIR/public --key DIR/pair", nil, "--key DIR/public", nil},
		{"refresh", "--key DIR/zero --type refresh --issuer me --audience api --audience web", nil, "--key DIR/zero --type refresh --issuer me --audience web",
			map[string]any{"type": "refresh", "iss": "me"}},
		{"claims", "--key DIR/zero --claim level=3 --claim admin=true --claim", []string{`name="Alice A=B"`}, "--key DIR/zero",
			map[string]any{"level": 3.0, "admin": true, "name": "Alice A=B"}},
		{"implicit assertion", "--key DIR/zero --implicit-file DIR/implicit", nil, "--key DIR/zero --implicit-file DIR/implicit", nil},
		{"long life", "--key DIR/zero --ttl 20000h", nil, "--key DIR/zero", nil},
		{"seconds", "--key DIR/zero --ttl 90", nil, "--key DIR/zero", nil},
		{"configuration", "--config DIR/auth.yaml --subject alice", nil, "--config DIR/auth.yaml --issuer me",
			map[string]any{"iss": "me", "aud": "api"}},
		{"two configurations", "--config DIR/auth.yaml --config DIR/more.yaml", nil, "--key DIR/zero",
			map[string]any{"iss": "you", "aud": "api"}},
		{"configuration, other purpose", "--config DIR/auth.yaml --purpose public --issuer x", nil, "--key DIR/public",
			map[string]any{"iss": "x"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: d.path}
			token := d.run("issue "+test.args, test.more...).ok()
			verified := d.runWith(token, "verify --json "+test.verify)
			verified.ok()
			claims, _ := verified.decode()["claims"].(map[string]any)
			for name, want := range test.want {
				if claims[name] != want {
					t.Errorf("%s is %v, want %v", name, claims[name], want)
				}
			}
		})
	}
}

func TestIssueForEver(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	token := d.run("issue --key DIR/zero --ttl none").ok()
	d.runWith(token, "verify --key DIR/zero").want(1, "", "pasetokit: expiry_missing: Token is missing the 'exp' claim\n")
	if v := d.runWith(token, "inspect --json --key DIR/zero").decode(); v["verified"] != true {
		t.Errorf("inspect says %v", v)
	}
}

func TestIssueFooter(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	for footer, want := range map[string]string{
		`{"a":1}`: `{"a":1,"kid":"` + zeroID + `"}`,
		`plain`:   `"plain"`,
		``:        `null`,
	} {
		r := d.run("issue --json --key DIR/zero --footer", footer)
		var v struct {
			Token  string
			Claims map[string]any
			Footer json.RawMessage
		}
		if err := json.Unmarshal([]byte(r.ok()), &v); err != nil {
			t.Fatal(err)
		}
		if v.Footer == nil {
			v.Footer = json.RawMessage("null")
		}
		if string(v.Footer) != want || !strings.HasPrefix(v.Token, "v4.local.") || v.Claims["type"] != "access" {
			t.Errorf("%s: footer %s, want %s (%v)", footer, v.Footer, want, v)
		}
	}
}

func TestIssueFailures(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}]}")
	d.write("broken.yaml", "token: {leeway: soon, purpose: x}")
	d.write("public.yaml", "token: {purpose: public, keys: [{file: DIR/public}], verify_only: true}")
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 1, "token.keys: is empty; without a key no token can be issued or opened"},
		{"--key DIR/public", 1, "token.keys: none of them can issue v4.public tokens; …"},
		{"--config DIR/public.yaml", 1, "invalid configuration: no key can issue v4.public tokens"},
		{"--config DIR/broken.yaml", 1, "2 problems: token.…; token.…"},
		{"--config DIR/auth.yaml --key DIR/zero", 2, "give --config or --key, not both"},
		{"--config DIR/auth.yaml --ttl 20000h", 1, "invalid grant: a lifetime of 20000h is longer than Config.MaxTTL, 720h"},
		{"--config DIR/auth.yaml --version v3", 1, "invalid configuration: no key can issue v3.local tokens"},
		{"--key DIR/zero --ttl soon", 2, "--ttl must be a duration of at least 1s such as 15m, a number of seconds, or none"},
		{"--key DIR/zero --ttl 1ms", 2, "--ttl must be a duration of at least 1s such as 15m, a number of seconds, or none"},
		{"--key DIR/zero --type a\"b", 1, `invalid grant: "a\"b" is not a token type`},
		{"--key DIR/zero --scope a\"b", 1, `invalid grant: Scopes: "a\"b" is not a scope`},
		{"--key DIR/zero --claim sub=1", 2, "--claim sub: this claim is set by --subject"},
		{"--key DIR/zero --claim jti=1", 1, `invalid grant: Claims: "jti" is reserved; it is set by the Authorizer`},
		{"--key DIR/zero --claim a=1 --claim a=2", 2, "--claim a is given twice"},
		{`--key DIR/zero --claim a="\ud800"`, 1, `invalid grant: Claims: half of a surrogate pair, which is no character`},
		{"--key DIR/zero --claim a=b", 2, `--claim a: the value is not JSON; text stands in quotes: --claim 'a="…"'`},
		{"--key DIR/zero --claim a", 2, `--claim must be name=json, such as level=3 or 'name="Alice"'`},
		{"--key DIR/zero --claim =1", 2, `--claim must be name=json, such as level=3 or 'name="Alice"'`},
		{`--key DIR/zero --footer {"kid":"x"}`, 1, `invalid grant: Footer: "kid" is reserved; it names the key`},
		{"--key DIR/zero --implicit-file DIR/none", 1, "open DIR/none: no such file or directory"},
		{"--key DIR/none", 1, "open DIR/none: no such file or directory"},
		{"--key - --implicit-file -", 1, "standard input: invalid key: it is empty"},
		{"alice", 2, "pasetokit issue takes at most 0 arguments, not 1; see its --help"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: d.path}
			d.run("issue "+test.args).want(test.status, "", "pasetokit: "+test.want+"\n")
			if e, _ := d.run("issue --json " + test.args).decode()["error"].(map[string]any); e["message"] == "" || e["code"] == "" {
				t.Errorf("JSON error %v", e)
			}
		})
	}
}
