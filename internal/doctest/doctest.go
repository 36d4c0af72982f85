// Package doctest runs what the documents of this tree show. [Run] takes a document and
//
//   - compiles its Go code, in a module of its own that has this tree as its dependency, and runs the tests in it;
//   - writes the blocks that name a file in their first line, as "# auth.yaml" or "// main.go" do, and runs the commands
//     of its sh and console blocks, in one shell and in their order. In a console block they follow "$ ", and what they
//     print is compared, where "…" stands for anything in a line;
//   - loads its YAML as configuration.
//
// No network is needed. Some things stand for others in documents: 127.0.0.1:8080 for a free address, which programs
// find in $ADDRESS, https://login.example.com/keys for the path /keys there, redis.example.com:6379 for a Redis that is
// started for the test, and 2030-01-31T12:00:00Z for a month from now.
package doctest

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Document says how a document is run.
type Document struct {
	// Path is that of the document, from the root of the tree.
	Path string
	// With is a directory of Go files that are compiled with the document's code: what that leaves out, and tests of it.
	// If they are package main, the whole is built as the program server for the document's commands.
	With string
	// Not are commands of the document that are not run.
	Not []string
}

// Run runs a document.
func Run(t *testing.T, d Document) {
	t.Helper()
	text := Text(t, d.Path)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(redistest.FreePort(t)))
	replace := []string{
		"https://login.example.com/keys", "http://" + address + "/keys",
		"127.0.0.1:8080", address,
		"2030-01-31T12:00:00Z", time.Now().UTC().AddDate(0, 0, 31).Format(time.RFC3339),
	}
	if redis := "redis.example.com:6379"; strings.Contains(text, redis) {
		replace = append(replace, redis, redistest.Start(t).Addr())
	}
	blocks := parse(t, d.Path, strings.NewReplacer(replace...).Replace(text))
	for _, block := range blocks {
		if block.Language == "yaml" {
			load(t, block)
		}
	}
	var programs string
	if goes := slices.ContainsFunc(blocks, Block.isCode); goes || d.With != "" {
		programs = runGo(t, d, blocks, address)
	}
	if slices.ContainsFunc(blocks, func(b Block) bool { return len(b.commands()) > 0 }) {
		runConsole(t, d, blocks, programs, address)
	}
}

// Shows reports whether a document shows something that Run would run.
func Shows(t *testing.T, path string) bool {
	t.Helper()
	return slices.ContainsFunc(parse(t, path, Text(t, path)), func(b Block) bool {
		return b.Language == "go" || b.Language == "yaml" || len(b.commands()) > 0
	})
}

// load checks that a block is a configuration. The keys that it names need not be there.
func load(t *testing.T, b Block) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "block.yaml")
	if err := os.WriteFile(file, []byte(b.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(file)
	if problems, ok := errors.AsType[*config.Error](err); ok {
		for _, p := range problems.Problems {
			if !strings.Contains(p.Rule, "no such file") && !strings.Contains(p.Rule, "is not set") {
				t.Errorf("%s:%d: %s", b.Document, b.Line, p)
			}
		}
	} else if err != nil {
		t.Errorf("%s:%d: %v", b.Document, b.Line, err)
	}
}

// Block is a block of code in a document.
type Block struct {
	Document, Language string
	Line               int // of the document, at which Text begins
	Text               string
	File               string // that Text's first line names, or empty
}

// isCode reports whether a block is Go code that is a piece of a program.
func (b Block) isCode() bool { return b.Language == "go" && b.File == "" }

// Blocks returns the blocks of a document in a language.
func Blocks(t *testing.T, document, language string) []Block {
	t.Helper()
	blocks := slices.DeleteFunc(parse(t, document, Text(t, document)), func(b Block) bool { return b.Language != language })
	if len(blocks) == 0 {
		t.Fatalf("%s has no block of %s", document, language)
	}
	return blocks
}

// CheckFiles checks that a document shows code of each file beside the test: a block whose first line names the file is a
// part of it, indented as it may be.
func CheckFiles(t *testing.T, document string, files ...string) {
	t.Helper()
	shown := make(map[string]string)
	for _, block := range Blocks(t, document, "go") {
		if block.File != "" {
			shown[block.File] = strings.TrimPrefix(block.Text, "// "+block.File+"\n")
		}
	}
	for _, name := range files {
		text, err := os.ReadFile(name) //nolint:gosec // The test's own.
		if err != nil {
			t.Fatal(err)
		}
		flat := func(code string) string { return strings.ReplaceAll(code, "\t", "") }
		if shown[name] == "" || !strings.Contains(flat(string(text)), flat(shown[name])) {
			t.Errorf("%s does not show the code of %s", document, name)
		}
	}
}

// Code returns the code of all of a document's blocks in a language.
func Code(t *testing.T, document, language string) string {
	t.Helper()
	var code strings.Builder
	for _, block := range Blocks(t, document, language) {
		code.WriteString(block.Text + "\n")
	}
	return code.String()
}

var namedFile = regexp.MustCompile(`^(?:#|//) ([\w-]+\.\w+)\n`)

// parse returns the blocks of a document's text.
func parse(t *testing.T, document, text string) []Block {
	t.Helper()
	var blocks []Block
	open := false
	for i, line := range strings.SplitAfter(text, "\n") {
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && !open:
			blocks = append(blocks, Block{Document: document, Language: language, Line: i + 2})
			open = true
		case fence:
			open = false
		case open:
			blocks[len(blocks)-1].Text += line
		}
	}
	if open {
		t.Fatalf("%s: a block is not closed", document)
	}
	for i := range blocks {
		if named := namedFile.FindStringSubmatch(blocks[i].Text); named != nil {
			blocks[i].File = named[1]
		}
	}
	return blocks
}

// Text returns the text of a file of the tree.
func Text(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testtool.Root(t), path)) //nolint:gosec // A file of the tree.
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
