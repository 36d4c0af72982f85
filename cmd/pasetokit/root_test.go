package main

import (
	"bytes"
	"errors"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// commands calls f with the path of every command of ours, the root's excepted.
func commands(f func(path string, cmd *cobra.Command)) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			f(strings.TrimPrefix(sub.CommandPath(), "pasetokit "), sub)
			if sub.Name() != "completion" { // whose commands are not ours
				walk(sub)
			}
		}
	}
	walk((&app{}).root())
}

func TestHelp(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	commands(func(path string, cmd *cobra.Command) {
		for _, line := range []string{path + " --help", "help " + path} {
			text := d.run(line).ok()
			for _, want := range []string{cmd.Long, "Examples:\n", cmd.Example} {
				if want == "" || !strings.Contains(text, strings.TrimSpace(want)) {
					t.Errorf("%s: no %q in\n%s", line, want, text)
				}
			}
		}
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			if !strings.Contains(line, "pasetokit "+path) {
				t.Errorf("%s: the example is of another command: %s", path, line)
			}
		}
	})
	for _, line := range []string{"", "key", "config", "completion"} {
		d.run(line).ok()
	}
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	for _, test := range []struct{ line, want string }{
		{"keyen", `unknown command "keyen"; did you mean key or keygen?`},
		{"other", `unknown command "other"; see pasetokit --help`},
		{zeroKey, `a key or a token is no command; see pasetokit --help`},
		{"config show", `unknown command "show"; see pasetokit config --help`},
		{"completion other", `unknown command "other"; see pasetokit completion --help`},
		{"--jsn", "unknown flag: --jsn"},
		{"version 1", "pasetokit version takes at most 0 arguments, not 1; see its --help"},
		{"inspect --json=maybe x", "--json takes no value"},
	} {
		r := d.run(test.line)
		r.want(2, "", "pasetokit: "+test.want+"\n")
	}
	d.run("keyen --json").want(2, `{"error":{"code":"usage","message":"unknown command \"keyen\"; did you mean key or keygen?"}}`+"\n", "")
	d.run("--jsn --json").want(2, `{"error":{"code":"usage","message":"unknown flag: --jsn"}}`+"\n", "")
}

func TestVersion(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.run("version").want(0, "pasetokit … go1.…\n", "")
	d.run("version --json").want(0, `{"version":"…","go":"go…","platform":"…/…"}`+"\n", "")
	if got := versionOf(nil).text(); !strings.HasPrefix(got, "pasetokit (unknown) go") {
		t.Errorf("without build information: %s", got)
	}
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"}}}
	info.Main.Version = "v1.2.3"
	if got := versionOf(info).text(); !strings.HasPrefix(got, "pasetokit v1.2.3 commit abc (modified) go") {
		t.Errorf("with build information: %s", got)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if script := d.run("completion " + shell).ok(); !strings.Contains(script, "pasetokit") {
			t.Errorf("%s: %s", shell, script)
		}
	}
	for line, want := range map[string][]string{
		"k":                       {"key", "keygen"},
		"key ":                    {"id", "public", "convert"},
		"keygen --purpose ":       {"local", "public"},
		"keygen --format ":        {"paserk", "pem", "hex"},
		"key convert --to ":       {"paserk", "pem", "hex", "wrapped"},
		"key id --version ":       {"v4", "v3", "v2"},
		"issue --type ":           {"access", "refresh"},
		"verify --config ":        {"yaml", "toml", "json"},
		"config check ":           {"yaml", "toml", "json"},
		"config print auth.yaml ": {"yaml", "toml", "json"},
	} {
		words := strings.Split(line, " ")
		out := d.run("__complete", words...).ok()
		for _, w := range want {
			if !strings.Contains("\n"+out, "\n"+w) {
				t.Errorf("%q does not complete to %s:\n%s", line, w, out)
			}
		}
	}
}

// TestCompletionScript has bash read the script that it is given.
func TestCompletionScript(t *testing.T) {
	t.Parallel()
	bash := testtool.Need(t, "bash")
	cmd := exec.Command(bash, "-n")
	cmd.Stdin = strings.NewReader(newDir(t).run("completion bash").ok())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// full is an output that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestFullOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"keygen"}, {"version"}} {
		var stderr bytes.Buffer
		status := run(args, strings.NewReader(""), full{}, &stderr)
		if status != 1 || !strings.HasSuffix(stderr.String(), "pasetokit: no space left on device\n") {
			t.Errorf("%v: exit status %d: %s", args, status, stderr.String())
		}
	}
	if status := run([]string{"version", "--json"}, strings.NewReader(""), full{}, &bytes.Buffer{}); status != 1 {
		t.Errorf("exit status %d", status)
	}
}
