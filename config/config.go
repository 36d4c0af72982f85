package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Config is everything that can be configured. A value that is not set is zero, which
// means its default; so the zero Config is the default configuration, without a key.
type Config struct {
	Token     Token           `koanf:"token"`
	HTTP      httpauth.Config `koanf:"http"`
	WebSocket wsauth.Config   `koanf:"websocket"`
	Live      live.Config     `koanf:"live"`
	Denylist  Denylist        `koanf:"denylist"`
}

// Token says how tokens are issued and verified.
type Token struct {
	// Keys lists the keys that issue and open tokens, or where they are; at most 32. The
	// first one that can issue tokens of [paseto.Config.Version] and
	// [paseto.Config.Purpose] does; all of them open tokens. In the environment they are
	// the keys themselves, or file: and the path of each.
	Keys []Key `koanf:"keys" validate:"omitempty,max=32"`
	// VerifyOnly allows keys that cannot issue tokens, for a service that only verifies.
	VerifyOnly bool `koanf:"verify_only"`
	// Config says everything else. Its own Keys and Denylist are not used: [Open] sets
	// them.
	paseto.Config `koanf:",squash"`
}

// Denylist says how revocation is recorded and checked.
type Denylist struct {
	// Disabled turns revocation off: a logout only deletes cookies and is answered with
	// status 501, refresh tokens work more than once, and there are no tickets. Default
	// false.
	Disabled bool `koanf:"disabled"`
	// Store names what keeps the records: memory (this process, until it ends, and no other
	// knows of them), bolt (a file, for one process; the program has to import config/bolt),
	// redis (a server, for many; the program has to import config/redis) or program (the
	// store that the program gives with [WithStore], which is used whatever this says).
	// Default memory.
	Store string `koanf:"store" default:"memory" validate:"omitempty,oneof=memory bolt redis program"`
	// DenylistConfig says what is looked up in it.
	paseto.DenylistConfig `koanf:",squash"`
	// Bolt and Redis hold the settings of these stores, by the address of a struct of the
	// package that is imported for them. [Load] makes it. In code, open a store and give
	// it to [WithStore] instead.
	Bolt  any `koanf:"bolt"`
	Redis any `koanf:"redis"`
}

// The stores that denylist.store names.
const (
	storeMemory  = "memory"
	storeBolt    = "bolt"
	storeRedis   = "redis"
	storeProgram = "program"
)

// newConfig returns a configuration in which nothing is set, with the sections of all
// stores that the program has.
func newConfig() *Config {
	var c Config
	for name, section := range map[string]*any{storeBolt: &c.Denylist.Bolt, storeRedis: &c.Denylist.Redis} {
		if s := driver.New(name); s != nil {
			*section = s
		}
	}
	return &c
}

// store returns the name of the store, and its settings if it has any: those that the
// package has registered which the program imports for it.
func (d Denylist) store() (name string, of driver.Settings) {
	named := Denylist{Store: d.Store}
	settings.SetDefaults(&named)
	name = named.Store
	given := reflect.ValueOf(map[string]any{storeBolt: d.Bolt, storeRedis: d.Redis}[name])
	if own := driver.New(name); own != nil && given.IsValid() && given.Type() == reflect.TypeOf(own) && !given.IsNil() {
		of, _ = given.Interface().(driver.Settings)
	}
	return name, of
}

// paseto returns what the configuration means for an Authorizer with these keys.
func (c *Config) paseto(keys []paseto.Key) paseto.Config {
	cfg := c.Token.Config
	cfg.Keys, cfg.Denylist = keys, c.Denylist.DenylistConfig
	return cfg
}

// schema is every key of a configuration.
type schema []settings.Field

func schemaOf(c *Config) schema { return settings.Fields(c) }

// field returns the field of a key.
func (s schema) field(key string) (settings.Field, bool) {
	i := slices.IndexFunc(s, func(f settings.Field) bool { return f.Key == key })
	if i < 0 {
		return settings.Field{}, false
	}
	return s[i], true
}

// key returns the key of a field by its name in code, which may have the position of a
// member of a list at its end.
func (s schema) key(path string) string {
	path, index, listed := strings.Cut(path, "[")
	for _, f := range s {
		if f.Path == path {
			path = f.Key
			break
		}
	}
	if listed {
		path += "[" + index
	}
	return path
}

// isSection reports whether keys begin with the name of a section.
func (s schema) isSection(name string) bool { return len(s.names(name)) > 0 }

// names returns the names in a section: of keys, and of other sections.
func (s schema) names(section string) []string {
	var all []string
	for _, f := range s {
		rest, inside := strings.CutPrefix(f.Key, section+".")
		if section == "" {
			rest, inside = f.Key, true
		}
		name, _, _ := strings.Cut(rest, ".")
		if inside && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// keys returns every key.
func (s schema) keys() []string {
	all := make([]string, len(s))
	for i, f := range s {
		all[i] = f.Key
	}
	return all
}

var (
	keysType     = reflect.TypeFor[[]Key]()
	secretType   = reflect.TypeFor[paseto.Secret]()
	durationType = reflect.TypeFor[time.Duration]()
)
