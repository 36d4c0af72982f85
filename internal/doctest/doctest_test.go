package doctest_test

import (
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDocuments runs what the documents show. Add a new document here.
func TestDocuments(t *testing.T) {
	t.Parallel()
	documents := []doctest.Document{
		{Path: "README.md", Not: []string{
			"go run ./examples/chat", // its own tests do
			"scripts/check test",     // this is part of it
			"make bench-idle",        // takes a machine of its own
		}},
		{Path: "docs/configuration.md"},
		{Path: "docs/connections.md", With: "testdata/connections"},
		{Path: "docs/http.md", With: "testdata/http"},
		{Path: "docs/keys.md", With: "testdata/keys", Not: []string{
			"go install github.com/pasetokit/pasetokit/cmd/pasetokit@latest",
		}},
		{Path: "docs/revocation.md", With: "testdata/revocation"},
		{Path: "docs/rights.md"},
		{Path: "docs/streams.md", With: "testdata/streams"},
		{Path: "docs/testing.md"},
		{Path: "internal/doctest/testdata/sample/README.md", Not: []string{"exit 3 # is not run"}},
	}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(testtool.Root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			path, _ = filepath.Rel(testtool.Root(t), path)
			listed := slices.ContainsFunc(documents, func(d doctest.Document) bool { return d.Path == path })
			if !listed && doctest.Shows(t, path) {
				t.Errorf("nobody runs what %s shows", path)
			}
		}
	}
	for _, document := range documents {
		t.Run(document.Path, func(t *testing.T) {
			t.Parallel()
			doctest.Run(t, document)
		})
	}
}
