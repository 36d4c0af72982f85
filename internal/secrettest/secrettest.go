// Package secrettest shows values in every way that a program may show them by
// accident, and looks for the secrets that they hold.
package secrettest

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
)

// holder is a struct of somebody else.
type holder[T any] struct {
	Shown   T
	hidden  T
	Pointer *T
	pointer *T
	list    []T
	named   map[string]T
	any     any
}

// Hides checks that no printer and no encoder shows any of the secrets when it is
// given the value, alone or inside other values.
func Hides[T any](t testing.TB, value T, secrets ...string) {
	t.Helper()
	h := holder[T]{value, value, &value, &value, []T{value}, map[string]T{"x": value}, value}
	for place, v := range map[string]any{
		"alone": value, "behind a pointer": &value, "in a list": []T{value}, "in a map": map[string]T{"x": value},
		"in a struct": h, "in a struct behind a pointer": &h, "in a list of structs": []holder[T]{h},
		"in one exported field": struct{ X T }{value}, "in one unexported field": struct{ x T }{value},
	} {
		for way, shown := range shows(v) {
			for _, secret := range secrets {
				if form := find(shown, secret); form != "" {
					t.Errorf("%s, %s shows a secret %s: %.400s", place, way, form, shown)
				}
			}
		}
	}
}

// shows returns the value in the words of all printers and encoders. What one of
// them refuses counts with its error.
func shows(v any) map[string]string {
	all := map[string]string{}
	for _, verb := range strings.Fields("%v %+v %#v %s %q %x %X %d %t %p %w %T %10.3s %!") {
		all[verb] = fmt.Sprintf(verb, v)
	}
	all["no verb"] = fmt.Sprintf(strings.Clone(""), v) // an argument too many
	var text, object bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&object, nil)} {
		slog.New(handler).Info("x", "value", v, slog.Group("group", "value", v))
	}
	all["slog's text"], all["slog's JSON"] = text.String(), object.String()
	all["gob"] = gobs(reflect.ValueOf(v), 0)
	for name, encode := range map[string]func() ([]byte, error){
		"JSON": func() ([]byte, error) { return json.Marshal(v) },
		"XML":  func() ([]byte, error) { return xml.Marshal(v) },
		"YAML": func() (_ []byte, err error) {
			defer func() { // it panics for what it cannot encode
				if r := recover(); r != nil {
					err = fmt.Errorf("%v", r)
				}
			}()
			return yaml.Parser().Marshal(map[string]any{"x": v})
		},
		"TOML": func() ([]byte, error) { return toml.Parser().Marshal(map[string]any{"x": v}) },
	} {
		encoded, err := encode()
		all[name] = string(encoded) + fmt.Sprint(err)
	}
	return all
}

// gobs returns what encoding/gob makes of a value, and of everything in it that is
// exported: it refuses all of a struct for the first field that it cannot encode.
func gobs(v reflect.Value, depth int) string {
	const deepest = 10
	if !v.IsValid() || depth > deepest || v.Kind() == reflect.Pointer && v.IsNil() {
		return ""
	}
	var b bytes.Buffer
	err := gob.NewEncoder(&b).EncodeValue(v)
	all := b.String() + fmt.Sprint(err)
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		all += gobs(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			all += gobs(v.Index(i), depth+1)
		}
	case reflect.Map:
		for name, member := range v.Seq2() {
			all += gobs(name, depth+1) + gobs(member, depth+1)
		}
	case reflect.Struct:
		for field, member := range v.Fields() {
			if field.IsExported() {
				all += gobs(member, depth+1)
			}
		}
	}
	return all
}

// find returns the form in which a text holds a secret, or nothing.
func find(text, secret string) string {
	raw := []byte(secret)
	for form, written := range map[string]string{
		"as it is":     secret,
		"in quotes":    strings.Trim(fmt.Sprintf("%q", secret), `"`),
		"in hex":       hex.EncodeToString(raw),
		"in Go":        strings.Trim(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte"), "{}"),
		"in decimal":   strings.Trim(fmt.Sprintf("%d", raw), "[]"),
		"in base64":    base64.RawStdEncoding.EncodeToString(raw),
		"in base64url": base64.RawURLEncoding.EncodeToString(raw),
	} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(written)) {
			return form
		}
	}
	return ""
}
