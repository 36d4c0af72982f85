package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
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
}

// Settings returns what [Load] makes of the same files and the environment, and
// where each value comes from: one Setting for every key, in the order of
// [Config]. The error is that of Load.
func Settings(files ...string) ([]Setting, error) {
	cfg, sources, err := load(os.Environ(), files)
	if err != nil {
		return nil, err
	}
	return settings("", reflect.ValueOf(*cfg), sources), nil
}

// settings returns the settings of a section.
func settings(section string, v reflect.Value, sources map[string]string) []Setting {
	var all []Setting
	for f, value := range v.Fields() {
		key := join(section, f.Tag.Get(tag))
		if isSection(f.Type) {
			all = append(all, settings(key, value, sources)...)
			continue
		}
		source, set := sources[key]
		if !set {
			source = "default"
		}
		all = append(all, Setting{Key: key, Value: settingText(value.Interface()), Source: source})
	}
	return all
}

// settingText returns a value as a file would write it.
func settingText(value any) string {
	var text string
	switch v := value.(type) {
	case Lifetime:
		text = durationText(v)
	case time.Duration:
		text = durationText(v)
	case []string:
		if len(v) == 0 {
			return none
		}
		text = "[" + strings.Join(v, ", ") + "]"
	case []Key:
		if len(v) == 0 {
			return none
		}
		keys := make([]string, len(v))
		for i, k := range v {
			keys[i] = k.String()
		}
		return "[" + strings.Join(keys, ", ") + "]"
	default:
		if text = fmt.Sprint(v); text == "" {
			return none
		}
	}
	if keyLike.MatchString(text) { // a key in the wrong place
		return redacted
	}
	return text
}

// durationText returns a duration without units that are zero: 15m, not 15m0s.
func durationText(d fmt.Stringer) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
