package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-playground/validator/v10"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/settings/format"
	"github.com/pasetokit/pasetokit/internal/urlpath"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// check adds every broken rule, and returns the keys if none is about them.
// Sources says where values were set.
func (c *Config) check(ps *problems, sources map[string]string) []paseto.Key {
	add := func(key, value, rule string) {
		section, _, _ := strings.Cut(key, "[")
		ps.add(Problem{Key: key, Source: sources[section], Value: value, Rule: rule})
	}
	if broken, ok := errors.AsType[validator.ValidationErrors](rules.Struct(c)); ok {
		for _, b := range broken {
			key := strings.TrimPrefix(b.Namespace(), "Config.")
			value, rule := shownOf(key, b.Value()), ruleText(b)
			if value == redacted {
				rule = withoutValue(rule)
			}
			if b.Kind() == reflect.Slice {
				value = ""
			}
			add(key, value, rule)
		}
	}
	c.checkLifetimes(add)
	if asked := sources["websocket.locations"] != "" || !c.defaultLocations(); asked && !c.Denylist.Enabled &&
		slices.Contains(c.WebSocket.Locations, string(httpauth.LocationTicket)) {
		add("websocket.locations", "", "ticket needs a denylist, for a ticket must work but once; set denylist.enabled to true, or take ticket out")
	}
	if c.HTTP.Cookie.SameSite == "none" && !c.HTTP.Cookie.Secure {
		add("http.cookie.same_site", "none", "browsers refuse it unless http.cookie.secure is true")
	}
	for _, cookie := range []struct{ key, name, path string }{
		{"http.cookie.access_name", c.HTTP.Cookie.AccessName, c.HTTP.Cookie.Path},
		{"http.cookie.refresh_name", c.HTTP.Cookie.RefreshName, c.HTTP.Cookie.RefreshPath},
	} {
		host, secure := strings.HasPrefix(cookie.name, "__Host-"), strings.HasPrefix(cookie.name, "__Secure-")
		switch {
		case (host || secure) && !c.HTTP.Cookie.Secure:
			add(cookie.key, shown(cookie.name), "browsers refuse the prefix unless http.cookie.secure is true")
		case host && (c.HTTP.Cookie.Domain != "" || cookie.path != "/"):
			add(cookie.key, shown(cookie.name), "browsers refuse the prefix __Host- with a domain or another path than /")
		}
	}
	c.checkStore(add)
	return c.parseKeys(add)
}

// longestTTL is the longest lifetime that makes sense.
const longestTTL = Lifetime(100 * 365 * 24 * time.Hour)

func isCookiePath(s string) bool {
	return strings.HasPrefix(s, "/") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == ';' })
}

// isAddress reports whether s is a host, or an IP address, and a port.
func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	return err == nil && bad == nil && n > 0 && (net.ParseIP(host) != nil || isHost(host))
}

// isHost reports whether s has the form of a host name: labels of letters,
// digits, hyphens and underscores between dots.
func isHost(s string) bool {
	return s != "" && !strings.Contains("."+s+".", "..") && !strings.ContainsFunc(s, func(r rune) bool {
		return r > '~' || r != '-' && r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// parseKeys returns the keys, or adds what is wrong with them. What a key has to
// be cannot be told for a version or purpose that there is not.
func (c *Config) parseKeys(add func(key, value, rule string)) []paseto.Key {
	version, purpose := paseto.Version(c.Token.Version), paseto.Purpose(c.Token.Purpose)
	if !slices.Contains([]paseto.Version{paseto.V2, paseto.V3, paseto.V4}, version) ||
		purpose != paseto.Local && purpose != paseto.Public {
		return nil
	}
	keys, good := make([]paseto.Key, len(c.Token.Keys)), true
	for i, k := range c.Token.Keys {
		var err error
		if keys[i], err = k.parse(version, purpose); err != nil {
			add(fmt.Sprintf("token.keys[%d]", i), "", strings.Replace(err.Error(), "paseto: ", "", 1))
			good = false
		}
	}
	if !good {
		return nil
	}
	return keys
}

// checkLifetimes adds what is wrong between lifetimes that are valid each.
func (c *Config) checkLifetimes(add func(key, value, rule string)) {
	for _, ttl := range []struct {
		key   string
		value Lifetime
	}{
		{"token.access_ttl", c.Token.AccessTTL},
		{"token.refresh_ttl", c.Token.RefreshTTL},
		{"token.other_ttl", c.Token.OtherTTL},
	} {
		if ttl.value == NoExpiry && c.Token.RequireExpiry {
			add(ttl.key, "none", "tokens without expiry are refused while token.require_expiry is true")
		}
		if bound := c.Token.MaxTTL; bound > 0 && (ttl.value == NoExpiry || ttl.value > bound) {
			add(ttl.key, ttl.value.String(), "longer than token.max_ttl, "+bound.String())
		}
	}
}

// rules knows the rules in the tags of [Config].
var rules = func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string { return f.Tag.Get(tag) })
	for name, rule := range map[string]func(string) bool{
		"address":            isAddress,
		"server_name":        func(s string) bool { return isAddress(net.JoinHostPort(s, "1")) },
		"http_token":         locate.IsToken,
		"realm":              locate.IsRealm,
		"cookie_path":        isCookiePath,
		"cookie_scope":       func(s string) bool { return format.All["cookie_scope"](s) == nil },
		"http_location":      func(s string) bool { return locate.RequestLocation(s) == "" },
		"websocket_location": func(s string) bool { return locate.HandshakeLocation(s) == "" },
		"path_prefix":        func(s string) bool { return urlpath.ValidatePrefix(s) == nil },
		"token_type":         func(s string) bool { return paseto.Requirement{Type: s}.Validate() == nil },
		"proxy":              func(s string) bool { return proxyError(s) == nil },
		"origin":             func(s string) bool { return wsauth.ValidateOrigin(s) == nil },
	} {
		must(v.RegisterValidation(name, func(f validator.FieldLevel) bool { return rule(f.Field().String()) }))
	}
	must(v.RegisterValidation("lifetime", func(f validator.FieldLevel) bool {
		l := Lifetime(f.Field().Int())
		return l == NoExpiry || l >= Lifetime(time.Second) && l <= longestTTL
	}))
	must(v.RegisterValidation("start_leeway", func(f validator.FieldLevel) bool {
		l := Lifetime(f.Field().Int())
		return l == NoExpiry || l >= 0 && l <= Lifetime(24*time.Hour)
	}))
	must(v.RegisterValidation("limit", func(f validator.FieldLevel) bool { return f.Field().Int() >= int64(NoLimit) }))
	return v
}()

// must is for the tags of this package, which are right or caught by any test.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// ruleText says in words what a tag demands.
func ruleText(b validator.FieldError) string {
	value, _ := b.Value().(string)
	switch b.Tag() {
	case "required":
		return "must not be empty"
	case "oneof":
		if b.Field() == "version" && value == "v1" {
			return "must be one of v2, v3, v4; v1 rests on RSA, and is out of use"
		}
		return "must be one of " + strings.ReplaceAll(b.Param(), " ", ", ")
	case "min":
		if b.Kind() == reflect.Slice {
			return "must list at least " + b.Param()
		}
		return "must be at least " + b.Param()
	case "max":
		if b.Kind() == reflect.Slice {
			return "must list at most " + b.Param()
		}
		return "must be at most " + b.Param()
	case "unique":
		return "must not list anything twice"
	case "ne":
		return "is reserved"
	case "nefield":
		if b.Field() == "ticket_key" {
			return "must differ from query_key"
		}
		return "must differ from access_name"
	case "address":
		return "must be host:port, without a scheme or a password"
	case "server_name":
		return "must be a host name or an IP address, without a port"
	case "cookie_path":
		return "must begin with / and be printable ASCII without ;"
	case "cookie_scope":
		return "must be a path that begins with /, or a domain and such a path: /api, example.com/"
	case "fqdn":
		return "must be a domain name"
	case "realm":
		return "must be printable ASCII without quotes and backslashes"
	case "lifetime", "eq=0|lifetime":
		return "must be at least 1s and at most 100 years, or none"
	case "start_leeway":
		return "must be at most 24h, 0 for the default, or none"
	case "limit":
		return limitRule
	case "eq=0|min=1ms":
		return "must be 0, or at least 1ms"
	case "http_token":
		return "must be letters, digits and !#$%&'*+-.^_`|~ alone, and not empty"
	case "http_location":
		return locate.RequestLocation(value)
	case "websocket_location":
		return locate.HandshakeLocation(value)
	case "token_type":
		return "no token that is looked up can have this type; expected access, refresh, or a type of your own of printable ASCII without spaces, quotes and backslashes"
	case "path_prefix":
		return urlpath.ValidatePrefix(value).Error()
	case "proxy":
		return proxyError(value).Error()
	case "origin":
		return wsauth.ValidateOrigin(value).Error()
	}
	return "must satisfy " + b.Tag() + " " + b.Param()
}

func proxyError(s string) error {
	_, wrong := clientaddr.Parse([]string{s})
	return errors.Join(wrong...)
}
