package config_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
)

// logBuffer is a log that tests read while it is written.
type logBuffer = testlog.Buffer

// watched is a kit whose files are watched.
type watched struct {
	*config.Kit
	dir string
	log *logBuffer
}

// watchDir writes files into a folder, opens the first one as configuration and
// watches it until the test ends. FOLDER in a file stands for the folder.
func watchDir(t *testing.T, files ...string) *watched {
	t.Helper()
	w := &watched{dir: t.TempDir(), log: &logBuffer{}}
	for i := 0; i < len(files); i += 2 {
		w.write(t, files[i], files[i+1])
	}
	cfg, err := config.Load(w.path(files[0]))
	if err != nil {
		t.Fatal(err)
	}
	w.Kit = open(t, cfg, config.WithLogger(w.logger()))
	w.watch(t, w.path(files[0]))
	return w
}

func (w *watched) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// watch runs Watch until the test ends.
func (w *watched) watch(t *testing.T, files ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- config.Watch(ctx, w.Kit, files...) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch = %v", err)
		}
	})
}

func (w *watched) path(name string) string { return filepath.Join(w.dir, name) }

// write writes a file in place.
func (w *watched) write(t *testing.T, name, content string) {
	t.Helper()
	content = strings.ReplaceAll(content, "FOLDER", w.dir)
	if err := os.WriteFile(w.path(name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rename puts a new file in the place of an old one, as editors do.
func (w *watched) rename(t *testing.T, name, content string) {
	t.Helper()
	w.write(t, name+".new", content)
	check(t, os.Rename(w.path(name+".new"), w.path(name)))
}

// want waits for keys to be in force, the issuing one first.
func (w *watched) want(t *testing.T, keys ...paseto.Key) {
	t.Helper()
	same := func(a, b paseto.Key) bool { return a.Equal(b) && a.NotAfter().Equal(b.NotAfter()) }
	testtool.Eventually(t, "the new keys are in force", func() bool {
		return slices.EqualFunc(w.Authorizer.Keys(), keys, same)
	})
}

// wantLog waits for a line in the log that has all these parts, and checks that
// there are so many of them.
func (w *watched) wantLog(t *testing.T, n int, parts ...string) {
	t.Helper()
	lines := func() int {
		n := 0
		for line := range strings.Lines(w.log.String()) {
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
				n++
			}
		}
		return n
	}
	testtool.Eventually(t, "logged: "+strings.Join(parts, ", "), func() bool { return lines() >= n })
	if got := lines(); got != n {
		t.Errorf("%d lines of the log have %q, want %d:\n%s", got, parts, n, w.log)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const keyFileConfig = "token: {keys: [{file: FOLDER/key}]}"

const refused = "level=ERROR"

// TestWatchSection watches a section of an application's own file.
func TestWatchSection(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := &watched{dir: t.TempDir(), log: &logBuffer{}}
	w.write(t, "app.yaml", "port: 80\nauth: {token: {keys: ["+first.Export()+"]}}")
	section := w.path("app.yaml") + "#auth"
	cfg, err := config.Load(section)
	check(t, err)
	w.Kit = open(t, cfg, config.WithLogger(w.logger()))
	w.watch(t, section)
	w.write(t, "app.yaml", "port: 81\nauth: {token: {leeway: 1s, keys: ["+second.Export()+"]}}")
	w.want(t, second)
	w.wantLog(t, 1, "needs a restart", "settings=[token.leeway]")
	w.write(t, "app.yaml", "port: 81")
	w.wantLog(t, 1, refused, "it has no section auth")
	w.want(t, second)
}

func TestWatchConfiguration(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", "token: {keys: ["+first.Export()+"]}")
	token, err := w.Authorizer.IssueAccess(paseto.Grant{Subject: "alice"})
	check(t, err)

	end := time.Now().Add(time.Hour).Truncate(time.Second)
	w.write(t, "old", first.Export())
	w.write(t, "auth.yaml", "token: {keys: ["+second.Export()+", {file: FOLDER/old, not_after: "+end.Format(time.RFC3339)+"}]}")
	w.want(t, second, first.Retire(end))
	w.wantLog(t, 1, "level=INFO", "keys changed", second.KeyID(), first.KeyID())
	if _, err := w.Authorizer.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{}); err != nil {
		t.Errorf("a token of the retired key: %v", err)
	}

	// A time that has changed is a change.
	w.write(t, "auth.yaml", "token: {keys: ["+second.Export()+", {file: FOLDER/old, not_after: "+end.Add(time.Hour).Format(time.RFC3339)+"}]}")
	w.want(t, second, first.Retire(end.Add(time.Hour)))

	w.rename(t, "auth.yaml", "token: {keys: ["+second.Export()+"]}")
	w.want(t, second)
	if _, err := w.Authorizer.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, paseto.ErrDecrypt) {
		t.Errorf("a token of a key that is gone: %v", err)
	}
	for _, key := range []paseto.Key{first, second} {
		if strings.Contains(w.log.String(), key.Export()) {
			t.Error("the log shows a key")
		}
	}
}

func TestWatchKeyFile(t *testing.T) {
	t.Parallel()
	keys := []paseto.Key{paseto.NewLocalKey(), paseto.NewLocalKey(), paseto.NewLocalKey(), paseto.NewLocalKey()}
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", keys[0].Export())
	w.write(t, "key", keys[1].Export())
	w.want(t, keys[1])
	w.rename(t, "key", keys[2].Export())
	w.want(t, keys[2])

	// The configuration names another file, which comes later.
	w.write(t, "auth.yaml", "token: {keys: [{file: FOLDER/later/key}]}")
	w.wantLog(t, 1, refused, "later/key", "no such file")
	check(t, os.Mkdir(w.path("later"), 0o700))
	w.write(t, "later/key", keys[3].Export())
	w.want(t, keys[3])

	// The folder is replaced with its content.
	check(t, os.Rename(w.path("later"), w.path("gone")))
	w.wantLog(t, 2, refused, "later/key", "no such file")
	check(t, os.Mkdir(w.path("later"), 0o700))
	w.write(t, "later/key", keys[0].Export())
	w.want(t, keys[0])
}

// TestWatchSymlinks changes keys as Kubernetes changes a mounted secret: the
// files are links through the link ..data, which is replaced.
func TestWatchSymlinks(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	dir := t.TempDir()
	link := func(version string, key paseto.Key) {
		t.Helper()
		check(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		check(t, os.WriteFile(filepath.Join(dir, version, "key"), []byte(key.Export()), 0o600))
		check(t, os.Symlink(version, filepath.Join(dir, "..data.new")))
		check(t, os.Rename(filepath.Join(dir, "..data.new"), filepath.Join(dir, "..data")))
	}
	link("..1", first)
	check(t, os.Symlink(filepath.Join("..data", "key"), filepath.Join(dir, "key")))
	w := watchDir(t, "auth.yaml", "token: {keys: [{file: "+filepath.Join(dir, "key")+"}]}")
	w.want(t, first)
	link("..2", second)
	w.want(t, second)

	// A link further up, about whose folder nobody tells.
	far := watchDir(t, "auth.yaml", "token: {keys: [{file: "+filepath.Join(dir, "..data", "key")+"}]}")
	link("..3", first)
	far.want(t, first)
}

// TestWatchBroken writes what is no good, and then what is.
func TestWatchBroken(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	public, err := paseto.NewSecretKey().PublicKey()
	check(t, err)
	for _, test := range []struct{ name, file, content, want string }{
		{"half a key", "key", second.Export()[:29], "a v4 local key has 32 bytes"},
		{"empty key file", "key", "", "it is empty"},
		{"half a configuration", "auth.yaml", "token: {keys: [{file: FOL", "yaml"},
		{"empty configuration", "auth.yaml", "", "token.keys: is empty"},
		{"another mistake", "auth.yaml", keyFileConfig + "\nhttp: {locations: [body]}", "http.locations[0]"},
		{"keys that cannot issue", "key", public.Export(), "token.keys (FOLDER/auth.yaml:1): none of them can issue v4.local tokens"},
		{"another purpose with its key", "auth.yaml", "token: {purpose: public, keys: [" + paseto.NewSecretKey().Export() + "]}",
			"none of them can issue v4.local tokens, as the running program does; another token.version or token.purpose needs a restart"},
		{"a weak key", "auth.yaml", "token: {keys: [{file: FOLDER/key}, k4.public." + strings.Repeat("A", 43) + "]}", "small order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
			w.write(t, test.file, test.content)
			w.wantLog(t, 1, refused, strings.ReplaceAll(test.want, "FOLDER", w.dir))
			w.want(t, first)
			if strings.Contains(w.log.String(), second.Export()[12:28]) {
				t.Errorf("the log shows a key:\n%s", w.log)
			}
			w.write(t, "auth.yaml", keyFileConfig)
			w.write(t, "key", second.Export())
			w.want(t, second)
		})
	}
}

// TestWatchHalfWritten writes a key in two parts, and later the rest.
func TestWatchHalfWritten(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
	f, err := os.Create(w.path("key"))
	check(t, err)
	defer f.Close()
	text := second.Export()
	_, err = f.WriteString(text[:29])
	check(t, err)
	w.wantLog(t, 1, refused, "a v4 local key has 32 bytes")
	w.want(t, first)
	_, err = f.WriteString(text[29:])
	check(t, err)
	w.want(t, second)
}

// TestWatchOtherValues checks that only keys are taken.
func TestWatchOtherValues(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
	changed := "token: {issuer: me, purpose: public, verify_only: true, keys: [{file: FOLDER/key}]}"
	w.write(t, "auth.yaml", changed)
	w.wantLog(t, 1, "level=WARN", "changed configuration needs a restart", "token.verify_only token.purpose token.issuer")
	w.write(t, "key", second.Export())
	w.want(t, second)
	w.write(t, "auth.yaml", changed+"\n")
	w.write(t, "key", first.Export())
	w.want(t, first)
	w.wantLog(t, 1, "changed configuration needs a restart")
	if !w.Authorizer.CanIssue() {
		t.Error("the kit has become one that only verifies")
	}
	w.wantLog(t, 2, "keys changed")
}

// TestWatchUnchanged checks that keys which have only moved are not swapped.
func TestWatchUnchanged(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
	w.write(t, "auth.yaml", "token: {keys: ["+first.Export()+"], leeway: 1s}")
	w.wantLog(t, 1, "needs a restart")
	w.write(t, "auth.yaml", "token: {keys: ["+second.Export()+"]}")
	w.want(t, second)
	w.wantLog(t, 1, "keys changed")
}

// TestWatchWrapped changes a password and the key that is wrapped with it.
func TestWatchWrapped(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	cheap := paseto.PasswordCost{Memory: 8 << 10, Passes: 1}
	wrap := func(k paseto.Key, password string) string {
		text, err := k.WrapPassword([]byte(password), cheap)
		check(t, err)
		return text
	}
	w := watchDir(t, "auth.yaml", "token: {keys: [{file: FOLDER/key, password_file: FOLDER/password}]}",
		"key", wrap(first, "a"), "password", "a\n")
	w.write(t, "key", wrap(second, "b"))
	w.wantLog(t, 1, refused, "token.keys[0]")
	w.want(t, first)
	w.write(t, "password", "b\n")
	w.want(t, second)
}

// TestWatchWithoutFiles watches the key files of a configuration made in code.
func TestWatchWithoutFiles(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := &watched{dir: t.TempDir(), log: &logBuffer{}}
	w.write(t, "key", first.Export())
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{File: w.path("key")}}
	w.Kit = open(t, cfg, config.WithLogger(w.logger()))
	cfg.Token.Keys[0].File = "elsewhere"
	w.watch(t)
	w.write(t, "key", second.Export())
	w.want(t, second)
}

// TestWatchVerifyOnly lets a kit that only verifies have keys that do so.
func TestWatchVerifyOnly(t *testing.T) {
	t.Parallel()
	first, err := paseto.NewSecretKey().PublicKey()
	check(t, err)
	second, err := paseto.NewSecretKey().PublicKey()
	check(t, err)
	w := watchDir(t, "auth.yaml", "token: {verify_only: true, purpose: public, keys: [{file: FOLDER/key}]}", "key", first.Export())
	w.write(t, "key", second.Export())
	w.want(t, second)
}

// TestWatchExposed checks that a new key file is warned of as one at Open is.
func TestWatchExposed(t *testing.T) {
	t.Parallel()
	first, second := paseto.NewLocalKey(), paseto.NewLocalKey()
	w := watchDir(t, "auth.yaml", keyFileConfig, "key", first.Export())
	w.write(t, "open", second.Export())
	check(t, os.Chmod(w.path("open"), 0o644))
	w.write(t, "auth.yaml", "token: {keys: [{file: FOLDER/open}]}")
	w.want(t, second)
	w.wantLog(t, 1, "level=WARN", "key file can be read by others", w.path("open"))
}

func TestWatchEndedContext(t *testing.T) {
	t.Parallel()
	kit := open(t, with(func(*config.Config) {}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := config.Watch(ctx, kit); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v", err)
	}
}
