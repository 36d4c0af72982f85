package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/go-playground/validator/v10"

	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/internal/settings/format"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// checker judges a configuration, and collects what is wrong with it.
type checker struct {
	*problems
	cfg     *Config
	schema  schema
	sources map[string]*source // says where values were set
}

// add adds a problem with a key.
func (c checker) add(key string, value any, rule string) {
	name, _, _ := strings.Cut(key, "[")
	c.problems.add(c.sources[name].problem(key, value, rule))
}

// check adds every broken rule, and returns the keys if none is about them.
// Sources says where values were set.
func (c *Config) check(ps *problems, sources map[string]*source) []paseto.Key {
	check := checker{ps, c, schemaOf(c), sources}
	check.fields()
	check.between("Token", settings.In(c.paseto(nil).Validate()))
	check.between("HTTP", settings.In(c.HTTP.Validate()))
	check.between("WebSocket", settings.In(c.WebSocket.Validate()))
	check.between("Live", settings.In(c.Live.Validate()))
	check.tickets()
	check.store()
	return check.keys()
}

// fields adds the fields whose own rule is broken.
func (c checker) fields() {
	broken, _ := errors.AsType[validator.ValidationErrors](rules.Struct(c.cfg))
	for _, b := range broken {
		key := keyOf(b.Namespace())
		name, _, _ := strings.Cut(key, "[")
		f, _ := c.schema.field(name)
		value := b.Value()
		if b.Kind() == reflect.Slice {
			value = nil
		}
		rule := f.Rule(b.Tag(), b.Value(), formats)
		if value != nil && shownOf(key, value) == redacted {
			rule = withoutValue(rule)
		}
		c.add(key, value, rule)
	}
}

// keyOf returns the key of a field by validator's name, in which embedded structs have
// one.
func keyOf(namespace string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(namespace, delimiter), func(name string) bool {
		return unicode.IsUpper(rune(name[0]))
	}), delimiter)
}

// between adds the broken rules between the settings of a section of [Config]. Those of
// single fields are known already.
func (c checker) between(section string, broken settings.Problems) {
	key := func(path string) string { return c.schema.key(section + "." + path) }
	for _, p := range broken {
		if p.Tag {
			continue
		}
		rule := p.Named(func(path string) string {
			if _, known := c.schema.field(key(path)); !known {
				return ""
			}
			return c.sources[key(path)].shown(key(path))
		})
		c.add(key(p.Path), p.Value, rule)
	}
}

// tickets adds that handshakes are to carry tickets where nothing can redeem them.
func (c checker) tickets() {
	if c.cfg.Denylist.Disabled && slices.Contains(c.cfg.WebSocket.Locations, httpauth.LocationTicket) {
		c.add("websocket.locations", nil, "ticket needs a denylist, because a ticket must work only once; set denylist.disabled to false, or take ticket out")
	}
}

// store adds what the named store needs and has not got.
func (c checker) store() {
	if c.cfg.Denylist.Disabled {
		return
	}
	if name, of := c.cfg.Denylist.store(); of != nil {
		of.Check(c.inStore(name))
	}
}

// inStore returns add for the settings of a store, which may name others of its own by
// their paths in braces.
func (c checker) inStore(name string) func(path string, value any, rule string) {
	return func(path string, value any, rule string) {
		c.between(inDenylist(name), settings.Problems{{Path: path, Value: value, Rule: rule}})
	}
}

// inDenylist returns the name in code of a store's section.
func inDenylist(store string) string { return "Denylist." + strings.ToUpper(store[:1]) + store[1:] }

// keys returns the keys, or adds what is wrong with them. What a key has to be is
// unknown where version or purpose is not valid.
func (c checker) keys() []paseto.Key {
	cfg := c.cfg.Token.withDefaults()
	if !slices.Contains([]paseto.Version{paseto.V2, paseto.V3, paseto.V4}, cfg.Version) ||
		cfg.Purpose != paseto.Local && cfg.Purpose != paseto.Public {
		return nil
	}
	keys, good := make([]paseto.Key, len(c.cfg.Token.Keys)), true
	for i, k := range c.cfg.Token.Keys {
		var err error
		if keys[i], err = k.parse(cfg.Version, cfg.Purpose); err != nil {
			c.add(fmt.Sprintf("token.keys[%d]", i), nil, strings.Replace(err.Error(), "paseto: ", "", 1))
			good = false
		}
	}
	if !good {
		return nil
	}
	return keys
}

// formats has every rule for text that has a name.
var formats = func() settings.Formats {
	all := maps.Clone(settings.Basic)
	maps.Copy(all, format.All)
	return all
}()

// rules judges the tags of [Config].
var rules = func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		return name
	})
	register := func(name string, holds validator.Func) {
		if err := v.RegisterValidation(name, holds); err != nil {
			panic(err) // the names are right, or any test finds out
		}
	}
	register(none, func(f validator.FieldLevel) bool { return f.Field().Int() == -1 })
	for name, check := range formats {
		register(name, func(f validator.FieldLevel) bool { return check(f.Field().String()) == nil })
	}
	return v
}()
