package testtool

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testlog"
)

// Command returns a program that ends by itself, ready to start. It is killed with the test, or after [Patience].
func Command(t testing.TB, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, program, args...) //nolint:gosec // The arguments are the test's own.
}

// Serve starts a program that serves until it is interrupted, and says "listening on" with its URL when it is ready. It
// returns the URL, and what stops the program with a signal, once: os.Interrupt at the end of the test, if nothing did
// before. The test fails if the program does not end well. What it said to standard error is then shown.
func Serve(t testing.TB, program string, env []string, args ...string) (url string, stop func(os.Signal)) {
	t.Helper()
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // The test's own; stop ends it.
	cmd.Env = env
	stderr := new(testlog.Buffer)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killLate := func() *time.Timer {
		return time.AfterFunc(Patience, func() { _ = cmd.Process.Kill() })
	}
	var once sync.Once
	stop = func(signal os.Signal) {
		once.Do(func() {
			_ = cmd.Process.Signal(signal)
			limit := killLate()
			defer limit.Stop()
			if err := cmd.Wait(); err != nil {
				t.Errorf("%s ends with %v", program, err)
			}
		})
	}
	t.Cleanup(func() {
		stop(os.Interrupt)
		if t.Failed() {
			said := []byte(stderr.String())
			t.Logf("%s said at last:\n%s", program, bytes.ToValidUTF8(said[max(0, len(said)-10_000):], nil))
		}
	})

	limit := killLate()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	limit.Stop()
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%s says %q, %v; want where it listens", program, line, err)
	}
	return url, stop
}
