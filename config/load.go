package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/knadh/koanf/parsers/json"
	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	yamlv3 "go.yaml.in/yaml/v3"

	"github.com/pasetokit/pasetokit/internal/strictjson"
)

const delimiter = "."

// Load returns the defaults overlaid by files, in the given order, and then by
// the environment. A list in a later source replaces an earlier one as a whole.
// Without keys it succeeds; [Open] then asks for them.
//
// The error is an [*Error] with everything that is wrong, in all sources.
func Load(files ...string) (*Config, error) {
	cfg, _, err := load(os.Environ(), files)
	return cfg, err
}

// load also returns the source of every key that is not a default.
func load(environ, files []string) (*Config, map[string]string, error) {
	cfg, l := read(environ, files)
	// Rules are checked even where not everything could be read, so that nobody
	// mends a configuration one error at a time.
	cfg.check(&l.problems, l.sources)
	if err := l.problems.err(); err != nil {
		return nil, nil, err
	}
	return cfg, l.sources, nil
}

// read returns what can be read of the sources, unchecked, and beside it the
// problems with the rest.
func read(environ, files []string) (*Config, *loader) {
	l := &loader{merged: koanf.New(delimiter), sources: make(map[string]string)}
	if err := l.merged.Load(structs.Provider(*Default(), tag), nil); err != nil {
		l.problems.add(Problem{Source: "defaults", Rule: err.Error()})
	}
	for _, path := range files {
		l.file(path)
	}
	l.environment(environ)
	cfg := l.decode()
	return cfg, l
}

// loader merges sources.
type loader struct {
	merged   *koanf.Koanf
	sources  map[string]string // of every key that is not a default
	problems problems
}

var configType = reflect.TypeFor[Config]()

// merge overlays what is merged so far with one source.
func (l *loader) merge(r *reader, raw map[string]any) {
	typed := r.section("", configType, raw)
	l.problems = append(l.problems, r.problems...)
	overlay := koanf.New(delimiter)
	if err := overlay.Load(confmap.Provider(typed, ""), nil); err != nil {
		l.problems.add(Problem{Source: r.source, Rule: err.Error()})
		return
	}
	for _, key := range overlay.Keys() {
		l.sources[key] = r.source
	}
	if err := l.merged.Merge(overlay); err != nil {
		l.problems.add(Problem{Source: r.source, Rule: err.Error()})
	}
}

func (l *loader) file(path string) {
	parsers := map[string]koanf.Parser{
		".yaml": strictYAML{yaml.Parser()}, ".yml": strictYAML{yaml.Parser()}, ".toml": toml.Parser(), ".json": strictJSON{json.Parser()},
	}
	parser, known := parsers[strings.ToLower(filepath.Ext(path))]
	if !known {
		l.problems.add(Problem{Source: withoutKeys(path), Rule: "unknown kind of file; its name must end in .yaml, .yml, .toml or .json"})
		return
	}
	read := koanf.New(delimiter)
	if err := read.Load(file.Provider(path), inUTF8{parser}); err != nil {
		rule := withoutKeys(withTried(err).Error())
		if _, unread := errors.AsType[*fs.PathError](err); !unread {
			rule = parserText(rule)
		}
		l.problems.add(Problem{Source: withoutKeys(path), Rule: rule})
		return
	}
	l.merge(&reader{source: path}, read.Raw())
}

// decode returns what is merged as a Config.
func (l *loader) decode() *Config {
	var cfg Config
	// The values have their types already, and every key is known.
	if err := l.merged.UnmarshalWithConf("", &cfg, koanf.UnmarshalConf{Tag: tag}); err != nil {
		l.problems.add(Problem{Rule: err.Error()})
		return Default()
	}
	return &cfg
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
	if err := checkTags(&document); err != nil {
		return nil, err
	}
	if err := checkNumbers(&document); err != nil {
		return nil, err
	}
	timesAsText(&document)
	var raw map[string]any
	err := document.Decode(&raw)
	return raw, err
}

// yamlTags are those that the parser gives and knows.
var yamlTags = strings.Fields("!!str !!int !!float !!bool !!null !!map !!seq !!timestamp !!binary !!merge")

// checkTags reports a tag that the parser does not know. It does not show it.
func checkTags(n *yamlv3.Node) error {
	if n.Tag != "" && !slices.Contains(yamlTags, n.ShortTag()) {
		return fmt.Errorf("line %d: unknown tag; write text that begins with ! in quotes", n.Line)
	}
	for _, inner := range n.Content {
		if err := checkTags(inner); err != nil {
			return err
		}
	}
	return nil
}

// leadingZero matches numbers that one reader takes for decimal and another for octal.
var leadingZero = regexp.MustCompile(`^[-+]?0[0-9_]`)

// checkNumbers reports a number that begins with 0, which YAML reads as octal: 01000 as 512.
func checkNumbers(n *yamlv3.Node) error {
	if tag := n.ShortTag(); (tag == "!!int" || tag == "!!float") && leadingZero.MatchString(n.Value) {
		return fmt.Errorf("line %d: a number begins with 0, and YAML may read it as octal; write it without the 0, or in quotes if it is text", n.Line)
	}
	for _, inner := range n.Content {
		if err := checkNumbers(inner); err != nil {
			return err
		}
	}
	return nil
}

func timesAsText(n *yamlv3.Node) {
	if n.ShortTag() == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, inner := range n.Content {
		timesAsText(inner)
	}
}
