package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDocumentation holds docs/configuration.md against the structs: every key
// has one row, with its type, default and variable, and no row is about
// anything else.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 5 || !strings.HasPrefix(line, "| `") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		key := strings.Trim(cells[0], "`")
		if _, twice := rows[key]; twice {
			t.Errorf("%s has two rows", key)
		}
		rows[key] = cells
	}
	for _, want := range describe("", reflect.ValueOf(*Default())) {
		row, found := rows[want.key]
		if !found {
			t.Errorf("%s is not documented", want.key)
			continue
		}
		delete(rows, want.key)
		for i, cell := range []string{"`" + want.key + "`", want.kind, "`" + want.value + "`", "`" + want.variable + "`"} {
			if row[i] != cell {
				t.Errorf("%s: column %d is %s, want %s", want.key, i+1, row[i], cell)
			}
		}
		if row[4] == "" {
			t.Errorf("%s: no meaning is given", want.key)
		}
	}
	for key := range rows {
		t.Errorf("%s is documented and does not exist", key)
	}
}

type documented struct{ key, kind, value, variable string }

// describe returns what the documentation must say of every key of a section.
func describe(section string, v reflect.Value) []documented {
	var all []documented
	for f, value := range v.Fields() {
		key := join(section, f.Tag.Get(tag))
		if isSection(f.Type) {
			all = append(all, describe(key, value)...)
			continue
		}
		all = append(all, documented{
			key: key, kind: kindText(f.Type), value: settingText(value.Interface()),
			variable: variableName(key),
		})
	}
	return all
}

func kindText(t reflect.Type) string {
	switch {
	case t == keysType:
		return "list of keys"
	case t == secretType:
		return "string"
	case t == lifetimeType:
		return "lifetime"
	case t == limitType:
		return "limit"
	case t == durationType:
		return "duration"
	case t.Kind() == reflect.Slice:
		return "list of strings"
	case t.Kind() == reflect.Int64:
		return "int"
	}
	return t.String()
}
