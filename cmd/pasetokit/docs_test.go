package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

const keysDocument = "../../docs/keys.md"

// serve is the server of docs/keys.md.
func serve(ctx context.Context, addr string, log *slog.Logger) error {
	cfg, err := config.Load("auth.yaml")
	if err != nil {
		return err
	}
	kit, err := config.Open(ctx, cfg, config.WithLogger(log))
	if err != nil {
		return err
	}
	defer kit.Close()
	go func() { _ = config.Watch(ctx, kit, "auth.yaml") }() // until ctx ends

	mux := http.NewServeMux()
	mux.Handle("GET /keys", kit.HTTP.Keys())
	mux.Handle("GET /me", kit.HTTP.Require(paseto.Requirement{}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintln(w, paseto.FromContext(r.Context()).Subject)
	}))
	return http.ListenAndServe(addr, mux)
}

// verifier is the other service of docs/keys.md.
func verifier(ctx context.Context) (*config.Kit, error) {
	keys, err := httpauth.NewRemoteKeys("https://login.example.com/keys")
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load("verifier.yaml") // with token.require_issuer, so that no other's tokens are taken
	if err != nil {
		return nil, err
	}
	return config.Open(ctx, cfg, config.WithKeySource(keys))
}

// serverAddress is the environment variable that tells the document's server
// where to listen in a test.
const serverAddress = "TEST_SERVER_ADDRESS"

// serverMain is what the test binary does as the program server.
func serverMain() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	err := serve(context.Background(), os.Getenv(serverAddress), log)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// step is one thing that the document does: run a command or write a file.
type step struct {
	line    int
	command string // one line of shell
	output  string // what it must print
	file    string
	content string
}

// parseDocument returns the steps of a document: the commands of its console
// blocks, which follow "$ ", with their outputs, and its yaml blocks, which name
// their file in a comment.
func parseDocument(text string) []step {
	var steps []step
	block := ""
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && block == "":
			block = fence + " "
			if fence == "yaml" {
				steps = append(steps, step{line: i + 1})
			}
		case isFence:
			block = ""
		case block == "yaml ":
			s := &steps[len(steps)-1]
			s.content += line + "\n"
			if name, found := strings.CutPrefix(line, "# "); found && s.file == "" {
				s.file = name
			}
		case block == "console ":
			if command, found := strings.CutPrefix(line, "$ "); found {
				steps = append(steps, step{line: i + 1, command: command})
				continue
			}
			steps[len(steps)-1].output += line + "\n"
		}
	}
	return steps
}

// TestKeysDocument does what docs/keys.md does, command by command, in one
// shell in an empty directory, and compares what is printed.
func TestKeysDocument(t *testing.T) {
	t.Parallel()
	bash := testtool.Need(t, "bash")
	testtool.Need(t, "curl")
	text, err := os.ReadFile(keysDocument)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil { // the server takes the port in a moment
		t.Fatal(err)
	}
	document := strings.NewReplacer(
		"127.0.0.1:8080", address,
		"2030-01-31T12:00:00Z", time.Now().UTC().AddDate(0, 0, 31).Format(time.RFC3339),
	).Replace(string(text))

	shell := startShell(t, bash, address)
	failed := ""
	for _, s := range parseDocument(document) {
		if s.file != "" {
			if err := os.WriteFile(filepath.Join(shell.dir, s.file), []byte(s.content), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if failed != "" && s.command != "echo $?" {
			t.Fatal(failed)
		}
		failed = ""
		output, status := shell.do(s.command)
		wantText(t, fmt.Sprintf("line %d, %s", s.line, s.command), spaces(output), spaces(s.output))
		if status != "0" {
			failed = fmt.Sprintf("line %d: %s ends with status %s, which the document does not show:\n%s", s.line, s.command, status, output)
		}
	}
	if failed != "" {
		t.Fatal(failed)
	}
}

// spaces makes one of several spaces, which tables are aligned with.
func spaces(text string) string {
	for strings.Contains(text, "  ") {
		text = strings.ReplaceAll(text, "  ", " ")
	}
	return text
}

// shell is a bash at work.
type shell struct {
	t      *testing.T
	dir    string
	input  io.Writer
	output *os.File
}

// startShell starts a shell in an empty directory. Of programs of ours it finds
// pasetokit and server, which both are this test.
func startShell(t *testing.T, bash, address string) *shell {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	for _, name := range []string{"pasetokit", "server"} {
		if err := os.Symlink(self, filepath.Join(programs, name)); err != nil {
			t.Fatal(err)
		}
	}
	// The test's own context ends before the shell is told to.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, bash, "--noprofile", "--norc")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(),
		"PATH="+programs+":"+os.Getenv("PATH"),
		serverAddress+"="+address,
		"GORACE=atexit_sleep_ms=0", // or every program lasts a second longer
	)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, both, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = both, both
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := both.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the shell: %v", err)
		}
		output.Close()
	})
	if _, err := io.WriteString(input, "trap 'kill $(jobs -p) 2>/dev/null; true' EXIT\n"); err != nil {
		t.Fatal(err)
	}
	return &shell{t: t, dir: cmd.Dir, input: input, output: output}
}

// do runs a command and returns its output and exit status. The next command
// sees that status too.
func (s *shell) do(command string) (output, status string) {
	s.t.Helper()
	const mark = "\x00status "
	// Only the command may not read the commands that follow.
	_, err := fmt.Fprintf(s.input, "(exit ${status:-0})\n{ %s\n} </dev/null; status=$?\nprintf '\\0status %%s\\n' $status\n", command)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []byte
	for !bytes.Contains(all, []byte(mark)) || !bytes.HasSuffix(all, []byte("\n")) {
		var b [4096]byte
		n, err := s.output.Read(b[:])
		if err != nil {
			s.t.Fatalf("%s: %v", command, err)
		}
		all = append(all, b[:n]...)
	}
	output, status, _ = strings.Cut(string(all), mark)
	if output != "" && !strings.HasSuffix(output, "\n") {
		output += "\n"
	}
	return output, strings.TrimSpace(status)
}

// TestKeysDocumentCode checks that the Go code of docs/keys.md is that of this
// file, which compiles.
func TestKeysDocumentCode(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(keysDocument)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```go\n")[1:]
	if len(blocks) != 2 {
		t.Errorf("the document has %d blocks of Go code, want 2", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		if !strings.Contains(string(source), "\n"+block) {
			t.Errorf("docs_test.go has not the document's code:\n%s", block)
		}
	}
	if _, err := verifier(t.Context()); err == nil {
		t.Error("the verifier works without its configuration")
	}
}
