package config_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

// keyFile writes a file that only its owner reads.
func keyFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	check(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func newKey(t *testing.T, version paseto.Version, purpose paseto.Purpose) paseto.Key {
	t.Helper()
	key, err := paseto.NewKey(version, purpose)
	check(t, err)
	return key
}

// TestKeyForms reads a key in every form that a file may hold.
func TestKeyForms(t *testing.T) {
	t.Parallel()
	cheap := paseto.PasswordCost{Memory: 8 << 10, Passes: 1}
	for _, version := range []paseto.Version{paseto.V2, paseto.V3, paseto.V4} {
		for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
			key, wrapping := newKey(t, version, purpose), newKey(t, version, paseto.Local)
			cost := cheap
			if version == paseto.V3 {
				cost = paseto.PasswordCost{Passes: 1}
			}
			withPassword, err := key.WrapPassword([]byte(" pass word"), cost)
			check(t, err)
			withKey, err := key.Wrap(wrapping)
			check(t, err)
			end := time.Now().Add(time.Hour)
			raw := material(t, key)
			forms := map[string]config.Key{
				"PASERK":              {File: keyFile(t, "\n"+key.Export()+"\r\n")},
				"hex":                 {File: keyFile(t, hex.EncodeToString(raw)+"\n")},
				"raw":                 {File: keyFile(t, string(raw))},
				"password":            {File: keyFile(t, withPassword+"\n"), PasswordFile: keyFile(t, " pass word\n")},
				"password, CR LF":     {File: keyFile(t, withPassword+"\n"), PasswordFile: keyFile(t, " pass word\r\n")},
				"wrapped in code":     {Value: paseto.NewSecret(withPassword), PasswordFile: keyFile(t, " pass word")},
				"wrapping key":        {File: keyFile(t, withKey+"\n"), WrappingKeyFile: keyFile(t, wrapping.Export())},
				"wrapping key in hex": {File: keyFile(t, withKey+"\n"), WrappingKeyFile: keyFile(t, hex.EncodeToString(material(t, wrapping)))},
				"wrapping key, raw":   {File: keyFile(t, withKey+"\n"), WrappingKeyFile: keyFile(t, string(material(t, wrapping)))},
				"retired":             {File: keyFile(t, key.Export()), NotAfter: end},
			}
			if purpose == paseto.Public {
				pem, err := key.ExportPEM()
				check(t, err)
				forms["PEM"] = config.Key{File: keyFile(t, pem)}
			}
			for name, form := range forms {
				kit := open(t, with(func(c *config.Config) {
					c.Token.Version, c.Token.Purpose = version, purpose
					c.Token.Keys = []config.Key{form}
					c.Token.VerifyOnly = !form.NotAfter.IsZero()
				}))
				if got := kit.Authorizer.Keys()[0]; !got.Equal(key) || !got.NotAfter().Equal(form.NotAfter) {
					t.Errorf("%s.%s, %s: it is read as %s", version, purpose, name, got)
				}
			}
		}
	}
}

// material returns the bytes of a key.
func material(t *testing.T, key paseto.Key) []byte {
	t.Helper()
	text := key.Export()
	raw, err := base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:])
	check(t, err)
	return raw
}

// TestKeyEnvironment reads passwords and wrapping keys from variables, spaces
// and line breaks included.
func TestKeyEnvironment(t *testing.T) {
	key, wrapping := paseto.NewLocalKey(), paseto.NewLocalKey()
	withPassword, err := key.WrapPassword([]byte("pass\n"), paseto.PasswordCost{Memory: 8 << 10, Passes: 1})
	check(t, err)
	withKey, err := key.Wrap(wrapping)
	check(t, err)
	t.Setenv("TEST_PASSWORD", "pass\n")
	t.Setenv("TEST_WITH_PASSWORD", withPassword)
	t.Setenv("TEST_WRAPPING_KEY", wrapping.Export())
	t.Setenv("TEST_WITH_KEY", withKey)
	for _, k := range []config.Key{
		{Env: "TEST_WITH_PASSWORD", PasswordEnv: "TEST_PASSWORD"},
		{Env: "TEST_WITH_KEY", WrappingKeyEnv: "TEST_WRAPPING_KEY"},
	} {
		kit := open(t, with(func(c *config.Config) { c.Token.Keys = []config.Key{k} }))
		if got := kit.Authorizer.Keys()[0]; !got.Equal(key) {
			t.Errorf("%s is read as %s", k, got.ID())
		}
	}
}

func TestKeyRefused(t *testing.T) {
	t.Parallel()
	key, wrapping := paseto.NewLocalKey(), paseto.NewLocalKey()
	withPassword, err := key.WrapPassword([]byte("pass"), paseto.PasswordCost{Memory: 8 << 10, Passes: 1})
	check(t, err)
	withKey, err := key.Wrap(wrapping)
	check(t, err)
	plain, pw, pie, password := keyFile(t, key.Export()), keyFile(t, withPassword), keyFile(t, withKey), keyFile(t, "pass")
	for _, test := range []struct {
		name string
		key  config.Key
		want string
	}{
		{"password and wrapping key", config.Key{File: pw, PasswordFile: password, WrappingKeyFile: plain}, "expected at most one of password_file, password_env"},
		{"two passwords", config.Key{File: pw, PasswordFile: password, PasswordEnv: "X"}, "expected at most one of password_file, password_env"},
		{"no password", config.Key{File: pw}, "file " + pw + ": the key is wrapped with a password; say where that is with password_file"},
		{"no wrapping key", config.Key{Value: paseto.NewSecret(withKey)}, "the key is wrapped with another; say where that is with wrapping_key_file"},
		{"wrong password", config.Key{File: pw, PasswordFile: keyFile(t, "other")}, "file " + pw + ": invalid key: "},
		{"costly password", config.Key{Value: paseto.NewSecret("k3.local-pw." + strings.Repeat("_", 176)), PasswordFile: password}, "invalid key: its password costs more than is allowed, or nothing: 4294967295 iterations of PBKDF2; at most 1000000 are allowed"},
		{"empty password", config.Key{File: pw, PasswordFile: keyFile(t, "\n")}, "the password is empty"},
		{"password in UTF-16", config.Key{File: pw, PasswordFile: keyFile(t, "\xff\xfep\x00w\x00")}, "the password is text in UTF-16"},
		{"password with a mark", config.Key{File: pw, PasswordFile: keyFile(t, "\ufeffpass\r\n")}, "the password begins with a byte order mark"},
		{"password with a space", config.Key{File: pw, PasswordFile: keyFile(t, "pass \n")}, "the password begins or ends with white space, which is part of it"},
		{"no password file", config.Key{File: pw, PasswordFile: "/nonexistent/pw"}, "the password file cannot be read: open /nonexistent/pw"},
		{"no password variable", config.Key{File: pw, PasswordEnv: "NO_SUCH_PASSWORD"}, "environment variable NO_SUCH_PASSWORD is not set"},
		{"password for a plain key", config.Key{File: plain, PasswordFile: password}, "expected a wrapped key such as k4.local-pw"},
		{"wrapping key for a plain key", config.Key{File: plain, WrappingKeyFile: plain}, "expected a wrapped key such as k4.local-wrap"},
		{"wrong wrapping key", config.Key{File: pie, WrappingKeyFile: plain}, "file " + pie + ": invalid key: "},
		{"no wrapping key file", config.Key{File: pie, WrappingKeyFile: "/nonexistent/key"}, "the wrapping key file cannot be read: open /nonexistent/key"},
		{"broken wrapping key", config.Key{File: pie, WrappingKeyFile: password}, "wrapping key: invalid key: expected a PASERK"},
		{"large password file", config.Key{File: pw, PasswordFile: keyFile(t, strings.Repeat("x", 1<<20))}, "is no password file: it has more than 65536 bytes"},
		{"key as a path", config.Key{File: key.Export()}, "expected where the key is, and not a key itself"},
		{"key as a variable", config.Key{Env: localKey}, "expected where the key is, and not a key itself"},
		{"key as a password's path", config.Key{File: pw, PasswordFile: wrapping.Export()}, "expected where the password is, and not a key itself"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := with(func(c *config.Config) { c.Token.Keys = []config.Key{test.key} })
			_, err := config.Open(t.Context(), cfg)
			if !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), "token.keys[0]: ") || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, want %q", err, test.want)
			}
			for _, secret := range []string{key.Export(), wrapping.Export(), localKey, withKey, withPassword} {
				if strings.Contains(err.Error()+test.key.String(), secret[20:40]) {
					t.Errorf("a key is shown: %v, %s", err, test.key)
				}
			}
		})
	}
}

// TestExposed checks which key files are warned of.
func TestExposed(t *testing.T) {
	t.Parallel()
	key, pair := paseto.NewLocalKey(), paseto.NewSecretKey()
	half, err := pair.PublicKey()
	check(t, err)
	withPassword, err := key.WrapPassword([]byte("pass"), paseto.PasswordCost{Memory: 8 << 10, Passes: 1})
	check(t, err)
	for _, test := range []struct {
		name, text, password string
		keyMode              os.FileMode
		passwordMode         os.FileMode
		want                 int
	}{
		{"its owner's alone", key.Export(), "", 0o600, 0, 0},
		{"read-only", key.Export(), "", 0o400, 0, 0},
		{"the group's", key.Export(), "", 0o640, 0, 1},
		{"everybody's", key.Export(), "", 0o644, 0, 1},
		{"a key pair", pair.Export(), "", 0o644, 0, 1},
		{"a public half", half.Export(), "", 0o644, 0, 0},
		{"a wrapped key", withPassword, "pass", 0o644, 0o600, 0},
		{"the password of a wrapped key", withPassword, "pass", 0o600, 0o604, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			k := config.Key{File: keyFile(t, test.text)}
			check(t, os.Chmod(k.File, test.keyMode))
			warned := k.File
			if test.password != "" {
				k.PasswordFile = keyFile(t, test.password)
				check(t, os.Chmod(k.PasswordFile, test.passwordMode))
				warned = k.PasswordFile
			}
			var log bytes.Buffer
			open(t, with(func(c *config.Config) {
				c.Token.Keys = append(c.Token.Keys, k)
			}), config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			if n := strings.Count(log.String(), `level=WARN msg="key file can be read by others" path=`+warned); n != test.want {
				t.Errorf("%d warnings, want %d: %s", n, test.want, log.String())
			}
		})
	}
}

func TestKeyString(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		key  config.Key
		want string
	}{
		{config.Key{Value: paseto.NewSecret(localKey)}, "(redacted)"},
		{config.Key{}, "{}"},
		{config.Key{File: "/run/key"}, "{file: /run/key}"},
		{config.Key{Env: "KEY", PasswordEnv: "PASSWORD"}, "{env: KEY, password_env: PASSWORD}"},
		{config.Key{Value: paseto.NewSecret("k4.local-pw.x"), PasswordFile: "/run/pw"}, "{value: (redacted), password_file: /run/pw}"},
		{config.Key{File: "/k", WrappingKeyFile: "/w", NotAfter: time.Date(2030, 1, 31, 12, 0, 0, 0, time.UTC)},
			"{file: /k, wrapping_key_file: /w, not_after: 2030-01-31T12:00:00Z}"},
		{config.Key{File: localKey}, "{file: (redacted)}"},
		{config.Key{File: "/volumes/" + localKey + "/key"}, "{file: /volumes/" + localKey + "/key}"},
	} {
		if got := test.key.String(); got != test.want {
			t.Errorf("it prints as %s, want %s", got, test.want)
		}
	}
}

// noKeys is a source that does not answer.
type noKeys struct{}

func (noKeys) Keys(context.Context, paseto.Version, paseto.Purpose, string) ([]paseto.Key, error) {
	return nil, errors.New("no answer")
}

// TestKeySource opens a kit that has no key of its own.
func TestKeySource(t *testing.T) {
	t.Parallel()
	cfg := new(config.Config)
	source := config.WithKeySource(noKeys{})
	if _, err := config.Open(t.Context(), cfg, source); err == nil || !strings.Contains(err.Error(), "none of them can issue v4.local tokens") {
		t.Errorf("a kit that should issue: %v", err)
	}
	cfg.Token.VerifyOnly = true
	kit := open(t, cfg, source)
	token, err := open(t, with(func(*config.Config) {})).Authorizer.IssueAccess(paseto.Grant{})
	check(t, err)
	if _, err := kit.Authorizer.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrKeysUnavailable) {
		t.Errorf("the source is not asked: %v", err)
	}
}

// TestKeyFileMustBeRegular: a pipe gives out its content once, and would leave
// whoever reads it again waiting.
func TestKeyFileMustBeRegular(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"folder": t.TempDir(), "device": os.DevNull} {
		cfg := new(config.Config)
		cfg.Token.Keys = []config.Key{{File: path}}
		_, err := config.Open(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s: Open = %v", name, err)
		}
	}
}
