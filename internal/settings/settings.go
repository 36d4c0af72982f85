// Package settings reads what the fields of a struct say of themselves, so that each
// setting stands in one place:
//
//	// TicketTTL is the lifetime of tickets. Default 30s.
//	TicketTTL time.Duration `koanf:"ticket_ttl" default:"30s" validate:"omitempty,min=1s,max=30s"`
//
// The tag koanf is the name in files, default is the value that zero stands for, and
// validate is the rule, in the language of github.com/go-playground/validator. Package
// config lets validator judge the rule; the packages that act on the settings let [Check]
// do it, and so do not link validator. A field without the tag koanf is no setting.
//
// A rule that permits none permits -1: the constant that lifts a bound in code, and the
// word none in files.
package settings

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// None is the word that stands for -1 in files, and for a text or a list that is empty.
const None = "none"

// Field is one setting of a struct.
type Field struct {
	reflect.StructField
	// Key is the name in files, from the struct on: limits.lease_ttl.
	Key string
	// Path is the name in code, from the struct on: Limits.LeaseTTL.
	Path string
	// Owner is the type of the struct that declares the field.
	Owner reflect.Type
	// Value is the field's. It can be set if the struct was given by its address.
	Value reflect.Value
}

// Fields returns the settings of a struct, or of what points to one, in the order of its
// fields, those of its sections in their place. A section is a field that is a struct of
// settings, or an interface that holds the address of one.
func Fields(of any) []Field { return fields("", "", reflect.ValueOf(of)) }

func fields(key, path string, v reflect.Value) []Field {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	var all []Field
	for f, value := range v.Fields() {
		name, squash := strings.CutSuffix(f.Tag.Get("koanf"), ",squash")
		switch {
		case squash:
			all = append(all, fields(key, path, value)...)
		case name == "":
		case isSection(value):
			all = append(all, fields(Join(key, name), Join(path, f.Name), value)...)
		case f.Type.Kind() != reflect.Interface:
			all = append(all, Field{StructField: f, Key: Join(key, name), Path: Join(path, f.Name), Owner: v.Type(), Value: value})
		}
	}
	return all
}

// isSection reports whether v is a struct of settings, or the address of one.
func isSection(v reflect.Value) bool {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return false
	}
	for f := range v.Type().Fields() {
		if f.Tag.Get("koanf") != "" {
			return true
		}
	}
	return false
}

// Join returns the name of what is inside a section. Both may be empty.
func Join(section, name string) string {
	if section == "" || name == "" {
		return section + name
	}
	return section + "." + name
}

// Default returns the value that zero stands for, as a file would write it, without the
// brackets of a list. It is empty where zero stands for itself, or for what other settings
// decide.
func (f Field) Default() string { return f.Tag.Get("default") }

// PermitsNone reports whether the word none stands for a value of its own: -1.
func (f Field) PermitsNone() bool {
	return slices.ContainsFunc(parse(f.Tag.Get("validate")), func(r rule) bool {
		return slices.ContainsFunc(r, func(a alternative) bool { return a.name == None })
	})
}

// SetDefaults sets every setting of a struct, given by its address, that is zero to its
// default. An empty list that is not nil is not zero.
func SetDefaults(of any) {
	for _, f := range Fields(of) {
		if text := f.Default(); text != "" && f.Value.IsZero() {
			set(f, text)
		}
	}
}

func set(f Field, text string) {
	v := f.Value
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(number(v.Type(), text))
	case reflect.Slice:
		items := strings.Split(text, ",")
		list := reflect.MakeSlice(v.Type(), len(items), len(items))
		for i, item := range items {
			list.Index(i).SetString(strings.TrimSpace(item))
		}
		v.Set(list)
	default:
		panic("settings: " + f.Path + " has a type that can have no default")
	}
}

var durationType = reflect.TypeFor[time.Duration]()

// number reads a whole number, or a duration where the type is one, or none. Tags are fixed, and a
// mistake in one is found by any test that makes its package's configuration.
func number(t reflect.Type, text string) int64 {
	if text == None {
		return -1
	}
	if t == durationType {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic("settings: " + err.Error())
		}
		return int64(d)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("settings: " + err.Error())
	}
	return n
}
