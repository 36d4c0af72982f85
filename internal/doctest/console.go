package doctest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// command is one line of shell, and what it must print.
type command struct {
	line         int
	text, output string
	silent       bool // whether the output is not shown
}

// commands returns the commands of a block: all lines of a sh block, which shows no output, or those of a console block
// that follow "$ ".
func (b Block) commands() []command {
	var all []command
	for i, line := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		text, found := strings.CutPrefix(line, "$ ")
		switch {
		case b.Language == "sh" || b.Language == "console" && found:
			all = append(all, command{line: b.Line + i, text: text, silent: b.Language == "sh"})
		case len(all) > 0:
			all[len(all)-1].output += line + "\n"
		}
	}
	return all
}

// runConsole does what a document does, block by block, in one shell in an empty directory.
func runConsole(t *testing.T, d Document, blocks []Block, programs, address string) {
	t.Helper()
	testtool.Need(t, "curl")
	if programs == "" {
		programs = t.TempDir()
	}
	for _, block := range blocks {
		if _, err := os.Stat(filepath.Join(npmPrograms(t), "wscat")); err != nil && strings.Contains(block.Text, "$ wscat ") {
			testtool.Missing(t, "the npm package wscat in internal/nodeclient")
		}
	}
	run(t, testtool.Root(t), address, "go", "build", "-o", filepath.Join(programs, "pasetokit"), "./cmd/pasetokit")
	shell := startShell(t, programs, address)
	left := slices.Clone(d.Not)
	failed := ""
	for _, block := range blocks {
		if block.File != "" {
			if err := os.WriteFile(filepath.Join(shell.dir, block.File), []byte(block.Text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range block.commands() {
			where := fmt.Sprintf("%s:%d: %s", d.Path, c.line, c.text)
			if i := slices.Index(left, c.text); i >= 0 {
				left = slices.Delete(left, i, i+1)
				continue
			}
			if failed != "" && c.text != "echo $?" {
				t.Fatal(failed)
			}
			failed = ""
			output, status := shell.do(c.text)
			if !c.silent && !pattern(c.output).MatchString(spaces(output)) {
				t.Errorf("%s\nprints\n%s\nwant\n%s", where, output, c.output)
			}
			if status != "0" {
				failed = fmt.Sprintf("%s\nends with status %s, which the document does not show:\n%s", where, status, output)
			}
		}
	}
	if failed != "" {
		t.Fatal(failed)
	}
	if len(left) > 0 {
		t.Errorf("%s has no such commands: %q", d.Path, left)
	}
}

// npmPrograms returns the directory of the programs that come with npm packages.
func npmPrograms(t *testing.T) string {
	t.Helper()
	return filepath.Join(testtool.Root(t), "internal", "nodeclient", "node_modules", ".bin")
}

// pattern matches an output as a document shows it.
func pattern(shown string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(spaces(shown)), "…", ".*") + "$")
}

// spaces makes one of several spaces, which tables are aligned with.
func spaces(text string) string {
	return regexp.MustCompile(` {2,}`).ReplaceAllString(text, " ")
}

// prelude comes before the commands. A module that a document makes gets its packages of ours from this tree, and what
// Go says while it fetches modules is not shown. As a reader would, curl waits for a server that is being started, and
// wscat has somebody at its terminal.
const prelude = `
set -m # each command in the background is ended with all that it started
trap 'for job in $(jobs -p); do builtin kill -- -$job; done; true' EXIT
kill() { # and waits, so that no word of it comes later
	builtin kill "$@" || return
	wait "${@: -1}" 2>/dev/null
	return 0
}
curl() { # and waits for the server that was started last, if it is still there
	local status=7
	while ((status == 7)); do
		status=0
		command curl "$@" || status=$?
		if ((status == 7)); then builtin kill -0 "$!" 2>/dev/null && sleep 1 || break; fi
	done
	return $status
}
mkfifo terminal && exec 3<>terminal && rm terminal
wscat() { command wscat "$@" <&3; }
go() {
	case "$1" in
	get | mod) said=$(command go "$@" 2>&1) || { printf '%%s\n' "$said"; return 1; } ;;
	*) command go "$@"; return ;;
	esac
	case "$1 $2" in
	'mod init') command go mod edit -replace '%s=%s' ;;
	esac
}
`

// shell is a bash at work.
type shell struct {
	t      *testing.T
	dir    string
	input  io.Writer
	output *os.File
}

// startShell starts a shell in an empty directory. It finds the programs there are in a directory.
func startShell(t *testing.T, programs, address string) *shell {
	t.Helper()
	// The test's own context ends before the shell is told to.
	ctx, cancel := context.WithTimeout(context.Background(), testtool.Patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, testtool.Need(t, "bash"), "--noprofile", "--norc") //nolint:gosec // The test's own.
	cmd.Dir = t.TempDir()
	path := strings.Join([]string{programs, npmPrograms(t), os.Getenv("PATH")}, string(os.PathListSeparator))
	cmd.Env = append(environment(t, address), "PATH="+path)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, both, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = both, both
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := both.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the shell: %v", err)
		}
		_ = output.Close()
	})
	if _, err := fmt.Fprintf(input, prelude, module, testtool.Root(t)); err != nil {
		t.Fatal(err)
	}
	return &shell{t: t, dir: cmd.Dir, input: input, output: output}
}

// do runs a command and returns its output and exit status. The next command sees that status too.
func (s *shell) do(command string) (output, status string) {
	s.t.Helper()
	const mark = "\x00status "
	// Only the command may not read the commands that follow.
	_, err := fmt.Fprintf(s.input, "(exit ${status:-0})\n{ %s\n} </dev/null; status=$?\nprintf '\\0status %%s\\n' $status\n", command)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []byte
	for !bytes.Contains(all, []byte(mark)) || !bytes.HasSuffix(all, []byte("\n")) {
		var b [4096]byte
		n, err := s.output.Read(b[:])
		if err != nil {
			s.t.Fatalf("%s: %v", command, err)
		}
		all = append(all, b[:n]...)
	}
	output, status, _ = strings.Cut(string(all), mark)
	if output != "" && !strings.HasSuffix(output, "\n") {
		output += "\n"
	}
	return output, strings.TrimSpace(status)
}
