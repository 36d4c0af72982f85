package doctest_test

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

var (
	fenced    = regexp.MustCompile("(?ms)^ *```.*?\n *```")
	code      = regexp.MustCompile("`[^`\n]*`")
	link      = regexp.MustCompile(`\]\(([^()\s]+)\)|(?m)^\[[^\]]+\]: (\S+)$`)
	heading   = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	linkText  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	lineRange = regexp.MustCompile(`^L(\d+)(?:-L(\d+))?$`)
	// document finds the names of documents in comments and messages of Go files.
	document = regexp.MustCompile(`\b(?:docs|examples/\w+)/\w+\.md(?:#[\w-]+)?|\b[A-Z]+\.md\b`)
)

// broken returns what is wrong with the links of a file: Markdown links to files and headings of the tree, and in Go
// files the documents that they name.
func broken(root, file, text string) []string {
	var found []string
	check := func(base, target string) {
		if err := resolve(root, base, target); err != nil {
			found = append(found, fmt.Sprintf("%s links to %s: %v", file, target, err))
		}
	}
	if filepath.Ext(file) == ".go" {
		for _, target := range document.FindAllString(text, -1) {
			check("README.md", target)
		}
		return found
	}
	text = code.ReplaceAllString(fenced.ReplaceAllString(text, ""), "code")
	for _, match := range link.FindAllStringSubmatch(text, -1) {
		check(file, match[1]+match[2])
	}
	return found
}

// resolve reports why a link in a file leads nowhere. Those to elsewhere are not followed.
func resolve(root, file, target string) error {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" {
		return err
	}
	path := file
	if u.Path != "" {
		path = filepath.Join(filepath.Dir(file), u.Path)
	}
	info, err := os.Stat(filepath.Join(root, path))
	if err != nil || u.Fragment == "" {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("a directory has no #%s", u.Fragment)
	}
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return err
	}
	if filepath.Ext(path) != ".md" {
		lines := lineRange.FindStringSubmatch(u.Fragment)
		if lines == nil {
			return fmt.Errorf("expected #L and a line")
		}
		for _, line := range lines[1:] {
			if n, _ := strconv.Atoi(line); n > strings.Count(string(text), "\n") {
				return fmt.Errorf("it has no line %s", line)
			}
		}
		return nil
	}
	if !anchors(string(text))[u.Fragment] {
		return fmt.Errorf("there is no heading #%s", u.Fragment)
	}
	return nil
}

// anchors returns the anchors that GitHub gives the headings of a document: letters in lower case, digits, hyphens for
// spaces, and a number for a heading that was there before.
func anchors(text string) map[string]bool {
	all := make(map[string]bool)
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		title := linkText.ReplaceAllString(strings.TrimSpace(match[1]), "$1")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, title)
		unique := anchor
		for n := 1; all[unique]; n++ {
			unique = fmt.Sprintf("%s-%d", anchor, n)
		}
		all[unique] = true
	}
	return all
}

// TestLinks follows the links of all documents within the tree.
func TestLinks(t *testing.T) {
	t.Parallel()
	root := testtool.Root(t)
	documents := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git" || entry.Name() == "bin"):
			return filepath.SkipDir
		case entry.IsDir(), filepath.Ext(path) != ".md" && filepath.Ext(path) != ".go":
			return nil
		}
		file, err := filepath.Rel(root, path)
		if err != nil || file == filepath.Join("internal", "doctest", "links_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if filepath.Ext(path) == ".md" {
			documents++
		}
		for _, fault := range broken(root, file, string(text)) {
			t.Error(fault)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if documents < 5 {
		t.Errorf("found %d documents", documents)
	}
}

// TestLines bounds the lines of documents, but for those of tables and code.
func TestLines(t *testing.T) {
	t.Parallel()
	const most = 140
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(testtool.Root(t), pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(fenced.ReplaceAllString(string(text), ""), "\n") {
				if n := utf8.RuneCountInString(line); n > most && !strings.HasPrefix(line, "|") {
					t.Errorf("%s has a line of %d characters, want at most %d: %s", filepath.Base(path), n, most, line)
				}
			}
		}
	}
}

// TestBrokenLinks shows links that TestLinks would find, and others that are right.
func TestBrokenLinks(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"docs/a.md": "# `Keys`, and *more*\n## Twice\n## Twice\n### [Linked](b.md) x_y-z: Ä?\n```\n# no heading\n```\n",
		"main.go":   "package main\n\nfunc main() {}\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		file, text string
		want       int
	}{
		{"docs/a.md", "[x](a.md) [x](../main.go) [x](#twice) [x](#twice-1) [x](a.md#keys-and-more) [x](#linked-x_y-z-ä)", 0},
		{"docs/a.md", "[x](https://example.com/nothing) [x](mailto:a@example.com)", 0},
		{"docs/a.md", "`[x](nothing.md)`\n```\n[x](nothing.md)\n```\n", 0},
		{"docs/a.md", "[x](../main.go#L3) [x](../main.go#L1-L3) [x](../docs)", 0},
		{"README.md", "[x](a.md) [x](docs/a.md#no-heading) [x](docs/a.md#twice-2) [x](docs/a.md#Keys)", 4},
		{"docs/a.md", "[x](main.go) [x](../main.go#L4) [x](../main.go#L1-L9) [x](../main.go#main) [x](../docs#a)", 5},
		{"docs/a.md", "[x][y]\n\n[y]: nothing.md\n[z]: a.md\n", 1},
		{"main.go", "// See docs/a.md, docs/a.md#twice and SECURITY.md, docs/b.md.", 2},
	} {
		if got := broken(root, test.file, test.text); len(got) != test.want {
			t.Errorf("in %s, %q: %d links are broken, want %d: %q", test.file, test.text, len(got), test.want, got)
		}
	}
}
