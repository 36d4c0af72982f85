package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", `
token:
  keys:
    - file: DIR/zero
    - {file: DIR/pair, not_after: 2030-01-02T03:04:05Z}
    - file: DIR/public
`)
	d.write("own.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {store: program}")
	d.write("without.yaml", "token: {keys: [{file: DIR/zero}]}\ndenylist: {disabled: true}")
	const valid = "the configuration is valid\n"
	const zero = zeroID + " issues and opens v4.local tokens\n"
	d.run("config check DIR/auth.yaml").want(0, valid+zero+
		pairID+" opens v4.public tokens until 2030-01-02T03:04:05Z\n"+
		pairID+" opens v4.public tokens\n", "")
	d.run("config check DIR/own.yaml").want(0, valid+zero, "")
	d.run("config check DIR/auth.yaml DIR/without.yaml").want(0, valid+zero, "")
	d.run("config check --json DIR/auth.yaml").want(0, `{"valid":true,"keys":[`+
		`{"kid":"`+zeroID+`","version":"v4","purpose":"local","issues":true},`+
		`{"kid":"`+pairID+`","version":"v4","purpose":"public","issues":false,"not_after":"2030-01-02T03:04:05Z"},`+
		`{"kid":"`+pairID+`","version":"v4","purpose":"public","issues":false}]}`+"\n", "")
}

func TestConfigCheckWarns(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.chmod("zero", 0o644)
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}]}")
	r := d.run("config check DIR/auth.yaml")
	r.want(0, "…\n…\n", "level=WARN …DIR/zero…\n")
}

func TestConfigCheckFailures(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("broken.yaml", "token: {leeway: soon, purpose: other, acess_ttl: 5m}")
	d.write("keyless.yaml", "token: {keys: [{file: DIR/none}]}")
	d.run("config check DIR/broken.yaml").want(1, "", `pasetokit: config: 3 problems:
  token.acess_ttl (DIR/broken.yaml:1): unknown key; did you mean token.access_ttl?
  token.leeway = "soon" (DIR/broken.yaml:1): expected a duration …
  token.purpose = "other" (DIR/broken.yaml:1): …
`)
	e, _ := d.run("config check --json DIR/broken.yaml").decode()["error"].(map[string]any)
	problems, _ := e["problems"].([]any)
	if e["code"] != "config_invalid" || len(problems) != 3 {
		t.Fatalf("JSON error %v", e)
	}
	if p, _ := problems[0].(map[string]any); p["key"] != "token.acess_ttl" || p["source"] != "DIR/broken.yaml" || p["rule"] == "" {
		t.Errorf("first problem %v", p)
	}
	d.run("config check DIR/keyless.yaml").want(1, "", "pasetokit: …DIR/none: no such file or directory\n")
	d.run("config check").want(1, "", "pasetokit: config: token.keys: is empty; without a key no token can be issued or opened\n")
	d.run("config check DIR/none.yaml").want(1, "", "pasetokit: config: DIR/none.yaml: open DIR/none.yaml: no such file or directory\n")
	d.run("config check DIR/zero").want(1, "", "pasetokit: config: DIR/zero: unknown kind of file; …\n")
}

// TestConfigSection checks and prints a section of an application's own file.
func TestConfigSection(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("app.yaml", "port: 80\nauth:\n  token: {leeway: 3s, keys: [{file: DIR/zero}]}\nbroken:\n  token: {leeway: soon}\n")
	d.run("config check DIR/app.yaml#auth").want(0, "the configuration is valid\n"+zeroID+" issues and opens v4.local tokens\n", "")
	d.run("config check DIR/app.yaml#broken").want(1, "", "pasetokit: config: broken.token.leeway = \"soon\" (DIR/app.yaml:5): expected …\n")
	d.run("config check DIR/app.yaml#other").want(1, "", "pasetokit: config: DIR/app.yaml: it has no section other\n")
	text := regexp.MustCompile(` {2,}`).ReplaceAllString(d.run("config print DIR/app.yaml#auth").ok(), " ")
	if want := "\ntoken.leeway 3s DIR/app.yaml\n"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

func TestConfigPrint(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", "token: {access_ttl: 5m, keys: ["+zeroKey+", {file: DIR/pair}]}")
	r := d.run("config print DIR/auth.yaml")
	text := regexp.MustCompile(` {2,}`).ReplaceAllString(r.ok(), " ")
	for _, want := range []string{
		"\ntoken.access_ttl 5m DIR/auth.yaml\n", "\ntoken.leeway 0s default\n", "file: DIR/pair",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, zeroKey) {
		t.Errorf("it shows a key:\n%s", text)
	}
	settings, _ := d.run("config print --json DIR/auth.yaml").decode()["settings"].([]any)
	found := false
	for _, s := range settings {
		setting, _ := s.(map[string]any)
		if setting["key"] == "token.access_ttl" {
			found = setting["value"] == "5m" && setting["source"] == "DIR/auth.yaml"
		}
	}
	if !found {
		t.Errorf("JSON settings %v", settings)
	}
	d.write("broken.yaml", "token: {leeway: soon, purpose: other}")
	d.run("config print DIR/broken.yaml").want(1, "", "pasetokit: config: 2 problems:\n…\n…\n")
}

// TestConfigEnvironment is not parallel: it sets environment variables.
func TestConfigEnvironment(t *testing.T) {
	t.Setenv("PASETOKIT_TOKEN__KEYS", zeroKey)
	t.Setenv("PASETOKIT_TOKEN__ISSUER", "environment")
	d := newDir(t)
	d.run("config check").want(0, "the configuration is valid\n"+zeroID+" issues and opens v4.local tokens\n", "")
	token := d.run("issue").ok()
	if claims, _ := d.run("verify --json", token).decode()["claims"].(map[string]any); claims["iss"] != "environment" {
		t.Errorf("claims %v", claims)
	}
	r := d.run("config print")
	if text := r.ok(); !strings.Contains(text, "PASETOKIT_TOKEN__ISSUER") || strings.Contains(text, zeroKey) {
		t.Errorf("settings:\n%s", text)
	}
	// As a compose file makes it of ${REQUIRE:-}. The file's check stays, or the
	// configuration is refused.
	d.write("strict.yaml", "token: {require_issuer: somebody, require_audience: [us]}")
	d.run("verify --config DIR/strict.yaml", token).want(1, "", "pasetokit: …\n")
	for _, nothing := range []string{"", " ", ",", " , "} {
		t.Setenv("PASETOKIT_TOKEN__REQUIRE_AUDIENCE", nothing)
		const want = "pasetokit: …token.require_audience…(PASETOKIT_TOKEN__REQUIRE_AUDIENCE): it …\n"
		d.run("config check DIR/strict.yaml").want(1, "", want)
		d.run("verify --config DIR/strict.yaml", token).want(1, "", want)
	}
	t.Setenv("PASETOKIT_TOKEN__REQUIRE_AUDIENCE", "none")
	t.Setenv("PASETOKIT_TOKEN__REQUIRE_ISSUER", "none")
	d.run("verify --config DIR/strict.yaml", token).ok()
}

// TestConfigCheckStore looks at what the store needs and asks no store: that of
// the first one would be made by it, and that of the second is not there.
func TestConfigCheckStore(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	const keys = "token: {keys: [{file: DIR/zero}]}\n"
	const redis = keys + "denylist: {store: redis, redis: {addresses: ['127.0.0.1:1'], "
	d.write("bolt.yaml", keys+"denylist: {store: bolt, bolt: {path: DIR/revoked.db}}")
	d.write("nowhere.yaml", keys+"denylist: {store: bolt, bolt: {path: DIR/none/revoked.db}}")
	d.write("redis.yaml", redis+"password_file: DIR/password}}")
	d.write("password.yaml", redis+"sentinel_master: main, password_file: DIR/none, sentinel_password_file: DIR/none}}")
	d.write("ca.yaml", redis+"tls: {enabled: true, ca_file: DIR/zero}}}")
	const valid = "the configuration is valid\n" + zeroID + " issues and opens v4.local tokens\n"
	d.run("config check DIR/bolt.yaml").want(0, valid, "")
	d.wantMissing("revoked.db")
	d.run("config check DIR/redis.yaml").want(0, valid, "")
	d.run("config check DIR/nowhere.yaml").want(1, "",
		`pasetokit: config: denylist.bolt.path = "DIR/none/revoked.db": its directory does not exist; make it first`+"\n")
	d.run("config check DIR/password.yaml").want(1, "", `pasetokit: config: 2 problems:
  denylist.redis.password_file: the password file cannot be read: open DIR/none: no such file or directory
  denylist.redis.sentinel_password_file: the password file cannot be read: open DIR/none: no such file or directory
`)
	d.run("config check DIR/ca.yaml").want(1, "", `pasetokit: config: denylist.redis.tls.ca_file = "DIR/zero": it holds no certificate in PEM`+"\n")
	d.chmod("password", 0o644)
	d.run("config check DIR/redis.yaml").want(0, valid, "level=WARN …DIR/password\n")
}

func TestConfigPrintPasswords(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("auth.yaml", "denylist: {redis: {password: '"+password+"'}}")
	for _, line := range []string{"config print DIR/auth.yaml", "config print --json DIR/auth.yaml"} {
		if text := d.run(line).ok(); strings.Contains(text, password) || !strings.Contains(text, "(redacted)") {
			t.Errorf("%s shows the password, or not that there is one:\n%s", line, text)
		}
	}
}

// TestConfigCheckNotes says what is valid and probably not meant, and says nothing of it where
// another command borrows the configuration.
func TestConfigCheckNotes(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("cookie.yaml", "token: {keys: [{file: DIR/zero}]}\nhttp: {locations: [cookie]}")
	const verifier = "token: {purpose: public, verify_only: true, keys: [{file: DIR/public}]}\n"
	d.write("memory.yaml", verifier)
	d.write("bolt.yaml", verifier+"denylist: {store: bolt, bolt: {path: DIR/revoked.db}}")
	d.write("redis.yaml", verifier+"denylist: {store: redis, redis: {addresses: ['127.0.0.1:1']}}")
	d.write("own.yaml", verifier+"denylist: {store: program}")
	for name, note := range map[string]string{
		"cookie": "level=WARN …websocket.locations…Token required…\n", "memory": "level=WARN …denylist.store…\n",
		"bolt": "level=WARN …denylist.store…\n", "redis": "", "own": "",
	} {
		d.run("config check DIR/"+name+".yaml").want(0, "the configuration is valid\n…\n", note)
		r := d.run("config check --json DIR/" + name + ".yaml")
		r.want(0, `{"valid":true,…`+"\n", note)
	}
	d.run("issue --config DIR/cookie.yaml").want(0, "…\n", "")
}
