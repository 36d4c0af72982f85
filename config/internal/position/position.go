// Package position finds the lines of a configuration file on which its keys
// stand, so that an error can say where a value is. The parsers that read the
// values do not keep them.
package position

import (
	"bytes"
	"slices"
	"strconv"
)

// Lines returns the line, from 1, of every key of a file. The format is yaml,
// toml or json. A key is named by its path, token.access_ttl; a member of a list
// by its index, token.keys[1]; and a key of such a member token.keys[0].file. What
// a YAML alias or merge key brings has the line where it is written.
//
// Lines never fails: what it cannot read has no line. The same is true of keys
// that are nested deeper, or are longer, than those of any configuration.
func Lines(format string, data []byte) map[string]int {
	f := &finder{lines: make(map[string]int), left: maxWork}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch format {
	case "yaml":
		f.yaml(data)
	case "toml":
		f.toml(data)
	case "json":
		f.json(data)
	}
	return f.lines
}

const (
	// maxDepth bounds the nesting, and so the recursion over it.
	maxDepth = 32
	// maxWork bounds the length of all paths together, and so what aliases of
	// aliases can cost.
	maxWork = 1 << 20
)

// finder collects lines.
type finder struct {
	lines map[string]int
	left  int // of maxWork
}

// note records the line of a key, unless an earlier one has its name. It reports
// whether to go on with what is inside.
func (f *finder) note(path string, line int) bool {
	if f.left -= 1 + len(path); f.left < 0 {
		return false
	}
	if _, known := f.lines[path]; !known {
		f.lines[path] = line
	}
	return true
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

func member(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// breaks has the offsets of the line breaks of a text, in order.
type breaks []int

func breaksOf(data []byte) breaks {
	var all breaks
	for i, b := range data {
		if b == '\n' {
			all = append(all, i)
		}
	}
	return all
}

// line returns the line that an offset is on.
func (b breaks) line(offset int) int {
	before, _ := slices.BinarySearch(b, offset)
	return before + 1
}
