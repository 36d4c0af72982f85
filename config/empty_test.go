package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knadh/koanf/parsers/json"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/v2"
)

// TestNothingIsEmpty gives every key nothing, in every form that nothing has. Each
// is refused, by the name that it has in the source.
func TestNothingIsEmpty(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value any  // in files, and in variables if it is text
		lists bool // it is nothing for lists alone
		null  bool // TOML cannot say it
	}{
		"null":                    {value: nil, null: true},
		"empty text":              {value: ""},
		"blank text":              {value: " \t "},
		"empty list":              {value: []any{}},
		"list of null":            {value: []any{nil}, lists: true, null: true},
		"list of empty text":      {value: []any{""}, lists: true},
		"list with a blank":       {value: []any{"x", " "}, lists: true},
		"comma":                   {value: ",", lists: true},
		"commas and blanks":       {value: " , ,", lists: true},
		"comma at the end":        {value: "x,", lists: true},
		"comma at the beginning":  {value: ",x", lists: true},
		"two commas in the midst": {value: "x,,y", lists: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flat, environ := map[string]any{}, []string{}
			for _, f := range schemaOf(newConfig()) {
				key := f.Key
				if test.lists && f.Type.Kind() != reflect.Slice {
					continue
				}
				flat[key] = test.value
				if text, ok := test.value.(string); ok {
					environ = append(environ, variableName(key)+"="+text)
				}
			}
			if len(environ) > 0 {
				_, _, err := load(environ, nil)
				wantEach(t, err, flat, variableName)
			}
			k := koanf.New(delimiter)
			if err := k.Load(confmap.Provider(flat, delimiter), nil); err != nil {
				t.Fatal(err)
			}
			for file, parser := range map[string]koanf.Parser{"auth.yaml": yaml.Parser(), "auth.json": json.Parser(), "auth.toml": toml.Parser()} {
				if file == "auth.toml" && test.null {
					continue
				}
				text, err := k.Marshal(parser)
				if err != nil {
					t.Fatal(err)
				}
				path := write(t, file, string(text))
				_, _, err = load(nil, []string{path})
				wantEach(t, err, flat, func(string) string { return path })
			}
		})
	}
}

// wantEach checks that an error has a problem with every key, or a member of its
// list, as the source names it.
func wantEach[V any](t *testing.T, err error, keys map[string]V, source func(key string) string) {
	t.Helper()
	broken, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error is %v, want an *Error", err)
	}
	for key := range keys {
		if !slices.ContainsFunc(broken.Problems, func(p Problem) bool {
			name, _, _ := strings.Cut(p.Key, "[")
			return name == key && p.Source == source(key)
		}) {
			t.Errorf("%s is accepted", source(key)+" "+key)
		}
	}
}

// TestNoneClears: the word none clears what may be empty, and only as a value of
// its own.
func TestNoneClears(t *testing.T) {
	t.Parallel()
	path := write(t, "auth.yaml", `
token: {keys: [`+hexKey+`], issuer: us, audience: [a], require_issuer: them, require_audience: [a, b]}
http: {header_scheme: PASETO, allowed_origins: ['https://a.example']}
denylist: {redis: {password: s3cret}}`)
	want := newConfig()
	want.Token.Keys, want.Token.Audience, want.Token.RequireAudience = []Key{}, []string{}, []string{}
	want.HTTP.HeaderScheme, want.HTTP.AllowedOrigins = "none", []string{}
	for name, sources := range map[string]struct{ files, environ []string }{
		"variables": {[]string{path}, []string{
			"PASETOKIT_TOKEN__KEYS=none", "PASETOKIT_TOKEN__ISSUER=none", "PASETOKIT_TOKEN__AUDIENCE= none ",
			"PASETOKIT_TOKEN__REQUIRE_ISSUER=none", "PASETOKIT_TOKEN__REQUIRE_AUDIENCE=none", "PASETOKIT_HTTP__HEADER_SCHEME=none",
			"PASETOKIT_HTTP__ALLOWED_ORIGINS=none", "PASETOKIT_DENYLIST__REDIS__PASSWORD=none",
		}},
		"file": {[]string{path, write(t, "none.yaml", `
token: {keys: none, issuer: none, audience: none, require_issuer: ' none', require_audience: none}
http: {header_scheme: none, allowed_origins: none}
denylist: {redis: {password: none}}`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, _, err := load(sources.environ, sources.files)
			if err != nil {
				t.Fatal(err)
			}
			wantConfig(t, cfg, want)
		})
	}
	for _, variable := range []string{
		"PASETOKIT_TOKEN__REQUIRE_AUDIENCE=none,a", "PASETOKIT_TOKEN__AUDIENCE=a, none", "PASETOKIT_TOKEN__KEYS=none,none",
		"PASETOKIT_HTTP__LOCATIONS=none", "PASETOKIT_TOKEN__VERSION=none", "PASETOKIT_DENYLIST__DISABLED=none", "PASETOKIT_TOKEN__MAX_LENGTH=none",
	} {
		if _, _, err := load([]string{variable}, nil); err == nil {
			t.Errorf("%s is accepted", variable)
		}
	}
	cfg, _, err := load([]string{"PASETOKIT_HTTP__COOKIE__SAME_SITE=none", "PASETOKIT_HTTP__REALM=none"}, nil)
	if err != nil || cfg.HTTP.Cookie.SameSite != "none" || cfg.HTTP.Realm != "none" {
		t.Errorf("where a value is needed, none is one: %v", err)
	}
}

// TestNoneIsNoName: neither files nor code make a name of the word.
func TestNoneIsNoName(t *testing.T) {
	t.Parallel()
	cfg := newConfig()
	cfg.Token.Issuer, cfg.Token.RequireIssuer = "none", "none"
	cfg.Token.Audience, cfg.Token.RequireAudience = []string{"none"}, []string{"a", "none"}
	var ps problems
	cfg.check(&ps, nil)
	wantEach(t, ps.err(), map[string]bool{
		"token.issuer": true, "token.require_issuer": true, "token.audience": true, "token.require_audience": true,
	}, func(string) string { return "" })
}
