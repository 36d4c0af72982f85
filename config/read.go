package config

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// reader turns what a source says into values that fit the fields of [Config], and
// collects what does not fit.
type reader struct {
	schema   schema
	source   *source
	problems problems
}

// none is the word that clears a text or a list, and lifts a bound.
const none = settings.None

func isNone(value any) bool {
	text, ok := value.(string)
	return ok && strings.TrimSpace(text) == none
}

// mayBeEmpty reports whether none clears a setting: a text or a list whose default is
// empty.
func mayBeEmpty(f settings.Field) bool {
	k := f.Type.Kind()
	return f.Default() == "" && (k == reflect.String || k == reflect.Slice || f.Type == secretType)
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

// section returns the members of a section of the source, typed.
func (r *reader) section(name string, value any) map[string]any {
	members, ok := value.(map[string]any)
	if !ok {
		if value != nil { // an empty section says nothing
			r.wrong(name, nil, "expected a section with the keys "+strings.Join(r.schema.names(name), ", "))
		}
		return nil
	}
	typed := make(map[string]any, len(members))
	for _, member := range slices.Sorted(maps.Keys(members)) {
		key := settings.Join(name, member)
		f, known := r.schema.field(key)
		switch {
		case strings.Contains(member, delimiter): // one name, and not a section's and a key's
			r.unknown(name, member, nearest(key, r.schema.keys()))
		case known:
			if v, ok := r.value(f, members[member]); ok {
				typed[member] = v
			}
		case r.schema.isSection(key):
			if section := r.section(key, members[member]); section != nil {
				typed[member] = section
			}
		case notImported(key) != "":
			if !saysNothing(members[member]) {
				r.wrong(key, nil, notImported(key))
			}
		default:
			known := r.schema.keys()
			for _, other := range r.schema.names(name) {
				known = append(known, settings.Join(name, other))
			}
			r.unknown(name, member, cmp.Or(nearest(key, known), r.schema.elsewhere(key)))
		}
	}
	return typed
}

// saysNothing reports whether a section has no key with a value.
func saysNothing(section any) bool {
	members, ok := section.(map[string]any)
	for _, member := range members {
		ok = ok && saysNothing(member)
	}
	return ok || section == nil
}

// value returns the value of one key, typed. What is empty is refused, so that a
// variable which nobody has set turns no check off; the word none clears.
func (r *reader) value(f settings.Field, value any) (any, bool) {
	if isEmpty(value) {
		rule := "it has no value; give one, or leave the key out"
		if mayBeEmpty(f) {
			rule += ", or write " + none + " to clear it on purpose"
		}
		return nil, r.wrong(f.Key, nil, rule)
	}
	if isNone(value) && mayBeEmpty(f) {
		if f.Type.Kind() == reflect.Slice {
			return []any{}, true
		}
		return "", true
	}
	switch f.Type {
	case keysType:
		return r.keys(f.Key, value)
	case secretType:
		text, ok := value.(string)
		switch {
		case !ok:
			return nil, r.wrong(f.Key, nil, "expected a string")
		case text == redacted:
			return nil, r.wrong(f.Key, nil, "it is the placeholder for a secret that was not shown, and not the secret")
		}
		return text, true
	}
	switch f.Type.Kind() {
	case reflect.String:
		if s, ok := value.(string); ok {
			return s, true
		}
		return nil, r.wrong(f.Key, value, "expected a string")
	case reflect.Bool:
		if b, ok := value.(bool); ok {
			return b, true
		}
		return nil, r.wrong(f.Key, value, "expected true or false")
	case reflect.Slice:
		return r.strings(f.Key, value)
	}
	return r.number(f, value)
}

// number returns a whole number or a duration; -1 for the word none, where the rule
// permits that.
func (r *reader) number(f settings.Field, value any) (any, bool) {
	n, ok := integer(value)
	expected := "expected a whole number"
	if f.Type == durationType {
		var d time.Duration
		d, ok = duration(value)
		n, expected = int64(d), "expected a duration such as 30s or 15m, or a number of seconds"
	}
	switch {
	case f.PermitsNone() && isNone(value):
		return int64(-1), true
	case ok && n == -1 && f.PermitsNone():
		return nil, r.wrong(f.Key, value, "write "+none+" instead")
	case ok && !reflect.Zero(f.Type).OverflowInt(n):
		return n, true
	}
	if f.PermitsNone() {
		expected += ", or " + none
	}
	if text, isText := value.(string); isText && leadingZero.MatchString(text) {
		expected += "; it must not begin with 0"
	}
	return nil, r.wrong(f.Key, value, expected)
}

func (r *reader) strings(key string, value any) (any, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, r.wrong(key, value, "expected a list, such as [one, two]")
	}
	out := make([]string, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch out[i], ok = v.(string); {
		case !ok && v != nil:
			return nil, r.wrong(at, v, "expected a string")
		case isEmpty(v):
			return nil, r.wrong(at, nil, "it is empty; give a value, or take it out of the list")
		case isNone(v):
			return nil, r.wrong(at, nil, none+" means an empty list, and cannot be a member of one")
		}
	}
	return out, true
}

// variable returns the value of a key from the environment, where all values
// are text. The value has the form that a file would have given it.
func variable(f settings.Field, text string) any {
	switch f.Type.Kind() {
	case reflect.Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b
		}
	case reflect.Int, reflect.Int64:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && !leadingZero.MatchString(text) {
			return n
		}
	case reflect.Slice:
		if isEmpty(text) || isNone(text) {
			return text
		}
		list := []any{}
		for item := range strings.SplitSeq(text, ",") {
			list = append(list, strings.TrimSpace(item))
		}
		return list
	}
	return text
}

// duration reads a duration, or a number of seconds.
func duration(value any) (time.Duration, bool) {
	if s, ok := value.(string); ok {
		d, err := time.ParseDuration(s)
		return d, err == nil && !leadingZero.MatchString(s)
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

// wrong reports what is wrong with a key, and its value unless that is nil. It returns
// false.
func (r *reader) wrong(key string, value any, rule string) bool {
	r.problems.add(r.source.problem(key, value, rule))
	return false
}

// unknown reports a name that is not in the section, as it stands in the source, and
// the key that was probably meant.
func (r *reader) unknown(section, name, meant string) {
	rule := "unknown key"
	i := strings.LastIndexByte(name, '.')
	switch {
	case meant == name && i >= 0: // a key with its section, at the top level
		rule += fmt.Sprintf("; write %s inside the section %s", name[i+1:], name[:i])
	case meant != "":
		rule += didYouMean(r.source.shown(meant)) + renamedValue[settings.Join(section, name)]
	default:
		rule += r.schema.knownIn(section, r.source.shown(section))
	}
	p := r.source.problem(settings.Join(section, name), nil, rule)
	p.Key = r.source.shown(settings.Join(section, shownName(name)))
	r.problems.add(p)
}

// knownIn says which names there are in a section, which is shown by another name.
func (s schema) knownIn(section, shown string) string {
	at := "at the top level"
	if shown != "" {
		at = "in " + shown
	}
	return "; known " + at + ": " + strings.Join(s.names(section), ", ")
}
