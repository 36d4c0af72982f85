package holders

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/doctest"
)

// examples are the files that a reader copies.
var examples = []string{"socket.go", "grpc.go"}

// TestDocument checks that docs/rights.md shows the code of this package.
func TestDocument(t *testing.T) {
	t.Parallel()
	doctest.CheckFiles(t, "docs/rights.md", examples...)
}

// TestExamplesAreShort counts the lines of code that a reader copies, beside the imports.
func TestExamplesAreShort(t *testing.T) {
	t.Parallel()
	const most = 39
	notCode := regexp.MustCompile(`^\s*(//.*)?$`)
	for _, name := range examples {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(text), "\n)\n") // after the imports
		lines := 0
		for line := range strings.Lines(code) {
			if !notCode.MatchString(strings.TrimSuffix(line, "\n")) {
				lines++
			}
		}
		if lines == 0 || lines > most {
			t.Errorf("%s has %d lines of code; want at most %d", name, lines, most)
		}
	}
}
