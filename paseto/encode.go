package paseto

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/strictjson"
)

// encode returns v as JSON, with nothing escaped that need not be, so that it does
// not grow whenever it is encoded anew.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encodeGiven returns what a caller gave as JSON. It refuses strings that are not
// valid UTF-8, of which encoding/json would replace the bytes.
func encodeGiven(v any) ([]byte, error) {
	encoded, err := encode(v)
	if err != nil {
		return nil, err
	}
	// The character itself stands without an escape. With one, it was written in a
	// json.RawMessage, or encoding/json wrote it for what is not valid.
	if strictjson.Escapes(encoded, utf8.RuneError) && isReplaced(reflect.ValueOf(v), 0) {
		return nil, errors.New("a string is not valid UTF-8")
	}
	return encoded, nil
}

// isReplaced reports whether encoding/json replaces bytes of a string in v, which it
// can encode. It looks no deeper than is needed for what strictjson accepts.
func isReplaced(v reflect.Value, depth int) bool {
	const deepest = 256
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case depth > deepest:
		return true
	case !v.IsValid(), v.Kind() == reflect.Pointer && v.IsNil():
		return false
	}
	whole := v
	if v.CanAddr() {
		whole = v.Addr() // encoding/json calls methods of the pointer as well
	}
	if whole.CanInterface() {
		switch given := whole.Interface().(type) {
		case json.RawMessage, *json.RawMessage: // as its author wrote it
			return false
		case json.Marshaler:
			encoded, err := given.MarshalJSON()
			return err == nil && strictjson.Escapes(encoded, utf8.RuneError)
		case encoding.TextMarshaler:
			text, err := given.MarshalText()
			return err == nil && !utf8.Valid(text)
		}
	}
	switch v.Kind() {
	case reflect.String:
		return !utf8.ValidString(v.String())
	case reflect.Pointer:
		return isReplaced(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if isReplaced(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		for name, member := range v.Seq2() {
			if isReplaced(name, depth+1) || isReplaced(member, depth+1) {
				return true
			}
		}
	case reflect.Struct:
		for field, member := range v.Fields() {
			if (field.IsExported() || field.Anonymous) && field.Tag.Get("json") != "-" && isReplaced(member, depth+1) {
				return true
			}
		}
	}
	return false
}
