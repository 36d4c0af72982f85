// Package driver is how a store becomes one that a configuration can name. A package
// registers it in its init function, and a program imports that package for it; so a
// program links no store that it does not use.
package driver

import (
	"context"
	"log/slog"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
)

// Settings is the section of a store: a pointer to a struct whose fields have the tags of
// package internal/settings. Its methods other than Open are called only where the store
// is the one that is used. A path is the name of a field in code, from the struct on:
// TLS.CertFile. In the text of a rule or a note, a path in braces is another field.
type Settings interface {
	// Check adds the broken rules between settings. Those of single fields are judged by
	// their tags.
	Check(add Add)
	// CheckFiles adds the files that cannot be what they should be. It is called when a
	// configuration is opened, and not when it is loaded: a program that does not ask the
	// store may be unable to read its passwords.
	CheckFiles(add Add)
	// Private returns the files that others must not read.
	Private() []File
	// Notes reports what is valid and probably not meant. It may read files.
	Notes(note func(path, text string))
	// Open opens the store.
	Open(ctx context.Context, env Env) (denylist.Store, error)
}

// Add adds a setting that breaks a rule. A value of nil is not shown.
type Add = func(path string, value any, rule string)

// File is a file with a secret.
type File struct {
	Path string
	Kind string // what it holds: password or key
}

// Env is what a program gives to its store.
type Env struct {
	Log *slog.Logger
	Now func() time.Time // nil for the machine's clock
}

var registered = make(map[string]func() Settings)

// Register adds a store. Only init functions may call it.
func Register(name string, settings func() Settings) { registered[name] = settings }

// New returns the settings of a store with nothing set, or nil if the program does not
// import it.
func New(name string) Settings {
	if settings, ok := registered[name]; ok {
		return settings()
	}
	return nil
}
