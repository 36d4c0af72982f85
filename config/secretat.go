package config

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

// secretAt returns the content of a file or else of an environment variable.
// What names it in errors.
func secretAt(what, file, env string) (string, error) {
	if misplacedKey.MatchString(file + env) {
		return "", fmt.Errorf("expected where the %s is, and not a key itself", what)
	}
	if file == "" {
		text, found := os.LookupEnv(env)
		if !found {
			return "", fmt.Errorf("environment variable %s is not set", shownName(env))
		}
		return text, nil
	}
	// It is read more than once: when the configuration is loaded, when it is
	// opened, and when it changes. A pipe would give it out but once.
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("the %s file cannot be read: %s is not a regular file", what, file)
	}
	f, err := os.Open(file) //nolint:gosec // the operator says which file
	if err != nil {
		return "", fmt.Errorf("the %s file cannot be read: %w", what, withTried(err))
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the %s file cannot be read: %w", what, withTried(err))
	case len(text) > maxKeyFile:
		return "", fmt.Errorf("%s is no %s file: it has more than %d bytes", file, what, maxKeyFile)
	}
	return string(text), nil
}

// withTried adds to the error of a file which path was tried, if the path is relative.
func withTried(err error) error {
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

// passwordAt returns the password in a file or else in an environment variable. A
// line break at the end of the file is not of the password.
func passwordAt(file, env string) (string, error) {
	text, err := secretAt("password", file, env)
	if line, ended := strings.CutSuffix(text, "\n"); ended && file != "" {
		text = strings.TrimSuffix(line, "\r")
	}
	switch {
	case err == nil && text == "":
		err = errors.New("the password is empty")
	case strings.HasPrefix(text, "\ufeff"):
		err = errors.New("the password begins with a byte order mark; save it as UTF-8 without one")
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		err = errors.New("the password is text in UTF-16; save it as UTF-8 without a byte order mark")
	}
	return text, err
}

// maxKeyFile bounds what is read of a key file, in bytes.
const maxKeyFile = 64 << 10

// misplacedKey matches a key where the place of one was expected.
var misplacedKey = regexp.MustCompile(`^\s*(k\d\.(local|secret)|v\d\.(local|public)|-{5}BEGIN|[0-9a-fA-F]{64,}\s*$)`)
