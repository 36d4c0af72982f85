package testsite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// chatDir is where the compiled chat lies.
var chatDir string

// buildChat compiles examples/chat once for all tests of a package.
var buildChat = sync.OnceValues(func() (program string, err error) {
	if chatDir, err = os.MkdirTemp("", "chat"); err != nil {
		return "", err
	}
	program = filepath.Join(chatDir, "chat")
	build := exec.Command("go", "build", "-o", program, "./examples/chat") //nolint:gosec // The tree's own.
	if build.Dir, err = testtool.FindRoot(); err != nil {
		return "", err
	}
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
})

// ChatProgram returns the compiled chat. TestMain removes it by [RemoveChat].
func ChatProgram(t *testing.T) string {
	t.Helper()
	testtool.Need(t, "go")
	program, err := buildChat()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// RemoveChat removes the compiled chat, if there is one.
func RemoveChat() { _ = os.RemoveAll(chatDir) }

// patientChat is the environment of a chat that gives a slow machine time.
var patientChat = []string{
	"PASETOKIT_TOKEN__ACCESS_TTL=24h",
	"PASETOKIT_WEBSOCKET__CLOSE_TIMEOUT=1m",
	"PASETOKIT_WEBSOCKET__MESSAGE_TIMEOUT=24h",
	"PASETOKIT_WEBSOCKET__PING_INTERVAL=24h",
}

// Chat runs the chat as a newcomer does, on a free port, with more variables in its environment. At the end of the test
// it stops it as Ctrl-C would.
func Chat(t *testing.T, env []string, args ...string) *Site {
	t.Helper()
	url, stop := testtool.Serve(t, ChatProgram(t), slices.Concat(os.Environ(), patientChat, env), append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	s := Remote(t, url)
	s.Signal = stop
	return s
}
