package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"

	"github.com/pasetokit/pasetokit/paseto"
)

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
