package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestMain sets the password that some configurations take from the environment.
func TestMain(m *testing.M) {
	if err := os.Setenv("TEST_PASSWORD", password); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const (
	password = "correct horse"
	// zeroKey is the local key of 32 zero bytes.
	zeroKey = "k4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	zeroID  = "k4.lid.bqltbNc4JLUAmc9Xtpok-fBuI0dQN5_m3CD9W_nbh559"
	// pairKey is the key pair of the seed of 32 zero bytes.
	pairKey    = "k4.secret.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA7aie8zrakLWKjqNAqbw1zZTIVdx3iQ6Y6wEihi1naKQ"
	pairPublic = "k4.public.O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik"
)

// dir is a directory in which a test runs the program. DIR/ stands for its path
// in arguments and files, and so does DIR in outputs. Without the slash it may
// well be a part of a token.
type dir struct {
	t    *testing.T
	path string
	// prompt answers at the terminal, if there is one.
	prompt func(label string) ([]byte, error)
}

func newDir(t *testing.T) *dir {
	t.Helper()
	d := &dir{t: t, path: t.TempDir()}
	d.write("zero", zeroKey)
	d.write("pair", pairKey)
	d.write("public", pairPublic)
	d.write("password", password+"\n")
	return d
}

func (d *dir) file(name string) string { return filepath.Join(d.path, name) }

func (d *dir) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(d.file(name), []byte(strings.ReplaceAll(content, "DIR/", d.path+"/")), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dir) read(name string) string {
	d.t.Helper()
	content, err := os.ReadFile(d.file(name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(content)
}

func (d *dir) chmod(name string, mode fs.FileMode) {
	d.t.Helper()
	if err := os.Chmod(d.file(name), mode); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dir) wantMode(name string, want fs.FileMode) {
	d.t.Helper()
	info, err := os.Stat(d.file(name))
	if err != nil {
		d.t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		d.t.Errorf("%s has mode %04o, want %04o", name, got, want)
	}
}

func (d *dir) wantMissing(name string) {
	d.t.Helper()
	if _, err := os.Stat(d.file(name)); !errors.Is(err, fs.ErrNotExist) {
		d.t.Errorf("%s is there", name)
	}
}

// result is what one run of the program did.
type result struct {
	t              *testing.T
	status         int
	stdout, stderr string
}

// runWith runs the program with a standard input. The arguments in line are
// separated by spaces.
func (d *dir) runWith(stdin, line string, args ...string) result {
	d.t.Helper()
	args = append(strings.Fields(line), args...)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR/", d.path+"/")
	}
	var stdout, stderr bytes.Buffer
	a := &app{stdin: newInput(strings.NewReader(stdin), &stderr), stdout: &stdout, stderr: &stderr}
	a.stdin.prompt = d.prompt
	status := a.run(args)
	shown := func(b bytes.Buffer) string { return strings.ReplaceAll(b.String(), d.path, "DIR") }
	return result{d.t, status, shown(stdout), shown(stderr)}
}

func (d *dir) run(line string, args ...string) result {
	d.t.Helper()
	return d.runWith("", line, args...)
}

// want checks what a run did; … matches anything in a line.
func (r result) want(status int, stdout, stderr string) {
	r.t.Helper()
	if r.status != status {
		r.t.Errorf("exit status %d, want %d", r.status, status)
	}
	wantText(r.t, "standard output", r.stdout, stdout)
	wantText(r.t, "standard error", r.stderr, stderr)
}

// ok returns the standard output of a run that succeeded.
func (r result) ok() string {
	r.t.Helper()
	if r.status != 0 {
		r.t.Fatalf("exit status %d: %s%s", r.status, r.stderr, r.stdout)
	}
	return strings.TrimSpace(r.stdout)
}

// decode reads the one JSON value on standard output.
func (r result) decode() map[string]any {
	r.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	var v map[string]any
	if err := decoder.Decode(&v); err != nil || decoder.More() {
		r.t.Fatalf("not one JSON object: %v\n%s", err, r.stdout)
	}
	return v
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", `[^\n]*`)
	if !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// key returns the key that is written in text.
func key(t *testing.T, text string) paseto.Key {
	t.Helper()
	k, err := paseto.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// must2 returns what cannot fail.
func must2[T any](v T, err error) T {
	must(err)
	return v
}

// token returns a token that was issued at a time.
func token(t *testing.T, k paseto.Key, at time.Time, tokenType string, g paseto.Grant) string {
	t.Helper()
	auth, err := paseto.New(
		paseto.Config{Keys: []paseto.Key{k}, Version: k.Version(), Purpose: k.Purpose()},
		paseto.WithClock(func() time.Time { return at }))
	if err != nil {
		t.Fatal(err)
	}
	issued, err := auth.Issue(tokenType, g)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

// past is when the expired tokens of the tests were issued.
var past = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
