package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/config/internal/secretfile"
	"github.com/pasetokit/pasetokit/paseto"
)

// Key says where a key is and how it is used. Exactly one of Value, File and Env
// is set, and at most one of the four fields about wrapping. In a file it is the
// key itself, or an object of the other fields; in the environment it is the key
// itself, or file: and its path.
//
// A key is written as PASERK (k4.local, k4.secret, k4.public), as PEM (Ed25519,
// P-384), as hexadecimal digits, or as the bytes themselves; see
// [paseto.ParseKeyFor].
type Key struct {
	// Value is the key itself.
	Value paseto.Secret `koanf:"value"`
	// File is the path of a file that holds nothing but the key. A relative
	// path counts from the working directory.
	File string `koanf:"file"`
	// Env is the name of an environment variable that holds the key.
	Env string `koanf:"env"`

	// PasswordFile is the path of a file, and PasswordEnv the name of an
	// environment variable, that holds the password of a key that is wrapped
	// with one (k4.local-pw, k4.secret-pw). A line break at the end of the file is
	// not of the password.
	PasswordFile string `koanf:"password_file"`
	PasswordEnv  string `koanf:"password_env"`
	// WrappingKeyFile is the path of a file, and WrappingKeyEnv the name of an
	// environment variable, that holds the local key that the key is wrapped
	// with (k4.local-wrap, k4.secret-wrap).
	WrappingKeyFile string `koanf:"wrapping_key_file"`
	WrappingKeyEnv  string `koanf:"wrapping_key_env"`

	// NotAfter retires the key: it no longer issues, and opens tokens until
	// then; see [paseto.Key.Retire]. Zero for a key that is not retired.
	NotAfter time.Time `koanf:"not_after"`
}

// parse returns the key, for tokens of the configured version and purpose where
// its text does not say.
func (k Key) parse(version paseto.Version, purpose paseto.Purpose) (paseto.Key, error) {
	text, err := k.text()
	if err != nil {
		return paseto.Key{}, err
	}
	key, err := k.unwrap(version, purpose, text)
	if pathLike.MatchString(k.Value.Reveal()) {
		err = fmt.Errorf("%w; a key in a file is written as file: and its path", err)
	}
	if err != nil {
		return paseto.Key{}, fmt.Errorf("%s%w", k.where(), err)
	}
	if !k.NotAfter.IsZero() {
		key = key.Retire(k.NotAfter)
	}
	return key, nil
}

// pathLike matches what is meant as a path, and not as a key.
var pathLike = regexp.MustCompile(`(?i)^\s*(file:|[.~]{0,2}/|[^\n]*\.(key|pem)\s*$)`)

// text returns the key as it is written.
func (k Key) text() (string, error) {
	switch {
	case count(k.Value.Reveal(), k.File, k.Env) != 1:
		return "", errors.New("expected the key itself, or exactly one of file and env")
	case count(k.PasswordFile, k.PasswordEnv, k.WrappingKeyFile, k.WrappingKeyEnv) > 1:
		return "", errors.New("expected at most one of password_file, password_env, wrapping_key_file and wrapping_key_env")
	case !k.Value.IsZero():
		return k.Value.Reveal(), nil
	}
	return secretAt("key", k.File, k.Env)
}

// files returns the paths of the files that the key is made of.
func (k Key) files() []string {
	all := []string{k.File, k.PasswordFile, k.WrappingKeyFile}
	return slices.DeleteFunc(all, func(path string) bool { return path == "" })
}

// String says where the key is, and nothing of the key itself.
func (k Key) String() string {
	var parts []string
	for f, value := range reflect.ValueOf(k).Fields() {
		text := fmt.Sprint(value)
		if at, ok := value.Interface().(time.Time); ok {
			text = at.Format(time.RFC3339)
		}
		if secretfile.IsKey(text) {
			text = redacted
		}
		if !value.IsZero() {
			parts = append(parts, f.Tag.Get("koanf")+": "+text)
		}
	}
	if len(parts) == 1 && !k.Value.IsZero() {
		return redacted
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// where says where the text came from, for an error about it.
func (k Key) where() string {
	switch {
	case k.File != "":
		return "file " + k.File + ": "
	case k.Env != "":
		return "environment variable " + k.Env + ": "
	}
	return ""
}

// count returns how many of the texts there are.
func count(texts ...string) int {
	n := 0
	for _, text := range texts {
		if text != "" {
			n++
		}
	}
	return n
}

// unwrap reads the text of a key, wrapped or not.
func (k Key) unwrap(version paseto.Version, purpose paseto.Purpose, text string) (paseto.Key, error) {
	var wrappedVersion, wrappedWith string
	if found := wrappedKey.FindStringSubmatch(text); len(found) == 3 {
		wrappedVersion, wrappedWith = "v"+found[1], found[2]
	}
	switch {
	case count(k.PasswordFile, k.PasswordEnv) > 0:
		password, err := passwordAt(k.PasswordFile, k.PasswordEnv)
		if err != nil {
			return paseto.Key{}, err
		}
		return paseto.UnwrapKeyPassword(text, []byte(password))
	case count(k.WrappingKeyFile, k.WrappingKeyEnv) > 0:
		wrapping, err := k.wrappingKey(paseto.Version(cmp.Or(wrappedVersion, string(version))))
		if err != nil {
			return paseto.Key{}, err
		}
		return paseto.UnwrapKey(text, wrapping)
	case wrappedWith == "pw":
		return paseto.Key{}, errors.New("the key is wrapped with a password; say where that is with password_file or password_env")
	case wrappedWith == "wrap":
		return paseto.Key{}, errors.New("the key is wrapped with another; say where that is with wrapping_key_file or wrapping_key_env")
	}
	return paseto.ParseKeyFor(version, purpose, text)
}

// wrappedKey matches the beginning of a wrapped key: its version, and with what.
var wrappedKey = regexp.MustCompile(`^\s*k(\d)\.(?:local|secret)-(pw|wrap)\.`)

// wrappingKey returns the key of a version that the key is wrapped with.
func (k Key) wrappingKey(version paseto.Version) (paseto.Key, error) {
	text, err := secretAt("wrapping key", k.WrappingKeyFile, k.WrappingKeyEnv)
	if err != nil {
		return paseto.Key{}, err
	}
	key, err := paseto.ParseKeyFor(version, paseto.Local, text)
	if err != nil {
		return paseto.Key{}, fmt.Errorf("wrapping key: %w", err)
	}
	return key, nil
}

// secretAt returns the content of a file or else of an environment variable.
// What names it in errors.
func secretAt(what, file, env string) (string, error) {
	if file != "" {
		return secretfile.Read(what, file)
	}
	if secretfile.IsKey(env) {
		return "", secretfile.Misplaced(what)
	}
	text, found := os.LookupEnv(env)
	if !found {
		return "", fmt.Errorf("environment variable %s is not set", shownName(env))
	}
	return text, nil
}

// passwordAt returns the password in a file or else in an environment variable.
func passwordAt(file, env string) (string, error) {
	if file != "" {
		return secretfile.Password(file)
	}
	text, err := secretAt("password", "", env)
	if err == nil {
		err = secretfile.CheckPassword(text)
	}
	return text, err
}

// exposed returns the paths of files that the group or others may read, of those
// that make a key usable. A public half is no secret, and neither is a wrapped
// key for as long as what it is wrapped with is one.
func (k Key) exposed(key paseto.Key) []string {
	if isHalf(key) {
		return nil
	}
	paths := k.files()
	if count(k.PasswordFile, k.PasswordEnv, k.WrappingKeyFile, k.WrappingKeyEnv) > 0 && k.File != "" {
		paths = paths[1:]
	}
	return readable(paths...)
}

// readable returns those of the files that the group or others may read, as far
// as modes tell it.
func readable(paths ...string) []string {
	if runtime.GOOS == "windows" {
		return nil
	}
	var open []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
			open = append(open, path)
		}
	}
	return open
}
