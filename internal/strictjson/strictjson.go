// Package strictjson reads JSON without the leniency of encoding/json: a member
// that occurs twice, a name that differs in case alone, bytes that are not
// UTF-8, half of a surrogate pair and anything after the value are never silently
// resolved. Two programs that resolve them differently see two different tokens,
// and encoding/json makes one name of two.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a document, and so the recursion over it.
const maxDepth = 64

var (
	errSyntax    = errors.New("not valid JSON")
	errUTF8      = errors.New("not valid UTF-8")
	errSurrogate = errors.New("half of a surrogate pair, which is no character")
	errNotObject = errors.New("not a JSON object")
	errTooDeep   = fmt.Errorf("nested deeper than %d levels", maxDepth)
)

// Object checks that data is one JSON object that [Value] would accept. It calls
// member for each member of the outermost object in order, with the decoded name
// and the undecoded value, which shares memory with data. An error of member ends
// the reading.
func Object(data []byte, member func(name string, value json.RawMessage) error) error {
	data, err := check(data)
	if err != nil {
		return err
	}
	if data[0] != '{' {
		return errNotObject
	}
	_, err = object(data, 1, member)
	return err
}

// Value checks that data is one JSON value of any kind, in which no object, at
// any depth, has two members of the same name.
func Value(data []byte) error {
	data, err := check(data)
	if err != nil {
		return err
	}
	_, err = value(data, 0)
	return err
}

// check checks all that can be told without walking over the value, and returns
// data from where that begins.
func check(data []byte) ([]byte, error) {
	switch {
	case !utf8.Valid(data):
		return nil, errUTF8
	case !json.Valid(data):
		return nil, errSyntax
	case !paired(data):
		return nil, errSurrogate
	}
	return skip(data), nil
}

// paired reports whether every escaped half of a surrogate pair is followed by its
// other half. The data is valid JSON, in which only strings have backslashes.
func paired(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 {
			return true
		}
		first, rest := escape(data[i:])
		if utf16.IsSurrogate(first) {
			if len(rest) == 0 || rest[0] != '\\' {
				return false
			}
			var second rune
			if second, rest = escape(rest); utf16.DecodeRune(first, second) == unicode.ReplacementChar {
				return false
			}
		}
		data = rest
	}
}

// Escapes reports whether a string in data, which must be valid JSON, has r as an
// escape of its hexadecimal digits.
func Escapes(data []byte, r rune) bool {
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 {
			return false
		}
		var escaped rune
		if escaped, data = escape(data[i:]); escaped == r {
			return true
		}
	}
}

// escape splits the escape that data begins with from what follows. It returns the
// rune of one in hexadecimal digits, and -1 for the others.
func escape(data []byte) (r rune, rest []byte) {
	if data[1] != 'u' {
		return -1, data[2:]
	}
	n, _ := strconv.ParseUint(string(data[2:6]), 16, 16) // valid
	return rune(n), data[6:]
}

const space = " \t\r\n"

// The functions below walk over JSON that is known to be valid. Each takes
// data that begins with what it reads and returns what follows.

func object(data []byte, depth int, member func(string, json.RawMessage) error) ([]byte, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	data = skip(data[1:]) // the opening brace
	if data[0] == '}' {
		return data[1:], nil
	}
	var seen names
	for {
		literal, rest := str(data)
		name, err := unquote(literal)
		if err != nil {
			return nil, err
		}
		if !seen.add(name) {
			return nil, fmt.Errorf("member %q occurs twice", clip(name))
		}

		rest = skip(rest)
		data = skip(rest[1:]) // the colon
		rest, err = value(data, depth)
		if err != nil {
			return nil, err
		}
		if member != nil {
			if err := member(name, json.RawMessage(data[:len(data)-len(rest)])); err != nil {
				return nil, err
			}
		}
		rest = skip(rest)
		if rest[0] == '}' {
			return rest[1:], nil
		}
		data = skip(rest[1:]) // the comma
	}
}

// names is a set that takes no memory of its own while it is small.
type names struct {
	few  [16]string
	n    int
	many map[string]struct{} // all, once they are more than few
}

// add reports whether name is a new one.
func (s *names) add(name string) bool {
	if s.many == nil && s.n < len(s.few) {
		if slices.Contains(s.few[:s.n], name) {
			return false
		}
		s.few[s.n] = name
		s.n++
		return true
	}
	if s.many == nil {
		s.many = make(map[string]struct{}, 2*len(s.few))
		for _, earlier := range s.few {
			s.many[earlier] = struct{}{}
		}
	}
	_, twice := s.many[name]
	s.many[name] = struct{}{}
	return !twice
}

func array(data []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	data = skip(data[1:]) // the opening bracket
	if data[0] == ']' {
		return data[1:], nil
	}
	for {
		rest, err := value(data, depth)
		if err != nil {
			return nil, err
		}
		rest = skip(rest)
		if rest[0] == ']' {
			return rest[1:], nil
		}
		data = skip(rest[1:]) // the comma
	}
}

func value(data []byte, depth int) ([]byte, error) {
	switch data[0] {
	case '{':
		return object(data, depth+1, nil)
	case '[':
		return array(data, depth+1)
	case '"':
		_, rest := str(data)
		return rest, nil
	}
	// A number, true, false or null ends where it can go on no further.
	if end := bytes.IndexAny(data, ",]}"+space); end >= 0 {
		return data[end:], nil
	}
	return nil, nil
}

// str splits a string literal, quotes included, from what follows.
func str(data []byte) (literal, rest []byte) {
	for i := 1; ; i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return data[:i+1], data[i+1:]
		}
	}
}

// String returns the text of a value that [Object] has given, or reports that it is
// none.
func String(value json.RawMessage) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	text, err := unquote(value)
	return text, err == nil
}

func unquote(literal []byte) (string, error) {
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1 : len(literal)-1]), nil
	}
	var s string
	err := json.Unmarshal(literal, &s)
	return s, err
}

func skip(data []byte) []byte { return bytes.TrimLeft(data, space) }

func clip(s string) string {
	const most = 32
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
