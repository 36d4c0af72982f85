// Package secretfile reads files that hold a secret, and says what is wrong with them
// without showing it.
package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxLength bounds what is read of a file, in bytes.
const maxLength = 64 << 10

// Read returns the content of a file. What names it in errors: key, password.
func Read(what, path string) (string, error) {
	if IsKey(path) {
		return "", Misplaced(what)
	}
	// It is read more than once: when the configuration is loaded, when it is
	// opened, and when it changes. A pipe would give it out but once.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("the %s file cannot be read: %s is not a regular file", what, path)
	}
	f, err := os.Open(path) //nolint:gosec // the operator says which file
	if err != nil {
		return "", fmt.Errorf("the %s file cannot be read: %w", what, WithTried(err))
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxLength+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the %s file cannot be read: %w", what, WithTried(err))
	case len(text) > maxLength:
		return "", fmt.Errorf("%s is no %s file: it has more than %d bytes", path, what, maxLength)
	}
	return string(text), nil
}

// Password returns the password in a file. A line break at the end of the file is not of
// the password.
func Password(path string) (string, error) {
	text, err := Read("password", path)
	if err != nil {
		return "", err
	}
	if line, ended := strings.CutSuffix(text, "\n"); ended {
		text = strings.TrimSuffix(line, "\r")
	}
	return text, CheckPassword(text)
}

// CheckPassword reports a password that cannot be meant as it is.
func CheckPassword(text string) error {
	switch {
	case text == "":
		return errors.New("the password is empty")
	case strings.HasPrefix(text, "\ufeff"):
		return errors.New("the password begins with a byte order mark; save it as UTF-8 without one")
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return errors.New("the password is text in UTF-16; save it as UTF-8 without a byte order mark")
	}
	return nil
}

// IsKey reports whether text is a key, where the place of one was expected.
func IsKey(text string) bool { return key.MatchString(text) }

var key = regexp.MustCompile(`^\s*(k\d\.(local|secret)|v\d\.(local|public)|-{5}BEGIN|[0-9a-fA-F]{64,}\s*$)`)

// Misplaced is the error for a key where the place of a secret was expected.
func Misplaced(what string) error {
	return fmt.Errorf("expected where the %s is, and not a key itself", what)
}

// WithTried adds to the error of a file which path was tried, if the path is relative.
func WithTried(err error) error {
	file, ok := errors.AsType[*fs.PathError](err)
	if !ok || filepath.IsAbs(file.Path) {
		return err
	}
	tried, unknown := filepath.Abs(file.Path)
	if unknown != nil {
		return err
	}
	return fmt.Errorf("%w; a relative path counts from the working directory: %s was tried", err, tried)
}
