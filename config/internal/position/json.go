package position

import (
	"bytes"
	"encoding/json"
)

func (f *finder) json(data []byte) {
	j := &jsonFinder{finder: f, decoder: json.NewDecoder(bytes.NewReader(data)), breaks: breaksOf(data)}
	if token, _, ok := j.next(); ok {
		j.value("", token, 0)
	}
}

type jsonFinder struct {
	*finder
	decoder *json.Decoder
	breaks  breaks
}

// next returns the next token and the line it is on, of which a token has but one.
func (j *jsonFinder) next() (token json.Token, line int, ok bool) {
	token, err := j.decoder.Token()
	return token, j.breaks.line(int(j.decoder.InputOffset())), err == nil
}

// value notes what is inside the value that begins with token, and reads to its
// end. It reports whether to go on after it.
func (j *jsonFinder) value(path string, token json.Token, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch token {
	case json.Delim('{'):
		for j.decoder.More() {
			name, line, ok := j.next()
			text, isText := name.(string)
			if !ok || !isText {
				return false
			}
			at := join(path, text)
			if value, _, ok := j.next(); !ok || !j.note(at, line) || !j.value(at, value, depth+1) {
				return false
			}
		}
	case json.Delim('['):
		for i := 0; j.decoder.More(); i++ {
			at := member(path, i)
			if item, line, ok := j.next(); !ok || !j.note(at, line) || !j.value(at, item, depth+1) {
				return false
			}
		}
	default:
		return true
	}
	_, _, ok := j.next() // the closing brace or bracket
	return ok
}
