package nodeclient

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Command returns the client, ready to start, with the arguments that connect.mjs documents: the URL to connect to, then
// options. It is killed when the test ends. Where Node.js or its ws package is missing the test is skipped, or fails if
// NO_SKIP is set.
func Command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return command(t, []string{"ws"}, "connect.mjs", args...)
}

// Need returns Node.js, and the directory whose programs can import npm packages. Where Node.js or one of the packages is
// missing the test is skipped, or fails if NO_SKIP is set.
func Need(t testing.TB, packages ...string) (node, dir string) {
	t.Helper()

	node = testtool.Need(t, "node", "nodejs")
	_, source, _, _ := runtime.Caller(0)
	dir = filepath.Dir(source)
	for _, name := range packages {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", name)); err != nil {
			testtool.Missing(t, "the npm package "+name+" in internal/nodeclient")
		}
	}
	return node, dir
}

// command returns a script of this directory that needs npm packages, ready to start.
func command(t testing.TB, packages []string, script string, args ...string) *exec.Cmd {
	t.Helper()
	node, dir := Need(t, packages...)
	args = append([]string{filepath.Join(dir, script)}, args...)
	return exec.CommandContext(t.Context(), node, args...) //nolint:gosec // The arguments are the test's own.
}
