package config

import (
	"fmt"
	"os"

	"github.com/pasetokit/pasetokit/config/internal/secretfile"
)

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

func withTried(err error) error { return secretfile.WithTried(err) }
