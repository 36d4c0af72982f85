package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/knadh/koanf/parsers/json"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/v2"
	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/pasetokit/pasetokit/internal/strictjson"
)

// formatOf returns the parser of a file, by the extension of its name.
func formatOf(extension string) (format string, parser koanf.Parser) {
	switch strings.ToLower(extension) {
	case ".yaml", ".yml":
		return "yaml", inUTF8{strictYAML{yaml.Parser()}}
	case ".toml":
		return "toml", inUTF8{toml.Parser()}
	case ".json":
		return "json", inUTF8{strictJSON{json.Parser()}}
	}
	return "", nil
}

// inUTF8 skips a byte order mark, and refuses other encodings: the parsers would take some of them.
type inUTF8 struct{ koanf.Parser }

func (p inUTF8) Unmarshal(data []byte) (map[string]any, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return nil, errors.New("it is not text in UTF-8; save it as UTF-8")
	}
	return p.Parser.Unmarshal(data)
}

// strictJSON refuses what encoding/json would resolve by itself, such as a
// member that occurs twice.
type strictJSON struct{ koanf.Parser }

func (p strictJSON) Unmarshal(data []byte) (map[string]any, error) {
	if err := strictjson.Object(data, nil); err != nil {
		return nil, err
	}
	return p.Parser.Unmarshal(data)
}

// strictYAML refuses a file of several documents, of which the parser would read
// the first alone, and tags of which it would know nothing: a password that begins
// with ! and has no quotes would be such a tag, and empty. It leaves times as text, of
// which the parser would take many forms.
type strictYAML struct{ koanf.Parser }

func (strictYAML) Unmarshal(data []byte) (map[string]any, error) {
	begun := false // whether anything but comments has come
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, " \t\r\n")
		marker := line == "---" || strings.HasPrefix(line, "--- ")
		if marker && begun {
			return nil, errors.New("it holds more than one YAML document")
		}
		begun = begun || line != "" && !strings.HasPrefix(line, "#")
	}
	var document yamlv3.Node
	if err := yamlv3.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if err := strict(&document); err != nil {
		return nil, err
	}
	var raw map[string]any
	err := document.Decode(&raw)
	return raw, err
}

// yamlTags are those that the parser gives and knows.
var yamlTags = strings.Fields("!!str !!int !!float !!bool !!null !!map !!seq !!timestamp !!binary !!merge")

// leadingZero matches numbers that one reader takes for decimal and another for octal: YAML
// reads 01000 as 512.
var leadingZero = regexp.MustCompile(`^[-+]?0[0-9_]`)

// strict reports a tag that the parser does not know, without showing it, and a number that
// begins with 0. It makes text of times.
func strict(n *yamlv3.Node) error {
	switch tag := n.ShortTag(); {
	case n.Tag != "" && !slices.Contains(yamlTags, tag):
		return fmt.Errorf("line %d: unknown tag; write text that begins with ! in quotes", n.Line)
	case (tag == "!!int" || tag == "!!float") && leadingZero.MatchString(n.Value):
		return fmt.Errorf("line %d: a number begins with 0, and YAML may read it as octal; write it without the 0, or in quotes if it is text", n.Line)
	case tag == "!!timestamp":
		n.Tag = "!!str"
	}
	for _, inner := range n.Content {
		if err := strict(inner); err != nil {
			return err
		}
	}
	return nil
}
