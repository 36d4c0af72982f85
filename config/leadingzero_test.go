package config

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLeadingZero refuses numbers and durations that begin with 0, in every format and in the
// environment: YAML takes 01000 for 512.
func TestLeadingZero(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"lifetime.yaml": "token: {access_ttl: 01000}", "number.yaml": "token: {max_length: 01000}", "limit.yaml": "http: {login: {concurrent: 010}}",
		"no octal.yaml": "token: {access_ttl: 0900}", "underscore.yaml": "token: {access_ttl: 0_900}", "negative.yaml": "token: {leeway: -010}",
		"fraction.yaml": "token: {access_ttl: 010.5}", "list.yaml": "http: {locations: [header, 010]}",
		"duration.yaml": "token: {access_ttl: 0100s}", "text.yaml": "token: {access_ttl: '01000'}",
		"number.toml": "[token]\naccess_ttl = 01000", "duration.toml": "[token]\naccess_ttl = '010m'",
		"number.json": `{"token": {"access_ttl": 01000}}`, "duration.json": `{"token": {"access_ttl": "010m"}}`,
	} {
		if _, _, err := load(nil, []string{write(t, name, content)}); err == nil {
			t.Errorf("%s: %s is accepted", name, content)
		}
	}
	for _, variable := range []string{"TOKEN__ACCESS_TTL=01000", "TOKEN__ACCESS_TTL=010m", "TOKEN__MAX_LENGTH=01000", "HTTP__LOGIN__CONCURRENT=010"} {
		_, _, err := load([]string{EnvPrefix + variable}, nil)
		wantProblem(t, err, "; it must not begin with 0")
	}
	for _, good := range []string{"token: {leeway: 0}", "token: {leeway: 0s}", "token: {access_ttl: 1h05m}", "token: {issuer: '007'}", "token: {leeway: 0.5s}"} {
		if _, _, err := load(nil, []string{write(t, "auth.yaml", good)}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	_, _, err := load(nil, []string{write(t, "auth.yaml", "token:\n  access_ttl: 01000")})
	wantProblem(t, err, "octal")
}

// TestRelativePathsAreTried names the path that was tried for every setting that is a file. It is not
// parallel: it changes the working directory.
func TestRelativePathsAreTried(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	redis := func(change func(*Config)) func(*Config) {
		return func(c *Config) {
			c.Denylist.Store, redisOf(c).Addresses = "redis", []string{"127.0.0.1:1"}
			redisOf(c).TLS.Enabled = true
			change(c)
		}
	}
	if err := os.WriteFile("wrapped", []byte("k4.local-pw.AAAA"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"key":      func(c *Config) { c.Token.Keys = []Key{{File: "none"}} },
		"password": func(c *Config) { c.Token.Keys = []Key{{File: "wrapped", PasswordFile: "none"}} },
		"wrapping": func(c *Config) { c.Token.Keys = []Key{{File: "wrapped", WrappingKeyFile: "none"}} },
		"redis":    redis(func(c *Config) { redisOf(c).PasswordFile = "none" }),
		"sentinel": redis(func(c *Config) { redisOf(c).SentinelPasswordFile = "none" }),
		"CA":       redis(func(c *Config) { redisOf(c).TLS.CAFile = "none" }),
		"certificate": redis(func(c *Config) {
			redisOf(c).TLS.CertFile, redisOf(c).TLS.KeyFile = "none", "none"
		}),
		"bolt": func(c *Config) { c.Denylist.Store, boltOf(c).Path = "bolt", "none/revoked.db" },
	} {
		cfg := newConfig()
		cfg.Token.Keys = nil
		change(cfg)
		_, err := Open(t.Context(), cfg)
		t.Run(name, func(t *testing.T) {
			wantProblem(t, err, "a relative path counts from the working directory: "+filepath.Join(dir, "none"))
		})
	}
	_, err := Load("none.yaml")
	wantProblem(t, err, filepath.Join(dir, "none.yaml")+" was tried")
}
