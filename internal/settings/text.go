package settings

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// Rule says in words what a value that breaks the rule of that name should have been.
func (f Field) Rule(name string, value any, formats Formats) string {
	if f.Type.Kind() != reflect.Slice || reflect.TypeOf(value) == f.Type {
		if text := f.Expected(); text != "" {
			return text
		}
	}
	param := ""
	for _, r := range parse(f.Tag.Get("validate")) {
		if r.String() == name {
			param = r[0].param
		}
	}
	switch name {
	case "required":
		return "must not be empty"
	case "min":
		if param == "1" {
			return "must not be empty"
		}
		return "must list at least " + param
	case "max":
		if f.Type.Kind() == reflect.String {
			return "must have at most " + param + " characters"
		}
		return "must list at most " + param
	case "oneof":
		return "expected one of " + strings.ReplaceAll(param, " ", ", ")
	case "unique":
		return "must not list anything twice"
	case "ne":
		return param + " is reserved"
	}
	if format, known := formats[name]; known {
		if err := format(fmt.Sprint(value)); err != nil {
			return err.Error()
		}
	}
	return fmt.Sprintf("settings: there is no rule %q", name)
}

// Expected says in words which numbers or durations a setting takes, and is empty for
// other settings.
func (f Field) Expected() string {
	if f.Type.Kind() != reflect.Int && f.Type.Kind() != reflect.Int64 {
		return ""
	}
	var least, most string
	for _, r := range parse(f.Tag.Get("validate")) {
		for _, a := range r {
			switch a.name {
			case "min":
				least = f.amount(a.param)
			case "max":
				most = f.amount(a.param)
			case "oneof":
				return "expected one of " + strings.ReplaceAll(a.param, " ", ", ")
			}
		}
	}
	text := "expected "
	switch {
	case least != "" && most != "":
		text += least + " to " + most
	case least != "":
		text += least + " or more"
	case most != "":
		text += "at most " + most
	default:
		return ""
	}
	if f.Default() != "" && least != "0" && least != "0s" {
		text += ", 0 for the default"
	}
	if f.PermitsNone() {
		text += ", or none"
	}
	return text
}

// amount returns a bound as a person would write it.
func (f Field) amount(param string) string {
	if f.Type != durationType {
		return param
	}
	const year = 365 * 24 * time.Hour
	d := time.Duration(number(f.Type, param))
	if d >= year && d%year == 0 {
		return fmt.Sprintf("%d years", d/year)
	}
	return Duration(d)
}

// Duration returns a duration as a person would write it: 15m and not 15m0s.
func Duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Problems collects what is wrong with settings.
type Problems []Problem

// Add adds a rule between settings that is broken.
func (ps *Problems) Add(path string, value any, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Value: value, Rule: fmt.Sprintf(format, args...)})
}

// Err returns the problems as one error that wraps sentinel, or nil if there are none.
func (ps Problems) Err(sentinel error) error {
	if len(ps) == 0 {
		return nil
	}
	return &problemsError{sentinel, ps}
}

// In returns the problems that an error of [Problems.Err] has.
func In(err error) Problems {
	if found, ok := errors.AsType[*problemsError](err); ok {
		return found.problems
	}
	return nil
}

type problemsError struct {
	sentinel error
	problems Problems
}

func (e *problemsError) Unwrap() error { return e.sentinel }

// Error returns all problems with the names of code, a line each.
func (e *problemsError) Error() string {
	lines := make([]string, len(e.problems))
	for i, p := range e.problems {
		value := ""
		switch v := p.Value.(type) {
		case nil:
		case time.Duration:
			if value = " = " + Duration(v); v == -1 && !p.Tag {
				value = " = " + None
			}
		default:
			if value = fmt.Sprintf(" = %v", v); reflect.TypeOf(v).Kind() == reflect.String {
				value = fmt.Sprintf(" = %.64q", v)
			}
		}
		lines[i] = fmt.Sprintf("%v: %s%s: %s", e.sentinel, p.Path, value, strings.Replace(p.Named(inCode), ", or none", ", or -1 for none", 1))
	}
	return strings.Join(lines, "\n")
}

func inCode(path string) string { return path }

// Text returns a duration as files write it.
func Text(d time.Duration) string {
	if d == -1 {
		return None
	}
	return Duration(d)
}

// Named returns the rule with the names of other settings as name gives them. Where name
// returns nothing, what is in braces is no setting, and stays.
func (p Problem) Named(name func(path string) string) string {
	if p.Tag { // and its text may quote the value
		return p.Rule
	}
	return otherSetting.ReplaceAllStringFunc(p.Rule, func(path string) string { return cmp.Or(name(strings.Trim(path, "{}")), path) })
}

var otherSetting = regexp.MustCompile(`\{[A-Z][A-Za-z.]*\}`)
