package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
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
	var paths []string
	for _, path := range []string{k.File, k.PasswordFile, k.WrappingKeyFile} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
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
