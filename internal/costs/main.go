// Command costs writes into docs/dependencies.md what a program pays for what it imports of this module. With -check it
// writes nothing, and fails if the table is stale.
//
// It measures the programs in the directory minimal, each as a module of its own that has this tree as its dependency.
// With -download it has Go fetch what that needs; then no network is needed.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// document has the table.
const document = "docs/dependencies.md"

// programs are those that are measured.
var programs = []program{
	{about: "`paseto`", dir: "tokens"},
	{about: "`paseto` and `httpauth`", dir: "web"},
	{about: "`paseto`, `httpauth` and `wsauth`", dir: "sockets"},
	{about: "`paseto` and `denylist/bolt`", dir: "bolt"},
	{about: "`paseto` and `denylist/redis`", dir: "redis"},
	{about: "`config`", dir: "config"},
	{about: "`config`, `config/bolt` and `config/redis`", dir: "stores"},
	{about: "the command `pasetokit`", tool: module + "/cmd/pasetokit"},
}

func main() {
	check := flag.Bool("check", false, "write nothing, and fail if the table is stale")
	download := flag.Bool("download", false, "only fetch what measuring needs")
	flag.Parse()
	if err := run(*check, *download); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(check, download bool) error {
	gomod, err := goTool("", "env", "GOMOD")
	if err != nil {
		return err
	}
	root := filepath.Dir(strings.TrimSpace(gomod))
	file := filepath.Join(root, document)
	old, err := os.ReadFile(file) //nolint:gosec // A document of the tree.
	if err != nil {
		return err
	}
	costs, err := measure(root, programs, download)
	if err != nil || download {
		return err
	}
	text, err := replaceTable(old, costs)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", document, err)
	case bytes.Equal(old, text):
		return nil
	case check:
		return errors.New(document + " is stale; `go run ./internal/costs` writes its table anew")
	}
	return os.WriteFile(file, text, 0o644) //nolint:gosec // Everybody may read it.
}
