package main_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIdleBench(t *testing.T) {
	t.Parallel()
	testtool.Need(t, "go")
	p := program(filepath.Join(t.TempDir(), "idlebench"))
	if out, err := exec.Command("go", "build", "-o", string(p), ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("measures", p.measures)
	t.Run("fails", p.fails)
	t.Run("ends", p.ends)
}

// program is the path of a compiled idlebench.
type program string

// measures: every server gets a row with all of its connections, and the last
// line compares.
func (p program) measures(t *testing.T) {
	t.Parallel()
	const connections = 300
	stdout, stderr, status := run(t, string(p), "-connections", strconv.Itoa(connections), "-rounds", "1")
	if status != 0 || stderr != "" {
		t.Fatalf("it ends with status %d: %s", status, stderr)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(stdout) {
		if fields := strings.Fields(line); len(fields) == 5 {
			rows[fields[0]] = fields[1:]
		}
	}
	for _, server := range []string{"plain", "lean", "guarded"} {
		row := rows[server]
		if len(row) != 4 {
			t.Errorf("there is no row of %s in\n%s", server, stdout)
			continue
		}
		for _, field := range row {
			if _, err := strconv.Atoi(field); err != nil {
				t.Errorf("%s: %v", server, err)
			}
		}
		if server != "guarded" && row[3] != strconv.Itoa(connections) { // each is read by a goroutine
			t.Errorf("%s has %s goroutines, want %d", server, row[3], connections)
		}
	}
	if !regexp.MustCompile(`\nguarded / plain = \d+\.\d{3} \(RSS per connection\)\n$`).MatchString(stdout) {
		t.Errorf("the last line does not compare:\n%s", stdout)
	}
}

// fails: what went wrong is told in one line, with status 1.
func (p program) fails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		command []string
		want    string
	}{
		{"over the limit", []string{string(p), "-connections", "300", "-max", "0.0001"}, "times a plain one, more than 0.0001"},
		{"too few open files", []string{"sh", "-c", `ulimit -n 120; exec "$0" -connections 50`, string(p)}, "the limit is 120"},
		{"no connections", []string{string(p), "-connections", "0"}, "-connections must be 1 or more"},
		{"no rounds", []string{string(p), "-rounds", "0"}, "-rounds must be 1 or more"},
		{"a limit that is none", []string{string(p), "-max", "NaN"}, "-max must be 0 or more"},
		{"an argument", []string{string(p), "5000"}, `unexpected argument "5000"`},
		{"a profile that cannot be written", []string{string(p), "-connections", "50", "-profiles", "/nonexistent"}, "plain: the server says: cannot measure: open /nonexistent/plain.heap"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, stderr, status := run(t, testtool.Need(t, test.command[0]), test.command[1:]...)
			if status != 1 {
				t.Errorf("it ends with status %d, want 1", status)
			}
			if !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("it says %q, want %q", stderr, test.want)
			}
		})
	}
}

// ends: its processes end with it, even if it is killed.
func (p program) ends(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			profiles := t.TempDir()
			cmd := testtool.Command(t, string(p), "-connections", "100", "-rounds", "1000", "-profiles", profiles) // for long enough
			var stderr bytes.Buffer
			cmd.Stderr = &stderr // which its processes share, so that Wait waits for all of them
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			testtool.Eventually(t, "connections have been opened", func() bool {
				_, err := os.Stat(filepath.Join(profiles, "plain.heap"))
				return err == nil
			})
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			if err := testtool.Await(t, ended, "its processes end with it"); err == nil {
				t.Error("it ends with status 0")
			}
		})
	}
}

// run runs a program to its end.
func run(t *testing.T, name string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := testtool.Command(t, name, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
