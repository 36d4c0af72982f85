package config

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/rfc3339"
	"github.com/pasetokit/pasetokit/paseto"
)

// tag is the struct tag that names a key.
const tag = "koanf"

// reader turns what a source says into values of the types of [Config], and
// collects what does not fit. It is the schema at work: the structs are the only
// list of keys.
type reader struct {
	source   string
	problems problems
}

var (
	lifetimeType = reflect.TypeFor[Lifetime]()
	limitType    = reflect.TypeFor[Limit]()
	durationType = reflect.TypeFor[time.Duration]()
	keysType     = reflect.TypeFor[[]Key]()
	timeType     = reflect.TypeFor[time.Time]()
	secretType   = reflect.TypeFor[paseto.Secret]()
)

// isSection reports whether a field of [Config] is a section, and not a key.
func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct && t != secretType }

// none is the word that clears a key which may be empty. For other keys it is a value
// like any other.
const none = "none"

func isNone(value any) bool {
	text, ok := value.(string)
	return ok && strings.TrimSpace(text) == none
}

// mayBeEmpty reports whether a field is text or a list, and its rule takes no value
// at all.
func mayBeEmpty(f reflect.StructField) bool {
	if f.Type.Kind() != reflect.String && f.Type.Kind() != reflect.Slice && f.Type != secretType {
		return false
	}
	return rules.Var(reflect.Zero(f.Type).Interface(), f.Tag.Get("validate")) == nil
}

// isEmpty reports whether a source gives a key and no value.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	}
	return value == nil
}

// section returns the members of a section of the file, typed.
func (r *reader) section(key string, t reflect.Type, value any) map[string]any {
	members, ok := value.(map[string]any)
	if !ok {
		if value != nil { // an empty section says nothing
			r.problems.add(Problem{Key: key, Source: r.source, Rule: "expected a section with the keys " + strings.Join(names(t), ", ")})
		}
		return nil
	}
	typed := make(map[string]any, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		path := join(key, name)
		f, known := field(t, name)
		switch {
		case !known:
			r.unknown(join(key, shownName(name)), "", key, t, nearest(path, slices.Concat(keyNames("", configType), fullNames(key, t))))
		case isSection(f.Type):
			if section := r.section(path, f.Type, members[name]); section != nil {
				typed[name] = section
			}
		default:
			if v, ok := r.value(path, f, members[name]); ok {
				typed[name] = v
			}
		}
	}
	return typed
}

// value returns the value of one key, typed. What is empty is refused, so that a
// variable which nobody has set turns no check off; the word none clears.
func (r *reader) value(key string, f reflect.StructField, value any) (any, bool) {
	t := f.Type
	if isEmpty(value) {
		rule := "it has no value; give one, or leave the key out"
		if mayBeEmpty(f) {
			rule += ", or write " + none + " to clear it on purpose"
		}
		r.problems.add(Problem{Key: key, Source: r.source, Rule: rule})
		return nil, false
	}
	if isNone(value) && mayBeEmpty(f) {
		if t.Kind() == reflect.Slice {
			return []any{}, true
		}
		return "", true
	}
	switch t {
	case keysType:
		return r.keys(key, value)
	case secretType:
		rule := "expected a string"
		text, ok := value.(string)
		if ok {
			ok, rule = text != redacted, "it is the placeholder for a secret that was not shown, and not the secret"
		}
		if !ok {
			r.problems.add(Problem{Key: key, Source: r.source, Value: redacted, Rule: rule})
		}
		return text, ok
	case lifetimeType, durationType:
		d, ok := duration(value, t == lifetimeType)
		if !ok {
			expected := "expected a duration such as 30s or 15m, or a number of seconds"
			if t == lifetimeType {
				expected = "expected a duration such as 15m or 720h, a number of seconds, or none"
			}
			r.wrong(key, value, expected)
			return nil, false
		}
		return reflect.ValueOf(d).Convert(t).Interface(), true
	}
	if t == limitType {
		if isNone(value) {
			return NoLimit, true
		}
		if n, ok := integer(value); ok && n >= 0 && n <= math.MaxInt32 {
			return Limit(n), true
		}
		r.wrong(key, value, limitRule)
		return nil, false
	}
	switch t.Kind() {
	case reflect.String:
		if s, ok := value.(string); ok {
			return s, true
		}
		r.wrong(key, value, "expected a string")
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			return b, true
		}
		r.wrong(key, value, "expected true or false")
	case reflect.Int, reflect.Int64:
		if n, ok := integer(value); ok && !reflect.Zero(t).OverflowInt(n) {
			return reflect.ValueOf(n).Convert(t).Interface(), true
		}
		r.wrong(key, value, "expected a whole number")
	case reflect.Slice:
		return r.strings(key, value)
	default:
		panic("config: no reader for " + t.String())
	}
	return nil, false
}

const limitRule = "expected a whole number, 0 for the default, or none"

func (r *reader) strings(key string, value any) (any, bool) {
	list, ok := value.([]any)
	if !ok {
		r.wrong(key, value, "expected a list, such as [one, two]")
		return nil, false
	}
	out := make([]string, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch out[i], ok = v.(string); {
		case !ok && v != nil:
			r.wrong(at, v, "expected a string")
			return nil, false
		case isEmpty(v):
			r.problems.add(Problem{Key: at, Source: r.source, Rule: "it is empty; give a value, or take it out of the list"})
			return nil, false
		case isNone(v):
			r.problems.add(Problem{Key: at, Source: r.source, Rule: none + " means an empty list, and cannot be a member of one"})
			return nil, false
		}
	}
	return out, true
}

// keys returns the list of token.keys, each an object. No value of it is ever shown.
func (r *reader) keys(key string, value any) (any, bool) {
	list, ok := value.([]any)
	if !ok {
		r.problems.add(Problem{Key: key, Source: r.source, Rule: "expected a list of keys"})
		return nil, false
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
			r.problems.add(Problem{Key: fmt.Sprintf("%s[%d]", key, i), Source: r.source, Rule: rule})
			return nil, false
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
	t, typed := reflect.TypeFor[Key](), make(map[string]any, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		f, known := field(t, name)
		switch text, isText := members[name].(string); {
		case !known || name == "value":
			all := slices.DeleteFunc(names(t), func(name string) bool { return name == "value" })
			return nil, "expected the key itself as a string, or an object; known in it: " + strings.Join(all, ", ")
		case f.Type == timeType:
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

// variable returns the value of a key from the environment, where all values
// are text. The value has the form that a file would have given it.
func variable(t reflect.Type, text string) any {
	switch {
	case t.Kind() == reflect.Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case t.Kind() == reflect.Int, t == lifetimeType, t.Kind() == reflect.Int64:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && !leadingZero.MatchString(text) {
			return n
		}
	case t.Kind() == reflect.Slice && !isEmpty(text) && !isNone(text):
		list := []any{}
		for item := range strings.SplitSeq(text, ",") {
			list = append(list, strings.TrimSpace(item))
		}
		return list
	}
	return text
}

// duration reads a duration, a number of seconds, or the lifetime none.
func duration(value any, lifetime bool) (time.Duration, bool) {
	if s, ok := value.(string); ok {
		if lifetime && isNone(s) {
			return time.Duration(NoExpiry), true
		}
		d, err := time.ParseDuration(s)
		return d, err == nil && d != time.Duration(NoExpiry) && !leadingZero.MatchString(s)
	}
	n, ok := integer(value)
	if !ok || n > int64(math.MaxInt64/time.Second) || n < 0 {
		return 0, false
	}
	return time.Duration(n) * time.Second, true
}

// integer reads a whole number of any type that a parser may give it.
func integer(value any) (int64, bool) {
	switch n := value.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case uint64:
		return int64(n), n <= math.MaxInt64 //nolint:gosec // not used if it does not fit
	case float64: // the numbers of JSON
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	}
	return 0, false
}

func (r *reader) wrong(key string, value any, expected string) {
	if text, ok := value.(string); ok && leadingZero.MatchString(text) {
		expected += "; it must not begin with 0"
	}
	r.problems.add(Problem{Key: key, Source: r.source, Value: shownOf(key, value), Rule: expected})
}

// unknown reports a key that is not in the section, as it stands in the source, and
// the one that was probably meant.
func (r *reader) unknown(key, source, section string, t reflect.Type, meant string) {
	if source == "" {
		source = r.source
	}
	if meant != "" {
		rule := "unknown key" + didYouMean(meant)
		if i := strings.LastIndexByte(key, '.'); meant == key && section == "" { // as it stands in the file
			rule = fmt.Sprintf("unknown key; write %s inside the section %s", key[i+1:], key[:i])
		}
		r.problems.add(Problem{Key: key, Source: source, Rule: rule})
		return
	}
	at := "at the top level"
	if section != "" {
		at = "in " + section
	}
	r.problems.add(Problem{Key: key, Source: source, Rule: "unknown key; known " + at + ": " + strings.Join(names(t), ", ")})
}

// field returns the field of a section that a key names.
func field(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if f.Tag.Get(tag) == name {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// names returns the keys of a section.
func names(t reflect.Type) []string {
	var all []string
	for f := range t.Fields() {
		all = append(all, f.Tag.Get(tag))
	}
	return all
}

// fullNames returns the keys of a section with its name.
func fullNames(section string, t reflect.Type) []string {
	all := names(t)
	for i, name := range all {
		all[i] = join(section, name)
	}
	return all
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}
