package driver_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

const (
	noBolt  = `: this program has not got the store bolt; import it: _ "github.com/pasetokit/pasetokit/config/bolt"`
	noRedis = `: this program has not got the store redis; import it: _ "github.com/pasetokit/pasetokit/config/redis"`
)

// TestNotImported loads configurations of stores in a program that imports none. Sections
// that say nothing, which pasetokit config init writes, are taken.
func TestNotImported(t *testing.T) {
	for _, test := range []struct{ name, text, env, want string }{
		{"empty sections", "denylist: {bolt: , redis: {tls: }}", "", ""},
		{"a key of bolt", "denylist: {bolt: {path: revoked.db}}", "", "config: denylist.bolt (FILE:1)" + noBolt},
		{"a key of redis", "denylist: {redis: {tls: {enabled: true}}}", "", "config: denylist.redis (FILE:1)" + noRedis},
		{"a text", "denylist: {redis: 'redis.internal:6379'}", "", "config: denylist.redis (FILE:1)" + noRedis},
		{"a variable", "denylist: {}", "PASETOKIT_DENYLIST__REDIS__DATABASE", "config: PASETOKIT_DENYLIST__REDIS__DATABASE" + noRedis},
		{"a store that is not there", "denylist: {reddis: {database: 1}}", "",
			"config: denylist.reddis (FILE:1): unknown key; known in denylist: disabled, store, check, fail_open"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.env != "" {
				t.Setenv(test.env, "1")
			}
			file := filepath.Join(t.TempDir(), "auth.yaml")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got := ""
			if _, err := config.Load(file); err != nil {
				got = strings.ReplaceAll(err.Error(), file, "FILE")
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestOpenNotImported(t *testing.T) {
	t.Parallel()
	const bolt, redis = "denylist.store = \"bolt\"" + noBolt, "denylist.store = \"redis\"" + noRedis
	for store, want := range map[string]string{"bolt": bolt, "redis": redis, "program": "give one with WithStore", "memory": ""} {
		cfg := &config.Config{Token: config.Token{Keys: []config.Key{{Value: paseto.NewSecret(paseto.NewLocalKey().Export())}}}}
		cfg.Denylist.Store = store
		kit, err := config.Open(t.Context(), cfg)
		if want == "" {
			if err != nil || kit.Close() != nil {
				t.Errorf("%s: %v", store, err)
			}
		} else if !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %s", store, err, want)
		}
	}
}
