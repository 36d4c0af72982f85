package settings

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Formats are rules for text that have a name. Each returns an error that says what was
// expected, such as "expected a path that begins with /".
type Formats map[string]func(text string) error

// Problem is a setting that breaks a rule.
type Problem struct {
	// Path is the name of the setting in code, with the position of a member of a
	// list: Limits.LeaseTTL, Locations[1].
	Path string
	// Value is what it is set to, nil for a list as a whole.
	Value any
	// Rule says what was expected. A path in braces is another setting.
	Rule string
	// Tag says that the field's own tag is broken, and not a rule between settings.
	Tag bool
}

// Check returns the settings of a struct whose tags are broken. A rule that is neither
// known here nor one of formats counts as broken.
func Check(of any, formats ...Formats) Problems {
	known := maps.Clone(Basic)
	for _, f := range formats {
		maps.Copy(known, f)
	}
	var all Problems
	for _, f := range Fields(of) {
		all = append(all, f.check(known)...)
	}
	return all
}

func (f Field) check(formats Formats) Problems {
	rules := parse(f.Tag.Get("validate"))
	broken := func(path string, value reflect.Value, r rule) Problem {
		p := Problem{Path: path, Rule: f.Rule(r.String(), value.Interface(), formats), Tag: true}
		if value.Kind() != reflect.Slice {
			p.Value = value.Interface()
		}
		return p
	}
	for i, r := range rules {
		switch {
		case r.is("omitempty"):
			if f.Value.IsZero() {
				return nil
			}
		case r.is("dive"):
			var all Problems
			for n := range f.Value.Len() {
				item := f.Value.Index(n)
				for _, r := range rules[i+1:] {
					if !r.holds(item, formats) {
						all = append(all, broken(fmt.Sprintf("%s[%d]", f.Path, n), item, r))
						break
					}
				}
			}
			return all
		case !r.holds(f.Value, formats):
			return Problems{broken(f.Path, f.Value, r)}
		}
	}
	return nil
}

// rule is one of the rules between the commas of a tag: alternatives, one of which has to
// hold.
type rule []alternative

type alternative struct{ name, param string }

func parse(tag string) (rules []rule) {
	if tag == "" {
		return nil
	}
	for part := range strings.SplitSeq(tag, ",") {
		var r rule
		for one := range strings.SplitSeq(part, "|") {
			name, param, _ := strings.Cut(one, "=")
			r = append(r, alternative{name, param})
		}
		rules = append(rules, r)
	}
	return rules
}

func (r rule) is(name string) bool { return len(r) == 1 && r[0].name == name }

func (r rule) String() string {
	names := make([]string, len(r))
	for i, a := range r {
		names[i] = a.name
	}
	return strings.Join(names, "|")
}

func (r rule) holds(v reflect.Value, formats Formats) bool {
	return slices.ContainsFunc(r, func(a alternative) bool { return a.holds(v, formats) })
}

func (a alternative) holds(v reflect.Value, formats Formats) bool {
	switch a.name {
	case None:
		return v.CanInt() && v.Int() == -1
	case "required":
		return !v.IsZero()
	case "min":
		n, sized := size(v)
		return sized && n >= a.bound(v)
	case "max":
		n, sized := size(v)
		return sized && n <= a.bound(v)
	case "oneof":
		return slices.Contains(strings.Fields(a.param), fmt.Sprint(v.Interface()))
	case "ne":
		return v.Kind() == reflect.String && v.String() != a.param
	case "unique":
		seen := make(map[any]bool, v.Len())
		for i := range v.Len() {
			item := v.Index(i).Interface()
			if seen[item] {
				return false
			}
			seen[item] = true
		}
		return true
	}
	format, known := formats[a.name]
	return known && v.Kind() == reflect.String && format(v.String()) == nil
}

// size is what min and max bound: a number, the length of a list, the characters of a text.
func size(v reflect.Value) (n int64, ok bool) {
	switch {
	case v.CanInt():
		return v.Int(), true
	case v.Kind() == reflect.Slice:
		return int64(v.Len()), true
	}
	return int64(utf8.RuneCountInString(v.String())), v.Kind() == reflect.String
}

func (a alternative) bound(v reflect.Value) int64 {
	if v.CanInt() {
		return number(v.Type(), a.param)
	}
	return number(reflect.TypeFor[int64](), a.param)
}
