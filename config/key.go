package config

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
)

// Key says where a key is: exactly one of its fields is set. In a file it is
// the key itself, {file: path} or {env: NAME}; in the environment it is the key
// itself.
//
// A key is written as PASERK (k4.local, k4.secret, k4.public), PEM (Ed25519) or
// hexadecimal digits: 32 bytes for purpose local, 64 for public.
type Key struct {
	// Value is the key itself.
	Value Secret `koanf:"value"`
	// File is the path of a file that holds nothing but the key. A relative
	// path counts from the working directory.
	File string `koanf:"file"`
	// Env is the name of an environment variable that holds the key.
	Env string `koanf:"env"`
}

// maxKeyFile bounds what is read of a key file, in bytes.
const maxKeyFile = 64 << 10

// parse returns the key, for tokens of the configured purpose where its text
// does not say.
func (k Key) parse(purpose string) (paseto.Key, error) {
	text, err := k.text()
	if err != nil {
		return paseto.Key{}, err
	}
	var key paseto.Key
	if strings.Trim(strings.TrimSpace(text), "0123456789abcdefABCDEF") == "" {
		key, err = paseto.ParseHexKey(paseto.Purpose(purpose), text)
	} else {
		key, err = paseto.ParseKey(text)
	}
	if err != nil {
		return paseto.Key{}, fmt.Errorf("%s%w", k.where(), err)
	}
	return key, nil
}

// text returns the key as it is written.
func (k Key) text() (string, error) {
	set := 0
	for _, field := range []string{string(k.Value), k.File, k.Env} {
		if field != "" {
			set++
		}
	}
	switch {
	case set != 1:
		return "", fmt.Errorf("expected the key itself, or exactly one of file and env")
	case k.File != "":
		return readKeyFile(k.File)
	case k.Env != "":
		text, found := os.LookupEnv(k.Env)
		if !found {
			return "", fmt.Errorf("environment variable %s is not set", k.Env)
		}
		return text, nil
	}
	return string(k.Value), nil
}

func readKeyFile(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator says which file
	if err != nil {
		return "", fmt.Errorf("the key file cannot be read: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("the key file cannot be read: %w", err)
	case len(text) > maxKeyFile:
		return "", fmt.Errorf("%s is no key file: it has more than %d bytes", path, maxKeyFile)
	}
	return string(text), nil
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
