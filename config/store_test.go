package config_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// withBolt returns a configuration whose denylist is the file at path.
func withBolt(path string) *config.Config {
	return with(func(c *config.Config) { c.Denylist.Store, config.BoltOf(c).Path = "bolt", path })
}

// issue returns an access token and its claims.
func issue(t *testing.T, kit *config.Kit, subject string) (token string, claims *paseto.Claims) {
	t.Helper()
	issued, err := kit.Authorizer.IssueAccess(paseto.Grant{Subject: subject, Session: "session of " + subject})
	check(t, err)
	return issued.Token.Reveal(), issued.Claims
}

// wantVerdict checks whether a kit accepts a token.
func wantVerdict(t *testing.T, kit *config.Kit, token string, want error) {
	t.Helper()
	if _, err := kit.Authorizer.Verify(t.Context(), token, paseto.Requirement{}); !errors.Is(err, want) {
		t.Errorf("Verify = %v, want %v", err, want)
	}
}

// TestBolt revokes, closes and opens again.
func TestBolt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "revoked.db")
	kit := open(t, withBolt(path))
	alices, _ := issue(t, kit, "alice")
	bobs, bob := issue(t, kit, "bob")
	carols, carol := issue(t, kit, "carol")
	daves, _ := issue(t, kit, "dave")
	check(t, kit.Authorizer.RevokeSubject(t.Context(), "alice", time.Time{}))
	check(t, kit.Authorizer.RevokeSession(t.Context(), bob.Session))
	check(t, kit.Authorizer.Revoke(t.Context(), carol))
	for range 2 {
		for _, revoked := range []string{alices, bobs, carols} {
			wantVerdict(t, kit, revoked, paseto.ErrRevoked)
		}
		wantVerdict(t, kit, daves, nil)
		check(t, kit.Close())
		kit = open(t, withBolt(path))
	}
	check(t, kit.Close())
	if _, err := kit.Store.Revoked(t.Context(), denylist.Token{ID: "a"}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("the store is open after Close: %v", err)
	}
}

// TestStoreIsReleased opens a configuration that fails after its store was
// opened: the file must not stay locked.
func TestStoreIsReleased(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "revoked.db")
	broken := withBolt(path)
	weak := "k4.public." + strings.Repeat("A", 43) // which is looked at last
	broken.Token.Keys = append(broken.Token.Keys, config.Key{Value: paseto.NewSecret(weak)})
	if kit, err := config.Open(t.Context(), broken); kit != nil || !errors.Is(err, paseto.ErrConfig) {
		t.Fatalf("Open = %v, %v", kit, err)
	}
	open(t, withBolt(path))
}

// TestStoreFilesAreChecked: with a store of the program's own too, as a check
// of the configuration alone may have it, files that cannot be are reported.
func TestStoreFilesAreChecked(t *testing.T) {
	t.Parallel()
	store := denylist.NewMemory()
	t.Cleanup(func() { _ = store.Close() })
	dir := t.TempDir()
	files := map[string]string{
		"empty": "", "line": "\n", "large": strings.Repeat("x", 1<<20), "text": "no certificate",
	}
	for name, content := range files {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	for _, test := range []struct {
		name   string
		change func(*redis.Settings)
		want   string
	}{
		{"no password file", func(r *redis.Settings) { r.PasswordFile = "DIR/none" },
			"denylist.redis.password_file: the password file cannot be read: open DIR/none: no such file or directory"},
		{"a directory for a password", func(r *redis.Settings) { r.PasswordFile = "DIR" },
			"denylist.redis.password_file: the password file cannot be read: DIR is not a regular file"},
		{"a large password file", func(r *redis.Settings) { r.PasswordFile = "DIR/large" },
			"denylist.redis.password_file: DIR/large is no password file: it has more than 65536 bytes"},
		{"an empty password file", func(r *redis.Settings) { r.PasswordFile = "DIR/empty" },
			"denylist.redis.password_file: the password is empty"},
		{"a password file of one empty line", func(r *redis.Settings) { r.SentinelMaster, r.SentinelPasswordFile = "main", "DIR/line" },
			"denylist.redis.sentinel_password_file: the password is empty"},
		{"no CA file", func(r *redis.Settings) { r.TLS.CAFile = "DIR/none" },
			`denylist.redis.tls.ca_file = "DIR/none": open DIR/none: no such file or directory`},
		{"a CA file without certificates", func(r *redis.Settings) { r.TLS.CAFile = "DIR/text" },
			`denylist.redis.tls.ca_file = "DIR/text": it holds no certificate in PEM`},
		{"no certificate file", func(r *redis.Settings) { r.TLS.CertFile, r.TLS.KeyFile = "DIR/none", "DIR/text" },
			`denylist.redis.tls.cert_file = "DIR/none": open DIR/none: no such file or directory`},
		{"a certificate file without certificates", func(r *redis.Settings) { r.TLS.CertFile, r.TLS.KeyFile = "DIR/text", "DIR/text" },
			`denylist.redis.tls.cert_file = "DIR/text": tls: failed to find any PEM data`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := with(func(c *config.Config) {
				r := config.RedisOf(c)
				c.Denylist.Store, r.Addresses, r.TLS.Enabled = "redis", []string{"localhost:1"}, true
				test.change(r)
				for _, path := range []*string{&r.PasswordFile, &r.SentinelPasswordFile, &r.TLS.CAFile, &r.TLS.CertFile, &r.TLS.KeyFile} {
					*path = strings.ReplaceAll(*path, "DIR", dir)
				}
			})
			for name, opts := range map[string][]config.Option{"named": nil, "given": {config.WithStore(store)}} {
				_, err := config.Open(t.Context(), cfg, opts...)
				if want := "config: " + strings.ReplaceAll(test.want, "DIR", dir); !errors.Is(err, paseto.ErrConfig) || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("with a store that is %s: error is %v, want %s", name, err, want)
				}
			}
			cfg.Denylist.Disabled = true
			open(t, cfg)
		})
	}
}

// TestExposedPasswords checks which files of a store are warned of.
func TestExposedPasswords(t *testing.T) {
	t.Parallel()
	store := denylist.NewMemory()
	t.Cleanup(func() { _ = store.Close() })
	for _, test := range []struct {
		name string
		mode os.FileMode
		set  func(r *redis.Settings, path string)
		want string
	}{
		{"password", 0o640, func(r *redis.Settings, path string) { r.PasswordFile = path }, "password file can be read by others"},
		{"sentinel password", 0o604, func(r *redis.Settings, path string) { r.SentinelMaster, r.SentinelPasswordFile = "main", path }, "password file can be read by others"},
		{"its owner's alone", 0o600, func(r *redis.Settings, path string) { r.PasswordFile = path }, ""},
		{"key", 0o644, func(r *redis.Settings, path string) { r.TLS.CertFile, r.TLS.KeyFile = path, path }, "key file can be read by others"},
		{"its owner's key", 0o400, func(r *redis.Settings, path string) { r.TLS.CertFile, r.TLS.KeyFile = path, path }, ""},
		{"CA", 0o644, func(r *redis.Settings, path string) { r.TLS.CAFile = path }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := keyFile(t, "s3cret\n")
			check(t, os.Chmod(path, test.mode))
			cfg := with(func(c *config.Config) {
				c.Denylist.Store, config.RedisOf(c).Addresses = "redis", []string{"localhost:1"}
				test.set(config.RedisOf(c), path)
			})
			if got := warnings(t, cfg, config.WithStore(store)); test.want == "" && got != "" ||
				test.want != "" && !strings.Contains(got, `level=WARN msg="`+test.want+`" path=`+path) {
				t.Errorf("the log says %q, want %q", got, test.want)
			}
			cfg.Denylist.Store, config.RedisOf(cfg).Addresses = "memory", nil
			if got := warnings(t, cfg); got != "" {
				t.Errorf("the log says %q of a file that is not used", got)
			}
		})
	}
}

// warnings opens a configuration and returns what is logged.
func warnings(t *testing.T, cfg *config.Config, opts ...config.Option) string {
	t.Helper()
	var log bytes.Buffer
	open(t, cfg, append(opts, config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
	return log.String()
}

// TestWatchPassword: a password that has changed is a value that has changed,
// though it is not shown.
func TestWatchPassword(t *testing.T) {
	t.Parallel()
	const file = "token: {keys: [{file: FOLDER/key}]}\ndenylist: {redis: {password: s3cret 1, sentinel_password: s3cret}}"
	w := watchDir(t, "auth.yaml", file, "key", localKey)
	w.write(t, "auth.yaml", strings.Replace(file, "s3cret 1", "s3cret 2", 1))
	w.wantLog(t, 1, "level=WARN", "changed configuration needs a restart", "settings=[denylist.redis.password]")
	if strings.Contains(w.log.String(), "s3cret") {
		t.Errorf("the log shows a password:\n%s", w.log)
	}
}
