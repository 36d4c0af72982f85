package redis_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/config/redis"
	store "github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/secrettest"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

// at returns the settings of a server.
func at(address string, change func(*redis.Settings)) *redis.Settings {
	s := &redis.Settings{Config: store.Config{Addresses: []string{address}}}
	change(s)
	return s
}

// added returns what check adds, each as a line.
func added(check func(driver.Add)) string {
	var all []string
	check(func(path string, value any, rule string) {
		if value != nil {
			path += fmt.Sprintf(" = %q", value)
		}
		all = append(all, path+": "+rule)
	})
	return strings.Join(all, "\n")
}

func TestRegistered(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, f := range settings.Fields(driver.New("redis")) {
		keys = append(keys, f.Key)
	}
	want := strings.Fields(`addresses database sentinel_master prefix cache_ttl min_replicas timeout allow_eviction
		username password password_file sentinel_username sentinel_password sentinel_password_file
		tls.enabled tls.ca_file tls.cert_file tls.key_file tls.server_name`)
	if !slices.Equal(keys, want) {
		t.Errorf("the settings are %v, want %v", keys, want)
	}
	if s := driver.New("mongo"); s != nil {
		t.Errorf("a store that nobody has registered is %v", s)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*redis.Settings)
		want   string
	}{
		{"nothing but an address", func(*redis.Settings) {}, ""},
		{"no address", func(s *redis.Settings) { s.Addresses = nil }, "Addresses: it is empty; list at least one host:port"},
		{"password twice", func(s *redis.Settings) { s.Password, s.PasswordFile = paseto.NewSecret("hush"), "y" },
			`PasswordFile = "y": the password itself is set as well; keep one of them`},
		{"sentinel password twice", func(s *redis.Settings) {
			s.SentinelMaster, s.SentinelPassword, s.SentinelPasswordFile = "m", paseto.NewSecret("hush"), "y"
		}, `SentinelPasswordFile = "y": the password itself is set as well; keep one of them`},
		{"both passwords, from different places", func(s *redis.Settings) {
			s.SentinelMaster, s.Password, s.SentinelPasswordFile = "m", paseto.NewSecret("hush"), "y"
		}, ""},
		{"sentinel password without sentinels", func(s *redis.Settings) { s.SentinelPassword = paseto.NewSecret("hush") },
			"SentinelPassword: it is not used without {SentinelMaster}; name the primary that the Sentinels watch"},
		{"certificate without a key", func(s *redis.Settings) { s.TLS.CertFile = "c" },
			`TLS.CertFile = "c": goes together with {TLS.KeyFile}; set both or neither`},
		{"key without a certificate", func(s *redis.Settings) { s.TLS.KeyFile = "k" },
			`TLS.CertFile = "": goes together with {TLS.KeyFile}; set both or neither`},
		{"files that are not there", func(s *redis.Settings) {
			s.PasswordFile, s.TLS.Enabled, s.TLS.CAFile = "/nonexistent/password", true, "/nonexistent/ca"
		}, ""},
		{"rules of single fields, which are judged by their tags", func(s *redis.Settings) { s.Timeout, s.TLS.ServerName = -1, "a:1" }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := added(at("a:1", test.change).Check); got != test.want {
				t.Errorf("it is checked with %q, want %q", got, test.want)
			}
		})
	}
}

// TestValidate: the error has the rules of single fields as well, and no secret.
func TestValidate(t *testing.T) {
	t.Parallel()
	s := at("redis://:hush@a:1", func(s *redis.Settings) { s.Timeout, s.TLS.ServerName, s.SentinelUsername = -1, "a:1", "x" })
	err := s.Validate()
	if !errors.Is(err, paseto.ErrConfig) {
		t.Fatalf("Validate = %v", err)
	}
	for _, want := range []string{"Addresses[0]: expected host:port", "Timeout = ", `TLS.ServerName = "a:1": expected a host name`, "SentinelUsername: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v, want it to say %s", err, want)
		}
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("the error shows a password: %v", err)
	}
	secrettest.Hides(t, *at("visible:1", func(s *redis.Settings) {
		s.Password, s.SentinelPassword = paseto.NewSecret("horse battery"), paseto.NewSecret("correct staple")
	}), "horse battery", "correct staple")
}

// file makes a file and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFiles: CheckFiles says what is wrong with a file, and Open refuses it.
func TestFiles(t *testing.T) {
	t.Parallel()
	text, none, dir := file(t, "no certificate"), filepath.Join(t.TempDir(), "none"), t.TempDir()
	large, empty, line := file(t, strings.Repeat("x", 1<<20)), file(t, ""), file(t, "\n")
	for _, test := range []struct {
		name   string
		change func(*redis.Settings)
		want   string
	}{
		{"no password file", func(s *redis.Settings) { s.PasswordFile = none },
			"PasswordFile: the password file cannot be read: open " + none + ": no such file or directory"},
		{"a relative path", func(s *redis.Settings) { s.PasswordFile = "none" },
			"PasswordFile: the password file cannot be read: open none: no such file or directory; a relative path counts from the working directory: /"},
		{"a directory for a password", func(s *redis.Settings) { s.PasswordFile = dir },
			"PasswordFile: the password file cannot be read: " + dir + " is not a regular file"},
		{"a key for a path", func(s *redis.Settings) { s.PasswordFile = "k4.local.AAAA" },
			"PasswordFile: expected where the password is, and not a key itself"},
		{"a large password file", func(s *redis.Settings) { s.PasswordFile = large },
			"PasswordFile: " + large + " is no password file: it has more than 65536 bytes"},
		{"an empty password file", func(s *redis.Settings) { s.PasswordFile = empty }, "PasswordFile: the password is empty"},
		{"a password file of one empty line", func(s *redis.Settings) { s.SentinelMaster, s.SentinelPasswordFile = "m", line },
			"SentinelPasswordFile: the password is empty"},
		{"no CA file", func(s *redis.Settings) { s.TLS.CAFile = none }, `TLS.CAFile = "` + none + `": open ` + none},
		{"a CA file without certificates", func(s *redis.Settings) { s.TLS.CAFile = text },
			`TLS.CAFile = "` + text + `": it holds no certificate in PEM`},
		{"no certificate file", func(s *redis.Settings) { s.TLS.CertFile, s.TLS.KeyFile = none, text }, `TLS.CertFile = "` + none + `": open ` + none},
		{"a certificate file without certificates", func(s *redis.Settings) { s.TLS.CertFile, s.TLS.KeyFile = text, text },
			`TLS.CertFile = "` + text + `": tls: failed to find any PEM data`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := at("localhost:1", test.change)
			s.TLS.Enabled = true
			if got := added(s.CheckFiles); !strings.HasPrefix(got, test.want) {
				t.Errorf("it is checked with %q, want %q", got, test.want)
			}
			if opened, err := s.Open(t.Context(), env(t)); opened != nil || !errors.Is(err, paseto.ErrConfig) {
				t.Errorf("Open = %v, %v", opened, err)
			}
		})
	}
}

func TestPrivate(t *testing.T) {
	t.Parallel()
	s := at("a:1", func(s *redis.Settings) {
		s.PasswordFile, s.SentinelPasswordFile = "p", "sp"
		s.TLS = redis.TLS{CAFile: "ca", CertFile: "cert", KeyFile: "key"}
	})
	want := []driver.File{{Path: "p", Kind: "password"}, {Path: "sp", Kind: "password"}, {Path: "key", Kind: "key"}}
	if got := s.Private(); !slices.Equal(got, want) {
		t.Errorf("Private = %v, want %v", got, want)
	}
	if got := new(redis.Settings).Private(); len(got) > 0 {
		t.Errorf("Private of no settings = %v", got)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		password string
		noted    bool
	}{
		{"hush", false}, {"hush\n", false}, {"hush\r\n", false}, {"", false},
		{" hush\n", true}, {"hush \n", true}, {"hush\n\n", true},
	} {
		var paths []string
		at("a:1", func(s *redis.Settings) {
			s.PasswordFile, s.SentinelPasswordFile = file(t, test.password), file(t, test.password)
		}).Notes(func(path, text string) { paths = append(paths, path) })
		if all := slices.Equal(paths, []string{"PasswordFile", "SentinelPasswordFile"}); all != test.noted || !all && len(paths) > 0 {
			t.Errorf("of the password %q, %v are noted", test.password, paths)
		}
	}
}
