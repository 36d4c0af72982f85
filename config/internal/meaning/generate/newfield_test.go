package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

const newField = `
	// GreetTimeout is how long a greeting may take before the connection is cut; [paseto.NoLimit]
	// for any time. Default 3s. See [Config.ReadLimit] too.
	GreetTimeout time.Duration ` + "`" + `koanf:"greet_timeout" default:"3s" validate:"omitempty,none|min=1s,max=1m"` + "`\n"

// TestNewField adds a setting to a copy of the tree by its field alone, and finds it
// wherever users meet settings.
func TestNewField(t *testing.T) {
	t.Parallel()
	c := copyTree(t)
	c.replace("wsauth/config.go", "\ntype Config struct {\n", "\ntype Config struct {"+newField)

	c.ok("go", "build", "-o", c.file("generate"+exe), "./config/internal/meaning/generate")
	stale := c.fails(c.file("generate"+exe), "-check")
	for _, name := range []string{"config/internal/meaning/meaning.go", "docs/configuration.md"} {
		c.want(stale, name+" is stale; go generate ./config/... writes it anew")
	}
	c.ok(c.file("generate" + exe))
	c.ok(c.file("generate"+exe), "-check")
	c.want(c.read("docs/configuration.md"), "\n| `websocket.greet_timeout` | duration, 1s to 1m, or `none` | `3s` | `PASETOKIT_WEBSOCKET__GREET_TIMEOUT` | "+
		"How long a greeting may take before the connection is cut; `none` for any time. See `websocket.read_limit` too. |\n")

	pasetokit := c.file("pasetokit" + exe)
	c.ok("go", "build", "-o", pasetokit, "./cmd/pasetokit")
	c.wantFields(c.ok(pasetokit, "config", "print"), "websocket.greet_timeout 3s default")
	good, bad := c.file("good.yaml"), c.file("bad.yaml")
	c.write("good.yaml", "websocket:\n  greet_timeout: 7s\n")
	c.wantFields(c.ok(pasetokit, "config", "print", good), "websocket.greet_timeout 7s "+good)
	c.write("bad.yaml", "websocket:\n  greet_timeout: 2m\n")
	c.want(c.fails(pasetokit, "config", "print", bad), "websocket.greet_timeout = 2m ("+bad+":2): expected 1s to 1m, 0 for the default, or none")
	c.ok(pasetokit, "config", "init", c.file("new.yaml"))
	c.want(c.read("new.yaml"), "\nwebsocket:\n  # How long a greeting may take before the connection is cut; none for any time.\n  #greet_timeout: 3s\n")
	c.env = append(c.env, "PASETOKIT_WEBSOCKET__GREET_TIMEOUT=none")
	c.wantFields(c.ok(pasetokit, "config", "print", good), "websocket.greet_timeout none PASETOKIT_WEBSOCKET__GREET_TIMEOUT")
}

var exe = map[string]string{"windows": ".exe"}[runtime.GOOS]

// tree is a copy of what programs and documents of the module are made of.
type tree struct {
	t   *testing.T
	dir string
	env []string
}

func copyTree(t *testing.T) *tree {
	t.Helper()
	c := &tree{t, t.TempDir(), os.Environ()}
	root := testSource(t).root
	err := fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if base := entry.Name(); name != "." && strings.HasPrefix(base, ".") || base == "node_modules" || base == "bin" || base == "testdata" {
				return fs.SkipDir
			}
			return os.MkdirAll(c.file(name), 0o700)
		case strings.HasSuffix(name, "_test.go") || !slices.Contains([]string{".go", ".mod", ".sum", ".md", ".yaml"}, path.Ext(name)):
			return nil
		}
		text, err := root.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(c.file(name), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *tree) file(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

func (c *tree) read(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(c.file(name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c *tree) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.file(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *tree) replace(name, before, after string) {
	c.t.Helper()
	text := c.read(name)
	if strings.Count(text, before) != 1 {
		c.t.Fatalf("%s does not have %q once", name, before)
	}
	c.write(name, strings.Replace(text, before, after, 1))
}

// run runs a program in the tree, and returns what it said.
func (c *tree) run(program string, args ...string) (string, error) {
	c.t.Helper()
	cmd := testtool.Command(c.t, program, args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	said, err := cmd.CombinedOutput()
	return string(said), err
}

func (c *tree) ok(program string, args ...string) string {
	c.t.Helper()
	said, err := c.run(program, args...)
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", program, args, err, said)
	}
	return said
}

func (c *tree) fails(program string, args ...string) string {
	c.t.Helper()
	said, err := c.run(program, args...)
	if err == nil {
		c.t.Fatalf("%s %s does not fail:\n%s", program, args, said)
	}
	return said
}

func (c *tree) want(text, part string) {
	c.t.Helper()
	if !strings.Contains(text, part) {
		c.t.Errorf("got\n%s\nwant in it\n%s", text, part)
	}
}

// wantFields wants a line with these fields.
func (c *tree) wantFields(text, line string) {
	c.t.Helper()
	for got := range strings.Lines(text) {
		if strings.Join(strings.Fields(got), " ") == line {
			return
		}
	}
	c.t.Errorf("got\n%s\nwant in it\n%s", text, line)
}
