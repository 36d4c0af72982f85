// Package bolt lets a configuration name the store bolt, which keeps the records of the
// denylist in one file, for one process; see package denylist/bolt. Import it for that:
//
//	import _ "github.com/pasetokit/pasetokit/config/bolt"
//
// and write
//
//	denylist:
//	  store: bolt
//	  bolt: {path: /var/lib/chat/revoked.db}
//
// A program without the import does not link the store. There [config.Load]
// and [config.Open] return an error that names the import where a configuration needs it.
//
// [config.Load]: https://pkg.go.dev/github.com/pasetokit/pasetokit/config#Load
// [config.Open]: https://pkg.go.dev/github.com/pasetokit/pasetokit/config#Open
package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/config/internal/secretfile"
	"github.com/pasetokit/pasetokit/denylist"
	store "github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/internal/settings"
)

func init() { driver.Register("bolt", func() driver.Settings { return new(Settings) }) }

// Settings is the section denylist.bolt. Its methods are for package config.
type Settings struct {
	store.Config `koanf:",squash"`
}

// Check adds the broken rules between settings.
func (s *Settings) Check(add driver.Add) {
	for _, p := range settings.In(s.Validate()) {
		if !p.Tag {
			add(p.Path, p.Value, p.Rule)
		}
	}
}

// CheckFiles adds what is wrong with the file, as far as can be told without opening it.
func (s *Settings) CheckFiles(add driver.Add) {
	if s.Path == "" {
		return
	}
	if _, err := os.Stat(filepath.Dir(s.Path)); errors.Is(err, fs.ErrNotExist) {
		rule := "its directory does not exist; make it first"
		if !filepath.IsAbs(s.Path) {
			rule += ": " + secretfile.WithTried(err).Error()
		}
		add("Path", s.Path, rule)
	}
	if info, err := os.Stat(s.Path); err == nil && info.Mode().IsRegular() && info.Size() == 0 && !s.AllowEmptyFile {
		add("Path", s.Path, "the file is empty; a file that was in use never is. Restore it from a backup. "+
			"If nothing was ever recorded in it, delete it, or set {AllowEmptyFile} to true until it is in use")
	}
}

// Private returns nothing: the file has no secret.
func (*Settings) Private() []driver.File { return nil }

// Notes reports nothing.
func (*Settings) Notes(func(path, text string)) {}

// Open opens the store.
func (s *Settings) Open(ctx context.Context, env driver.Env) (denylist.Store, error) {
	opened, err := store.Open(ctx, s.Config, store.WithClock(env.Now))
	if err != nil {
		return nil, fmt.Errorf("config: denylist.bolt.path: %w", secretfile.WithTried(err))
	}
	return opened, nil
}
