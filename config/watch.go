package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/pasetokit/pasetokit/paseto"
)

const (
	// settle is how long the writer of a file has to finish what it began.
	settle = 100 * time.Millisecond
	// pollInterval is how often files are read although nothing was told of
	// them: not every file system tells.
	pollInterval = time.Second
)

// Watch changes the keys of a kit when its files change, without a restart: the
// configuration files, given as to [Load], and the files that hold keys and what
// they are wrapped with. Without configuration files it watches the key files
// of the configuration that the kit was opened with. Watch returns when ctx
// ends, with its error; while it runs, a change is in force within two seconds.
//
// Files may be written in place, replaced by renaming, or reached by symbolic
// links that change, as Kubernetes mounts secrets. Danger: a list of keys that is
// half written can be a good list of fewer keys, so renaming is better.
//
// A key that is taken out ends more than the tokens that it issued: what they keep open
// ends at the next re-check, within live.recheck_interval. So does what the tokens of a
// retired key keep open, once its time is over.
//
// Only keys are taken. They replace all that the kit has, those that the program
// has set itself included. A configuration with any mistake in it, and keys that
// cannot issue unless token.verify_only is true, change nothing and are logged as
// errors; the old keys stay until the files are good again. Any other value that
// is not the one that the kit was opened with is logged as one that needs a
// restart. What is in force is logged by key id.
func Watch(ctx context.Context, kit *Kit, files ...string) error {
	w := watch{kit: kit, files: files}
	var events <-chan fsnotify.Event
	var failures <-chan error
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		kit.log.WarnContext(ctx, "file changes are not told; files are read every second instead", "err", err)
	} else {
		defer notifier.Close() //nolint:errcheck // nothing depends on it any more
		events, failures = notifier.Events, notifier.Errors
	}
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	var settled <-chan time.Time
	for {
		if settled == nil {
			w.look(ctx)
			w.follow(notifier)
		}
		changed := false
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-events:
			changed = true
		case err := <-failures:
			kit.log.WarnContext(ctx, "file changes may not have been told", "err", err)
			changed = true
		case <-settled:
			settled = nil
		case <-poll.C:
			settled = nil
		}
		if changed && settled == nil { // the first of several: a file that is written all the time delays nothing
			settled = time.After(settle)
		}
	}
}

// watch is the state of one [Watch].
type watch struct {
	kit     *Kit
	files   []string // the configuration
	named   []string // what the configuration names
	seen    [sha256.Size]byte
	changed []string // values that were reported as changed
}

// follow has the notifier tell of the folders of all files: of a folder, because
// a file that is replaced is another file.
func (w *watch) follow(notifier *fsnotify.Watcher) {
	if notifier == nil {
		return
	}
	for _, path := range w.paths() {
		_ = notifier.Add(filepath.Dir(path)) // where that fails, files are polled
	}
}

// look takes the keys if the content of any file is not what it was.
func (w *watch) look(ctx context.Context) {
	for {
		// What is read after the digest is as new as that, or newer and then
		// looked at again.
		digest := w.digest()
		if digest == w.seen {
			return
		}
		cfg, l := w.read()
		if named := cfg.keyFiles(); !slices.Equal(named, w.named) {
			w.named = named
			continue
		}
		w.seen = digest
		w.take(ctx, cfg, l)
		return
	}
}

// paths returns all files.
func (w *watch) paths() []string {
	all := slices.Clone(w.named)
	for _, name := range w.files {
		path, _ := splitSection(name)
		all = append(all, path)
	}
	return all
}

// digest returns a hash of all files.
func (w *watch) digest() [sha256.Size]byte {
	all := sha256.New()
	for _, path := range w.paths() {
		var state string
		if content, err := readAll(path); err == nil {
			state = fmt.Sprintf("%x", sha256.Sum256(content))
		} else {
			state = err.Error()
		}
		_, _ = fmt.Fprintf(all, "%q %s\n", path, state) // a hash takes everything
	}
	return [sha256.Size]byte(all.Sum(nil))
}

// readAll returns the content of a file, up to what no configuration has.
func readAll(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file") // a pipe would hold up the watch
	}
	f, err := os.Open(path) //nolint:gosec // the operator says which file
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	const most = 16 << 20
	return io.ReadAll(io.LimitReader(f, most))
}

func (w *watch) read() (*Config, *loader) {
	if len(w.files) > 0 {
		return read(os.Environ(), w.files)
	}
	cfg := w.kit.cfg
	return &cfg, &loader{}
}

// keyFiles returns the files that the keys are made of.
func (c *Config) keyFiles() []string {
	var paths []string
	for _, k := range c.Token.Keys {
		paths = append(paths, k.files()...)
	}
	return paths
}

// take puts the keys of a configuration in force, or logs why not.
func (w *watch) take(ctx context.Context, cfg *Config, l *loader) {
	running, log := w.kit.cfg.Token, w.kit.log
	now := cfg.values()
	keys := cfg.check(&l.problems, l.sources)
	restart := cfg.Token.kind() != running.kind()
	if restart {
		// Good as it is written, or refused below. But the keys are for what
		// runs, and not for what would after a restart.
		cfg.Token.Version, cfg.Token.Purpose = running.Version, running.Purpose
		var again problems
		if keys = cfg.check(&again, l.sources); len(l.problems) == 0 {
			l.problems = again
		}
	}
	cfg.Token.VerifyOnly = running.VerifyOnly
	if restart && !running.VerifyOnly && len(keys) > 0 && !running.canIssue(keys) {
		l.problems.add(l.sources["token.keys"].problem("token.keys", nil, fmt.Sprintf(
			"none of them can issue %s tokens, as the running program does; another token.version or token.purpose needs a restart",
			running.kind())))
	} else {
		cfg.checkKeys(&l.problems, l.sources, keys, w.kit.source)
	}
	if err := l.problems.err(); err != nil {
		log.ErrorContext(ctx, "changed configuration is not taken; the old keys stay in force", "err", err)
		return
	}
	w.report(ctx, now)
	if slices.EqualFunc(keys, w.kit.Authorizer.Keys(), sameKey) {
		return
	}
	if err := w.kit.Authorizer.SetKeys(keys...); err != nil {
		log.ErrorContext(ctx, "changed keys are not taken; the old ones stay in force", "err", err)
		return
	}
	cfg.warn(ctx, log, keys)
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = key.KeyID()
	}
	log.InfoContext(ctx, "keys changed", "keys", ids)
}

// report logs which values but the keys are others than those that the kit was
// opened with.
func (w *watch) report(ctx context.Context, now map[string]paseto.Secret) {
	var changed []string
	for _, key := range schemaOf(newConfig()).keys() {
		if key != "token.keys" && !now[key].Equal(w.kit.opened[key]) {
			changed = append(changed, key)
		}
	}
	if len(changed) > 0 && !slices.Equal(changed, w.changed) {
		w.kit.log.WarnContext(ctx, "changed configuration needs a restart", "settings", changed)
	}
	w.changed = changed
}

// values returns the value of each setting. Some are secrets, so all are kept as such.
func (c *Config) values() map[string]paseto.Secret {
	all := make(map[string]paseto.Secret)
	for _, f := range slices.Concat(schemaOf(newConfig()), schemaOf(c)) { // code may leave out a store's section
		secret, ok := f.Value.Interface().(paseto.Secret)
		if !ok {
			secret = paseto.NewSecret(valueText(f))
		}
		all[f.Key] = secret
	}
	return all
}

func sameKey(a, b paseto.Key) bool { return a.Equal(b) && a.NotAfter().Equal(b.NotAfter()) }
