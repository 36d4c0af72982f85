// Package testtool finds the programs that some tests need. A test whose program is missing is skipped, so that
// `go test ./...` works anywhere; with NO_SKIP set in the environment, as `scripts/check test` sets it, it fails instead,
// so that nothing goes untested unnoticed.
package testtool

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Need returns the path of the first of the alternative programs that is in PATH. If none is, the test ends as [Missing]
// says.
func Need(t testing.TB, programs ...string) string {
	t.Helper()

	for _, program := range programs {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
	}
	Missing(t, strings.Join(programs, " or "))
	return ""
}

// Missing ends the test because something that it needs is not installed: it is skipped, or fails if NO_SKIP is set.
func Missing(t testing.TB, what string) {
	t.Helper()

	const format = "%s is missing; `scripts/check test` installs it"
	if os.Getenv("NO_SKIP") != "" {
		t.Fatalf(format, what)
	}
	t.Skipf(format, what)
}
