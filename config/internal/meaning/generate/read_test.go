package main

import (
	"os"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config/internal/meaning/generate/testdata/faulty"
	"github.com/pasetokit/pasetokit/config/internal/meaning/generate/testdata/sample"
)

func testSource(t *testing.T) *source {
	t.Helper()
	root, err := openModule()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return newSource(root)
}

func TestMeaning(t *testing.T) {
	t.Parallel()
	all, err := read(testSource(t), sample.Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"plain":           "The plainest setting.",
		"verb":            "Lists what `plain` does not, where `first` has `none`; see `first.per_name`.",
		"mode":            "How: fast, or `slow`. Default fast: it is what most want.",
		"names":           "`a_b`, `/x` and `https://example.com/*`, as in `http.Handler` or `paseto.Config.Validate`; `access` is a constant, and `sample.Mode` a type.",
		"block":           "Has a text of its own: `{\"type\": \"auth\"}`. And something after it. And this.",
		"first.per_name":  "How many there may be. Default 0: none at all.",
		"first.total":     "Bounds all, as `first.per_name` bounds each; `none` for no bound.",
		"second.per_name": "How many there may be. Default 0: none at all.",
		"second.total":    "Bounds all, as `second.per_name` bounds each; `none` for no bound.",
	}
	for _, m := range all {
		if m.text != want[m.Key] {
			t.Errorf("%s:\ngot  %s\nwant %s", m.Key, m.text, want[m.Key])
		}
		delete(want, m.Key)
	}
	for key := range want {
		t.Errorf("%s: no meaning", key)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := read(testSource(t), faulty.Config{})
	if err == nil {
		t.Fatal("no fault was found")
	}
	const file = "config/internal/meaning/generate/testdata/faulty/faulty.go:"
	want := []string{
		"6:2: None: it has no doc comment",
		"8:2: Name: its doc comment does not begin with its name",
		"10:2: Default: it says “Default 10.”; its tag says 5",
		"12:2: Unnamed: it does not say which default it has; its tag says 5",
		"16:2: Absent: it says “Default 3.”; its tag says none",
		"18:2: Short: it says “Default a.”; its tag says a, b",
		"20:2: Plain: it names MaxCount without a link; write [faulty.Config.MaxCount], so that users read max_count",
		"22:2: MaxCount: it links to [Config.Missing], which package faulty does not have",
		"24:2: Constant: faulty.Strange: 30:17: the value of this constant is not understood",
		"26:2: Empty: its doc comment has its name alone",
	}
	if got, all := strings.ReplaceAll(err.Error(), file, ""), strings.Join(want, "\n"); got != all {
		t.Errorf("got\n%s\nwant\n%s", got, all)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, step := range []struct {
		name, content string
		check, stale  bool
	}{
		{"a check of a missing file", "new", true, true},
		{"a new file", "new", false, false},
		{"a check of the same text", "new", true, false},
		{"a check of a stale file", "newer", true, true},
	} {
		err := update(root, "file", []byte(step.content), step.check)
		if stale := err != nil && strings.Contains(err.Error(), "file is stale"); stale != step.stale || err != nil && !stale {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	if text, err := root.ReadFile("file"); err != nil || string(text) != "new" {
		t.Errorf("after the checks the file has %q, %v", text, err)
	}
}
