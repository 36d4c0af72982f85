package config_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	first, second := dir+"/first.yaml", dir+"/second.toml"
	check(t, os.WriteFile(dir+"/key", []byte(localKey), 0o600))
	check(t, os.WriteFile(first, []byte(`
token:
  keys: [`+localKey+`, {file: `+dir+`/key, not_after: 2030-01-31T12:00:00Z}]
  issuer: first
  audience: [a, b]
  access_ttl: 5m
  other_ttl: 90m
  no_such_key: 1
http: {realm: `+localKey+`}
`), 0o600))
	check(t, os.WriteFile(second, []byte("[token]\nissuer = \"second\"\n"), 0o600))
	t.Setenv("PASETOKIT_TOKEN__LEEWAY", "90")

	if _, err := config.Settings(first); !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), "token.no_such_key") {
		t.Errorf("a broken configuration: %v", err)
	}
	text, err := os.ReadFile(first)
	check(t, err)
	check(t, os.WriteFile(first, []byte(strings.Replace(string(text), "  no_such_key: 1\n", "", 1)), 0o600))
	all, err := config.Settings(first, second)
	check(t, err)
	for _, want := range []config.Setting{
		{Key: "token.version", Value: "v4", Source: "default"},
		{Key: "token.keys", Value: "[(redacted), {file: " + dir + "/key, not_after: 2030-01-31T12:00:00Z}]", Source: first},
		{Key: "token.issuer", Value: "second", Source: second},
		{Key: "token.audience", Value: "[a, b]", Source: first},
		{Key: "token.require_issuer", Value: "none", Source: "default"},
		{Key: "token.access_ttl", Value: "5m", Source: first},
		{Key: "token.refresh_ttl", Value: "720h", Source: "default"},
		{Key: "token.other_ttl", Value: "1h30m", Source: first},
		{Key: "token.allow_no_expiry", Value: "false", Source: "default"},
		{Key: "token.leeway", Value: "1m30s", Source: "PASETOKIT_TOKEN__LEEWAY"},
		{Key: "token.max_length", Value: "8192", Source: "default"},
		{Key: "http.realm", Value: "(redacted)", Source: first},
		{Key: "http.cookie.same_site", Value: "lax", Source: "default"},
	} {
		if !slices.ContainsFunc(all, func(s config.Setting) bool {
			return s.Key == want.Key && s.Value == want.Value && s.Source == want.Source
		}) {
			t.Errorf("%+v is not among\n%+v", want, all)
		}
	}
	if all[0].Key != "token.keys" || all[len(all)-1].Key != "denylist.redis.tls.server_name" {
		t.Errorf("they begin with %s and end with %s", all[0].Key, all[len(all)-1].Key)
	}
}

func ExampleSettings() {
	settings, err := config.Settings()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range settings[:3] {
		fmt.Printf("%s = %s (%s)\n", s.Key, s.Value, s.Source)
	}
	// Output:
	// token.keys = none (default)
	// token.verify_only = false (default)
	// token.version = v4 (default)
}
