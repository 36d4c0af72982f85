package config

import (
	"cmp"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/config/internal/meaning"
	"github.com/pasetokit/pasetokit/internal/settings"
)

// Setting is one configuration key with the value that is in force.
type Setting struct {
	// Key is the configuration key, such as token.access_ttl.
	Key string
	// Value is the value as a file would write it, none for empty text and lists.
	// A secret is left out: of a key it says only where it is.
	Value string
	// Source is where the value was set: the path of a file, the name of an
	// environment variable, or "default".
	Source string
	// Type is what the value is: string, bool, int, duration, list of strings, list of
	// keys.
	Type string
	// Variable is the name of the environment variable that sets it.
	Variable string
	// Meaning says what the setting does, in a paragraph.
	Meaning string
	// Expected says which numbers or durations are valid. Empty for other types.
	Expected string
}

// Settings returns what [Load] makes of the same files and the environment, and
// where each value comes from: one Setting for every key, in the order of
// [Config]. The error is that of Load.
func Settings(files ...string) ([]Setting, error) {
	cfg, sources, err := load(os.Environ(), files)
	if err != nil {
		return nil, err
	}
	return cfg.settings(sources), nil
}

// Reference returns every setting with its default.
func Reference() []Setting { return newConfig().settings(nil) }

func (c *Config) settings(sources map[string]*source) []Setting {
	fields := schemaOf(c)
	all := make([]Setting, len(fields))
	for i, f := range fields {
		all[i] = Setting{
			Key: f.Key, Value: valueText(f), Source: "default", Type: typeText(f), Variable: variableName(f.Key),
			Meaning: meaning.Of[f.Key], Expected: f.Expected(),
		}
		if s := sources[f.Key]; s != nil {
			all[i].Source = s.name
		}
	}
	return all
}

// valueText returns the value of a setting as a file would write it.
func valueText(f settings.Field) string {
	v, text := f.Value, f.Default()
	switch isList := f.Type.Kind() == reflect.Slice; {
	case v.IsZero() && text != "" && isList:
		return "[" + strings.ReplaceAll(text, ",", ", ") + "]"
	case v.IsZero() && text != "":
		return text
	case isList && v.Len() > 0:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = fmt.Sprint(v.Index(i))
		}
		text = "[" + strings.Join(items, ", ") + "]"
	case isList, f.PermitsNone() && v.Int() == -1:
		return none
	case f.Type == durationType:
		text = settings.Text(time.Duration(v.Int()))
	default:
		text = cmp.Or(fmt.Sprint(v), none)
	}
	if f.Type != keysType && keyLike.MatchString(text) { // a key in the wrong place
		return redacted
	}
	return text
}

func typeText(f settings.Field) string {
	switch {
	case f.Type == keysType:
		return "list of keys"
	case f.Type == durationType:
		return "duration"
	case f.Type.Kind() == reflect.Slice:
		return "list of strings"
	case f.Type.Kind() == reflect.Bool:
		return "bool"
	case slices.Contains([]reflect.Kind{reflect.Int, reflect.Int64}, f.Type.Kind()):
		return "int"
	}
	return "string"
}
