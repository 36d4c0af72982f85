package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Kit is an opened configuration: parts that work together.
type Kit struct {
	// Authorizer issues and verifies tokens.
	Authorizer *paseto.Authorizer
	// HTTP guards handlers and serves the token endpoints.
	HTTP *httpauth.Web
	// Keeper holds the rights of all that tokens keep open: WebSockets, streams, and what the
	// program opens by itself.
	Keeper *live.Keeper
	// Guard guards WebSockets.
	Guard *wsauth.Guard
	// Store is the denylist, nil if it is not enabled.
	Store denylist.Store

	owned  denylist.Store           // to be closed with the kit
	cfg    Config                   // as it was opened
	opened map[string]paseto.Secret // what its values were then, by key
	source bool                     // keys come from elsewhere too
	log    *slog.Logger
}

// Close closes the denylist, unless it was given with [WithStore]. It ends no connection and
// no stream, and nothing that the Keeper has running: call [wsauth.Guard.Shutdown]
// with the HTTP servers before, while there is a store that leases can be given back to.
func (k *Kit) Close() error {
	if k.owned == nil {
		return nil
	}
	return k.owned.Close()
}

// Open reads the keys, opens the denylist and returns the parts. The error wraps
// [paseto.ErrConfig] if the configuration breaks a rule, or if its values are
// valid each and cannot work together; it wraps the store's own error if that
// cannot be opened. A file with a key or a password that others may read is a
// warning in the log, and so are values that together are probably not what was
// meant, such as cookies that handshakes do not take.
func Open(ctx context.Context, cfg *Config, opts ...Option) (*Kit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if cfg == nil {
		return nil, fmt.Errorf("%w: the Config is nil", paseto.ErrConfig)
	}
	o := opener{log: slog.New(slog.DiscardHandler), observer: func(paseto.Event) {}}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	var ps problems
	keys := cfg.check(&ps, nil)
	checker{&ps, cfg, schemaOf(cfg), nil}.use(o.store != nil)
	cfg.checkKeys(&ps, nil, keys, o.source != nil)
	if err := ps.err(); err != nil {
		return nil, err
	}
	cfg.warn(ctx, o.log, keys)
	if !o.quiet {
		cfg.note(ctx, o.log, o.store)
	}

	kit := &Kit{cfg: *cfg, opened: cfg.values(), source: o.source != nil, log: o.log}
	kit.cfg.Token.Keys = slices.Clone(cfg.Token.Keys)
	if !cfg.Denylist.Disabled {
		kit.Store = o.store
		if kit.Store == nil {
			var err error
			if kit.owned, err = cfg.Denylist.open(ctx, o); err != nil {
				return nil, err
			}
			kit.Store = kit.owned
		}
	}
	if err := kit.build(cfg, keys, o); err != nil {
		return nil, errors.Join(err, kit.Close())
	}
	return kit, nil
}

// use adds what cannot work when the configuration is opened.
func (c checker) use(storeGiven bool) {
	d := c.cfg.Denylist
	name, of := d.store()
	switch {
	case d.Disabled && storeGiven:
		c.add("denylist.disabled", true, "a store was given with WithStore, and would never be asked")
	case d.Disabled, name == storeMemory:
	case of != nil:
		of.CheckFiles(c.inStore(name))
	case storeGiven:
	case name == storeProgram:
		c.add("denylist.store", name, "the program gives no store; give one with WithStore, or name another here")
	case driver.New(name) != nil:
		c.add("denylist.store", name, "its settings are missing, or of another type; Load makes them, and in code the store itself is given with WithStore")
	default:
		c.add("denylist.store", name, notImported("denylist."+name))
	}
}

// notImported says which package brings the store whose section a key is, or is in; it is
// empty if the program has that package, and for other keys.
func notImported(key string) string {
	for _, name := range []string{storeBolt, storeRedis} {
		if section := "denylist." + name; (key == section || strings.HasPrefix(key, section+".")) && driver.New(name) == nil {
			return "this program has not got the store " + name + "; import it: _ " + strconv.Quote("github.com/pasetokit/pasetokit/config/"+name)
		}
	}
	return ""
}

// open opens the store that is named.
func (d Denylist) open(ctx context.Context, o opener) (denylist.Store, error) {
	if _, of := d.store(); of != nil {
		return of.Open(ctx, driver.Env{Log: o.log, Now: o.now})
	}
	return denylist.NewMemory(denylist.WithClock(o.now)), nil
}

// warn logs which files with secrets others may read.
func (c *Config) warn(ctx context.Context, log *slog.Logger, keys []paseto.Key) {
	for i, key := range keys {
		for _, path := range c.Token.Keys[i].exposed(key) {
			log.WarnContext(ctx, "key file can be read by others", "path", path)
		}
	}
	if _, of := c.Denylist.store(); of != nil && !c.Denylist.Disabled {
		for _, file := range of.Private() {
			for _, path := range readable(file.Path) {
				log.WarnContext(ctx, file.Kind+" file can be read by others", "path", path) //nolint:sloglint // key or password
			}
		}
	}
}

func (k *Kit) build(cfg *Config, keys []paseto.Key, o opener) error {
	options := []paseto.Option{paseto.WithLogger(o.log), paseto.WithClock(o.now), paseto.WithObserver(o.observer)}
	if k.Store != nil {
		options = append(options, paseto.WithDenylist(k.Store))
	}
	if o.source != nil {
		options = append(options, paseto.WithKeySource(o.source))
	}
	var err error
	if k.Authorizer, err = paseto.New(cfg.paseto(keys), options...); err != nil {
		return err
	}
	if k.Keeper, err = live.New(k.Authorizer, cfg.Live, live.WithLogger(o.log), live.WithObserver(o.rightObserver)); err != nil {
		return err
	}
	k.HTTP, err = httpauth.New(k.Authorizer, cfg.HTTP, httpauth.WithKeeper(k.Keeper), httpauth.WithLogger(o.log), httpauth.WithImplicit(o.implicit))
	if err != nil {
		return err
	}
	k.Guard, err = wsauth.New(k.HTTP, cfg.WebSocket, wsauth.WithLogger(o.log), wsauth.WithConnContext(o.connContext))
	return err
}
