package main

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config"
)

func TestConfigInit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, line, file, key, use string }{
		{"local", "config init DIR/auth.yaml", "auth.yaml", "auth.key", "k4.lid.… issues and opens v4.local tokens\n"},
		{"public", "config init --purpose public DIR/login.yml", "login.yml", "login.key", "k4.pid.… issues and opens v4.public tokens\n"},
		{"a name that YAML and the shell need in quotes", "config init", "it's #1.yaml", "it's #1.key", "k4.lid.… issues and opens v4.local tokens\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDir(t)
			var args []string
			if !strings.Contains(test.line, "DIR/") {
				args = []string{"DIR/" + test.file}
			}
			const next = "next:\n  keep the key out of the repository: …gitignore\n…config check …\n…config.Load(…\n"
			d.run(test.line, args...).want(0, "wrote DIR/"+test.file+"\nwrote DIR/"+test.key+", which you alone can read\n", next)
			d.wantMode(test.key, secretMode)
			if text := d.read(test.key); !strings.HasPrefix(text, "k4.") || !strings.HasSuffix(text, "\n") {
				t.Error("the key is not written as keygen writes it")
			}
			d.run("config check", "DIR/"+test.file).want(0, "the configuration is valid\n"+test.use, "")
		})
	}
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		d := newDir(t)
		d.run("config init --json --purpose public DIR/auth.yaml").want(0, `{"file":"DIR/auth.yaml","key":{`+
			`"kid":"k4.pid.…","version":"v4","purpose":"public","file":"DIR/auth.key","public":"k4.public.…"}}`+"\n", "")
	})
}

// TestConfigInitHere is not parallel: it changes the working directory.
func TestConfigInitHere(t *testing.T) {
	d := newDir(t)
	t.Chdir(d.path)
	d.run("config init").want(0, "wrote auth.yaml\nwrote auth.key, which you alone can read\n", "next:\n…\n…\n…\n")
	if !strings.Contains(d.read("auth.yaml"), "- file: auth.key\n") {
		t.Error("the key is not named as it is from here")
	}
	d.run("config check auth.yaml").ok()
}

func TestConfigInitRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, exists, line string
		status             int
		stderr             string
	}{
		{"the configuration exists", "auth.yaml", "config init DIR/auth.yaml", 1, "pasetokit: DIR/auth.yaml exists and is never overwritten: …\n"},
		{"the key exists", "auth.key", "config init DIR/auth.yaml", 1, "pasetokit: DIR/auth.key exists and is never overwritten: …\n"},
		{"no directory", "", "config init DIR/none/auth.yaml", 1, "pasetokit: open DIR/none/auth.key: no such file or directory\n"},
		{"another format", "", "config init DIR/auth.toml", 2, "pasetokit: the configuration is written in YAML: its name must end in .yaml or .yml\n"},
		{"no name but an extension", "", "config init DIR/.yaml", 2, "pasetokit: the configuration is written in YAML: …\n"},
		{"a key", "", "config init " + zeroKey, 2, "pasetokit: expected the name of the new configuration, and not a key\n"},
		{"an unknown purpose", "", "config init --purpose both DIR/auth.yaml", 2, "pasetokit: --purpose must be one of local, public\n"},
		{"two files", "", "config init DIR/auth.yaml DIR/b.yaml", 2, "pasetokit: pasetokit config init takes at most 1 arguments, not 2; …\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDir(t)
			before := 4 // of newDir
			if test.exists != "" {
				d.write(test.exists, "mine")
				before++
			}
			d.run(test.line).want(test.status, "", test.stderr)
			if test.exists != "" && d.read(test.exists) != "mine" {
				t.Errorf("%s was overwritten", test.exists)
			}
			if files, err := os.ReadDir(d.path); err != nil || len(files) != before {
				t.Errorf("something is left: %v, %v", files, err)
			}
		})
	}
}

// TestWriteNew takes a first file away again if the second cannot be written.
func TestWriteNew(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	err := writeNew(newFile{d.file("first"), "text", secretMode}, newFile{d.file("none/second"), "text", publicMode})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	d.wantMissing("first")
}

// isActive reports whether a new configuration sets something.
func isActive(s config.Setting) bool { return s.Key == "token.purpose" || s.Key == "token.keys" }

// TestConfigInitSettings takes the # away from each setting of a new configuration in
// turn: it is read, and is the default.
func TestConfigInitSettings(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.run("config init DIR/auth.yaml").ok()
	text := d.read("auth.yaml")
	hidden := regexp.MustCompile(`(?m)^( *)#([a-z])`).FindAllStringSubmatchIndex(text, -1)
	rest := slices.DeleteFunc(config.Reference(), isActive)
	for _, at := range hidden {
		d.write("shown.yaml", text[:at[3]]+text[at[4]:])
		all, err := config.Settings(d.file("shown.yaml"))
		if err != nil {
			t.Error(err)
			continue
		}
		for i, s := range all {
			if s.Source != d.file("shown.yaml") || isActive(s) {
				continue
			}
			if want := config.Reference()[i].Value; s.Value != want {
				t.Errorf("%s: %s is written as the default, which is %s", s.Key, s.Value, want)
			}
			rest = slices.DeleteFunc(rest, func(r config.Setting) bool { return r.Key == s.Key })
		}
	}
	for _, s := range rest {
		t.Errorf("%s is not in it, commented out", s.Key)
	}
	for line := range strings.Lines(text) {
		if len(line) > 101 {
			t.Errorf("a line is too long: %s", line)
		}
	}
}
