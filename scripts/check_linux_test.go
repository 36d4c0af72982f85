// Package scripts_test runs the scripts on a machine that has nothing yet.
package scripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// bare is what a bare machine has: Go, git, and an apt-get that can install the rest. Each program that is not the
// system's own writes what it is asked to the file $CALLS.
var bare = map[string]string{
	"go":  `echo "go $*" >> "$CALLS"`,
	"git": `echo "git $*" >> "$CALLS"`,
	"apt-get": `echo "apt-get $*" >> "$CALLS"
		for name in "$@"; do case $name in
			make) printf '#!/bin/sh\necho "make $*" >> "$CALLS"\n' > "$TOOLS/make"; chmod +x "$TOOLS/make" ;;
		esac; done`,
	"sudo": `test "$1" = -n; shift; exec "$@"`,
}

// TestCheckOnBareMachine runs the commands of the README and of CI where make itself is missing: all that is missing
// is installed, and then each step has what it needs fetched and is run.
func TestCheckOnBareMachine(t *testing.T) {
	t.Parallel()
	bash := testtool.Need(t, "bash")
	const (
		update  = "apt-get -q update\n"
		install = "apt-get -q install -y --no-install-recommends make gcc libc6-dev curl chromium nodejs npm redis-server\n"
	)
	for _, test := range []struct {
		name, command, want string
	}{
		{"README", "scripts/check test", "make --no-print-directory fetch-test run-test\n"},
		{"lint", "scripts/check lint", "make --no-print-directory fetch-lint run-lint\n"},
		{"everything", "scripts/check", "make --no-print-directory fetch-lint fetch-test run-lint run-test\n"},
		{"CI", ".ci/run", "make --no-print-directory fetch-lint fetch-test run-lint run-test\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tools := t.TempDir()
			for _, name := range []string{"bash", "sh", "dirname", "env", "chmod", "sleep", "true"} {
				if err := os.Symlink(testtool.Need(t, name), filepath.Join(tools, name)); err != nil {
					t.Fatal(err)
				}
			}
			for name, script := range bare {
				if err := os.WriteFile(filepath.Join(tools, name), []byte("#!"+bash+"\nset -e\n"+script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			calls := filepath.Join(tools, "calls")
			cmd := testtool.Command(t, bash, append([]string{"--noprofile", "--norc"}, strings.Fields(test.command)...)...)
			cmd.Dir = ".." // of the tree
			cmd.Env = []string{"PATH=" + tools, "TOOLS=" + tools, "CALLS=" + calls}
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("it ends with %v:\n%s", err, output)
			}
			called, err := os.ReadFile(calls)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(called), "go version\n"+update+install+test.want; got != want {
				t.Errorf("it called\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestLintWithSpaces lints a module in a directory with a space in its name, by a linter that only notes where it runs.
func TestLintWithSpaces(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a tree")
	linter := testtool.Command(t, testtool.Need(t, "make"), "--no-print-directory", "run-lint", "PLATFORMS=", "GENERATORS=", "GOLANGCI_VERSION=v0")
	linter.Dir = dir
	for name, text := range map[string]string{
		"Makefile": string(makefile), "go.mod": "module example.com/a\n", "bin/golangci-lint-v0": "#!/bin/sh\npwd > linted\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := linter.CombinedOutput(); err != nil {
		t.Fatalf("make run-lint: %v\n%s", err, output)
	}
	if where, err := os.ReadFile(filepath.Join(dir, "linted")); err != nil || string(where) != dir+"\n" {
		t.Errorf("it linted in %q, %v", where, err)
	}
}

// TestMakeCallsCheck holds the targets that people know to the script.
func TestMakeCallsCheck(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"lint", "test"} {
		cmd := exec.CommandContext(t.Context(), testtool.Need(t, "make"), "--dry-run", "--no-print-directory", target)
		cmd.Dir, cmd.Env = "..", []string{"PATH=" + os.Getenv("PATH")}
		output, err := cmd.CombinedOutput()
		if want := "scripts/check " + target + "\n"; err != nil || string(output) != want {
			t.Errorf("make %s would do %q, %v; want %q", target, output, err, want)
		}
	}
}
