package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
)

// print writes a result: with --json as one JSON value, else as the text.
func (a *app) print(result any, text string) error {
	if a.json {
		return writeJSON(a.stdout, result)
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}

// writeJSON writes v in one line. Control characters that JSON would let through
// are escaped, for what a token says may be anybody's, and the terminal obeys.
func writeJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(text.String(), "\n") {
		if unicode.IsControl(r) { // all of them below U+10000
			fmt.Fprintf(&out, "\\u%04x", r)
		} else {
			out.WriteRune(r)
		}
	}
	_, err := io.WriteString(w, out.String()+"\n")
	return err
}

// tell writes a line for the person at the terminal.
func (a *app) tell(format string, args ...any) { _, _ = fmt.Fprintf(a.stderr, format+"\n", args...) }

// failure is an error as --json shows it.
type failure struct {
	// Code is that of the refusal, or one of usage, key_invalid,
	// config_invalid, grant_invalid, file_exists, file_missing and failed.
	Code    string `json:"code"`
	Message string `json:"message"`
	// Cause is what lies behind a refusal.
	Cause string `json:"cause,omitempty"`
	// Problems is everything that is wrong with a configuration.
	Problems []problem `json:"problems,omitempty"`

	refusal bool
}

type problem struct {
	Key    string `json:"key,omitempty"`
	Source string `json:"source,omitempty"`
	Line   int    `json:"line,omitempty"`
	Value  string `json:"value,omitempty"`
	Rule   string `json:"rule"`
}

// fail reports an error and returns the exit status.
func (a *app) fail(err error) int {
	f := describe(err)
	wrong, isConfig := errors.AsType[*config.Error](err)
	switch {
	case a.json:
		_ = writeJSON(a.stdout, map[string]failure{"error": f})
	case isConfig && a.lines:
		a.tell("pasetokit: %s", wrong)
	default:
		a.tell("pasetokit: %s", f.text())
	}
	if f.Code == codeUsage {
		return statusMisuse
	}
	return statusFailed
}

const codeUsage = "usage"

func describe(err error) failure {
	if refusal, ok := errors.AsType[*paseto.Error](err); ok {
		f := failure{Code: string(refusal.Code), Message: refusal.Message, refusal: true}
		if refusal.Cause != nil {
			f.Cause = printable(plain(refusal.Cause))
		}
		return f
	}
	f := failure{Code: "failed", Message: plain(err)}
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		for _, p := range wrong.Problems {
			f.Problems = append(f.Problems, problem(p))
		}
	}
	if _, ok := errors.AsType[misuseError](err); ok {
		f.Code = codeUsage
	}
	for _, kind := range []struct {
		is   error
		code string
	}{
		{paseto.ErrRequirement, codeUsage},
		{paseto.ErrKey, "key_invalid"},
		{paseto.ErrGrant, "grant_invalid"},
		{paseto.ErrConfig, "config_invalid"},
		{fs.ErrExist, "file_exists"},
		{fs.ErrNotExist, "file_missing"},
	} {
		if f.Code == "failed" && errors.Is(err, kind.is) {
			f.Code = kind.code
		}
	}
	return f
}

// text returns the failure in one line: of a refusal the code as well.
func (f failure) text() string {
	switch {
	case f.Cause != "":
		return f.Code + ": " + f.Message + " (" + f.Cause + ")"
	case f.refusal:
		return f.Code + ": " + f.Message
	}
	return f.Message
}

// plain returns the message of an error in one line, without the names of
// packages.
func plain(err error) string {
	text := strings.TrimPrefix(err.Error(), "config: ")
	return strings.NewReplacer("paseto: ", "", ":\n  ", ": ", "\n  ", "; ", "\n", "; ").Replace(text)
}

// printable replaces what a terminal would not show as it is: texts in tokens
// are their sender's to write.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// indent returns JSON for people to read.
func indent(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return printable(string(raw)) + "\n"
	}
	return printable(b.String()) + "\n"
}

// The modes of files: of what holds a secret, and of what does not.
const (
	secretMode fs.FileMode = 0o600
	publicMode fs.FileMode = 0o644
)

// newFile is a file that must not exist yet.
type newFile struct {
	path, text string
	mode       fs.FileMode
}

// writeNew writes files that must not exist yet: all of them, or none.
func writeNew(files ...newFile) error {
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil {
			return errExists(f.path)
		}
	}
	for i, f := range files {
		if err := f.write(); err != nil {
			for _, written := range files[:i] {
				err = errors.Join(err, os.Remove(written.path))
			}
			return err
		}
	}
	return nil
}

// write writes the file. One that cannot be written as a whole is taken away again.
func (n newFile) write() error {
	f, err := os.OpenFile(n.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, n.mode)
	if errors.Is(err, fs.ErrExist) {
		return errExists(n.path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(n.text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(n.path))
	}
	return nil
}

func errExists(path string) error {
	return fmt.Errorf("%s exists and is never overwritten: %w", path, fs.ErrExist)
}
