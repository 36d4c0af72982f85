package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// input is standard input. One thing at most can be read from it.
type input struct {
	r       io.Reader
	content string // what it was read for
	// prompt asks the person at the terminal for a secret; nil if there is
	// none.
	prompt func(label string) ([]byte, error)
}

func newInput(r io.Reader, stderr io.Writer) *input {
	in := &input{r: r}
	if f, ok := r.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		in.prompt = func(label string) ([]byte, error) { return readHidden(f, stderr, label) }
	}
	return in
}

// interactive reports whether a person types what is read.
func (in *input) interactive() bool { return in.prompt != nil }

// read returns all of standard input, which is the content that is named.
func (in *input) read(content string, limit int64) ([]byte, error) {
	if in.content != "" {
		return nil, misuse("standard input gives the %s already, and cannot give the %s as well: use a file for one of them", in.content, content)
	}
	in.content = content
	return readLimited(in.r, "standard input", limit)
}

// readFile returns the content of a file, or of standard input for "-".
func (in *input) readFile(path, content string, limit int64) ([]byte, os.FileMode, error) {
	if path == "-" {
		data, err := in.read(content, limit)
		return data, 0, err
	}
	if looksSecret(path) {
		return nil, 0, misuse("the %s must not stand on the command line, where others can see it: give the name of its file, or - and the %[1]s on standard input", content)
	}
	f, err := os.Open(path) //nolint:gosec // the user says which file
	if err != nil {
		return nil, 0, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err := readLimited(f, path, limit)
	return data, info.Mode().Perm(), err
}

func readLimited(r io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, nil
}

// readHidden asks for a line on a terminal, which does not show it. A terminal
// that is left by an interrupt shows what is typed again.
func readHidden(f *os.File, stderr io.Writer, label string) ([]byte, error) {
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	defer close(done)
	go func() {
		select {
		case <-signals:
			_ = term.Restore(fd, before)
			os.Exit(statusFailed)
		case <-done:
		}
	}()
	_, _ = fmt.Fprint(stderr, label+": ")
	line, err := term.ReadPassword(fd)
	_, _ = fmt.Fprintln(stderr)
	return line, err
}

// passwordFlags say where a password comes from. It is read once, for however
// many keys.
type passwordFlags struct {
	file, env string
	// prefix of the flags' names, for errors.
	prefix string

	value []byte
}

// password returns the password of what is named, asking twice for a new one.
func (a *app) password(f *passwordFlags, what string, isNew bool) ([]byte, error) {
	if f.value != nil {
		return f.value, nil
	}
	password, err := a.readPassword(f, what, isNew)
	if err == nil && len(password) == 0 {
		err = fmt.Errorf("the password is empty; give it with --%[1]spassword-file or --%[1]spassword-env, at a terminal or on standard input", f.prefix)
	}
	if err == nil && isNew && bytes.HasPrefix(password, []byte("\ufeff")) { // a configuration would refuse it
		err = errors.New("the password begins with a byte order mark; save it as UTF-8 without one")
	}
	if err != nil {
		return nil, err
	}
	f.value = password
	return password, nil
}

func (a *app) readPassword(f *passwordFlags, what string, isNew bool) ([]byte, error) {
	switch {
	case f.file != "" && f.env != "":
		return nil, misuse("give one of --%[1]spassword-file and --%[1]spassword-env", f.prefix)
	case f.file != "":
		password, mode, err := a.stdin.readFile(f.file, "password", maxKeyFile)
		if err == nil {
			a.warnOpen(f.file, "password", mode)
		}
		return trimNewline(password), err
	case f.env != "":
		password, found := os.LookupEnv(f.env)
		if !found {
			return nil, fmt.Errorf("environment variable %s is not set", f.env)
		}
		return []byte(password), nil
	case !a.stdin.interactive():
		password, err := a.stdin.read("password", maxKeyFile)
		return trimNewline(password), err
	}
	password, err := a.stdin.prompt("Password for " + what)
	if err != nil || !isNew {
		return password, err
	}
	again, err := a.stdin.prompt("The same again")
	if err == nil && !bytes.Equal(password, again) {
		err = errors.New("the two passwords differ")
	}
	return password, err
}

// trimNewline returns a line without its end, as configurations take the
// password in a file.
func trimNewline(line []byte) []byte {
	line, ended := bytes.CutSuffix(line, []byte("\n"))
	if ended {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	return line
}
