package config

import (
	"os"
	"path/filepath"
	"strings"

	koanfmaps "github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"github.com/pasetokit/pasetokit/config/internal/position"
	"github.com/pasetokit/pasetokit/config/internal/secretfile"
)

const delimiter = "."

// Load returns what files say, one laid over the other in the given order, and the
// environment over them. A list in a later source replaces an earlier one as a whole.
// Without keys it succeeds; [Open] then asks for them.
//
// A file that has more in it than this configuration is named with the section:
// app.yaml#auth, or app.yaml#services.auth for a section of a section.
//
// The error is an [*Error] with everything that is wrong, in all sources.
func Load(files ...string) (*Config, error) {
	cfg, _, err := load(os.Environ(), files)
	return cfg, err
}

// load also returns the source of every key that is set.
func load(environ, files []string) (*Config, map[string]*source, error) {
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
	cfg := newConfig()
	l := &loader{merged: koanf.New(delimiter), schema: schemaOf(cfg), sources: make(map[string]*source)}
	for _, path := range files {
		l.file(path)
	}
	l.environment(environ)
	for _, f := range l.schema {
		if !l.merged.Exists(f.Key) {
			continue
		}
		// The value has its type already.
		if err := l.merged.UnmarshalWithConf(f.Key, f.Value.Addr().Interface(), koanf.UnmarshalConf{Tag: "koanf"}); err != nil {
			l.problems.add(Problem{Key: f.Key, Rule: err.Error()})
		}
	}
	return cfg, l
}

// loader merges sources.
type loader struct {
	merged   *koanf.Koanf
	schema   schema
	sources  map[string]*source // of every key that is set
	problems problems
}

// merge overlays what is merged so far with one source.
func (l *loader) merge(from *source, raw map[string]any) {
	r := reader{schema: l.schema, source: from}
	typed := r.section("", raw)
	l.problems = append(l.problems, r.problems...)
	overlay := koanf.New(delimiter)
	if err := overlay.Load(confmap.Provider(typed, ""), nil); err != nil {
		l.problems.add(Problem{Source: from.name, Rule: err.Error()})
		return
	}
	for _, key := range overlay.Keys() {
		l.sources[key] = from
	}
	if err := l.merged.Merge(overlay); err != nil {
		l.problems.add(Problem{Source: from.name, Rule: err.Error()})
	}
}

func (l *loader) file(name string) {
	path, section := splitSection(name)
	refuse := func(rule string) { l.problems.add(Problem{Source: withoutKeys(path), Rule: rule}) }
	format, parser := formatOf(filepath.Ext(path))
	if parser == nil {
		refuse("unknown kind of file; its name must end in .yaml, .yml, .toml or .json, and #section may follow")
		return
	}
	if section == "" && path != name {
		refuse("a name of a section must follow #; leave the # out for the whole file")
		return
	}
	data, err := file.Provider(path).ReadBytes()
	if err != nil {
		refuse(withoutKeys(secretfile.WithTried(err).Error()))
		return
	}
	raw, err := parser.Unmarshal(data)
	if err != nil {
		refuse(parserText(withoutKeys(err.Error())))
		return
	}
	if section != "" {
		inside, ok := koanfmaps.Search(raw, strings.Split(section, delimiter)).(map[string]any)
		if !ok {
			refuse("it has no section " + shownName(section))
			return
		}
		raw = inside
	}
	l.merge(&source{name: path, section: section, lines: position.Lines(format, data)}, raw)
}

// splitSection splits the name of a file from that of the section in it, if there is one.
func splitSection(name string) (path, section string) {
	i := strings.LastIndex(name, "#")
	if _, parser := formatOf(filepath.Ext(name)); parser != nil || i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}
