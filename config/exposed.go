package config

import (
	"os"
	"runtime"

	"github.com/pasetokit/pasetokit/paseto"
)

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
