package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/rfc3339"
	"github.com/pasetokit/pasetokit/internal/settings"
)

// keys returns the list of token.keys, each an object. No value of it is ever shown.
func (r *reader) keys(key string, value any) (any, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, r.wrong(key, nil, "expected a list of keys")
	}
	keys := make([]any, len(list))
	for i, v := range list {
		rule := "expected the key itself as a string, file:path, {file: path} or {env: NAME}"
		if members, isObject := v.(map[string]any); isObject {
			keys[i], rule = keyObject(members)
		} else if text, isText := v.(string); isText && !isEmpty(v) && text != redacted {
			keys[i], rule = keyText(text)
		}
		if rule != "" {
			return nil, r.wrong(fmt.Sprintf("%s[%d]", key, i), nil, rule)
		}
	}
	return keys, true
}

// keyText returns the members of a [Key] that is one text: the key itself, or file: and its path.
func keyText(text string) (typed map[string]any, rule string) {
	path, isFile := strings.CutPrefix(strings.TrimSpace(text), "file:")
	switch path = strings.TrimSpace(path); {
	case !isFile:
		return map[string]any{"value": text}, ""
	case path == "":
		return nil, "expected a path after file:"
	}
	return map[string]any{"file": path}, ""
}

// keyObject returns the members of a [Key], typed, or what is wrong with them.
func keyObject(members map[string]any) (typed map[string]any, rule string) {
	all := schema(settings.Fields(Key{}))
	typed = make(map[string]any, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		f, known := all.field(name)
		switch text, isText := members[name].(string); {
		case !known || name == "value":
			names := slices.DeleteFunc(all.keys(), func(name string) bool { return name == "value" })
			return nil, "expected the key itself as a string, or an object; known in it: " + strings.Join(names, ", ")
		case f.Type == reflect.TypeFor[time.Time]():
			at, ok := instant(members[name])
			if !ok {
				return nil, name + " must be a time with its zone, such as 2030-01-31T12:00:00Z"
			}
			typed[name] = at
		case !isText || isEmpty(text):
			return nil, name + " must be a string, and not empty"
		default:
			typed[name] = text
		}
	}
	return typed, ""
}

// instant reads a time as RFC 3339 writes it, or as the parser of TOML has read it,
// which is as strict. The zero time, which means none, is refused.
func instant(value any) (time.Time, bool) {
	at, ok := value.(time.Time)
	if text, isText := value.(string); isText {
		at, ok = rfc3339.Parse(text)
	}
	return at, ok && !at.IsZero()
}
