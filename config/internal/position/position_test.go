package position_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/config/internal/position"
)

func TestLines(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, format, data string
		want               map[string]int
	}{
		{"sections", "yaml", "# comment\n\ntoken:\n  access_ttl: 15m\n  # comment\n  keys:\n    - one\n    - file: two\n      env:\n        X\n", map[string]int{
			"token": 3, "token.access_ttl": 4, "token.keys": 6, "token.keys[0]": 7, "token.keys[1]": 8, "token.keys[1].file": 8, "token.keys[1].env": 9,
		}},
		{"flow style", "yaml", "token: {access_ttl: 15m,\n  keys: [one,\n    {file: two}]}\n", map[string]int{
			"token": 1, "token.access_ttl": 1, "token.keys": 2, "token.keys[0]": 2, "token.keys[1]": 3, "token.keys[1].file": 3,
		}},
		{"long text", "yaml", "a: |\n  b: 1\n  c: 2\n\"d\": >-\n  text\n'e': \"x\n  y\"\n? f\n: 1\n", map[string]int{"a": 1, "d": 4, "e": 6, "f": 8}},
		{"byte order mark and CRLF", "yaml", "\ufeff---\r\na:\r\n  b: 1\r\n", map[string]int{"a": 2, "a.b": 3}},
		{"an alias has the lines of what it stands for", "yaml", "a: &x\n  b: 1\nc: *x\nd: [*x]\n", map[string]int{"a": 1, "a.b": 2, "c": 3, "c.b": 2, "d": 4, "d[0]": 4, "d[0].b": 2}},
		{"an alias as key", "yaml", "a: &x name\n*x : 1\n", map[string]int{"a": 1, "name": 2}},
		{"own keys hide merged ones", "yaml", "a: &x\n  b: 1\n  c: {d: 1}\ne:\n  <<: *x\n  c:\n    f: 1\n", map[string]int{
			"a": 1, "a.b": 2, "a.c": 3, "a.c.d": 3, "e": 4, "e.b": 2, "e.c": 6, "e.c.f": 7,
		}},
		{"the first of merged ones hides the others", "yaml", "a: &x {b: 1}\nc: &y\n  <<: *x\n  d: 1\ne:\n  <<: [*y,\n    {b: 1, d: 1,\n    f: 1}]\n", map[string]int{
			"a": 1, "a.b": 1, "c": 2, "c.b": 1, "c.d": 4, "e": 5, "e.b": 1, "e.d": 4, "e.f": 8,
		}},
		{"a key in quotes merges nothing", "yaml", "a: &x\n  b: 1\n\"<<\": *x\n", map[string]int{"a": 1, "a.b": 2, "<<": 3, "<<.b": 2}},
		{"not YAML", "yaml", "a: [", map[string]int{}},
		{"empty", "yaml", "# nothing\n", map[string]int{}},

		{"headers", "toml", "# comment\n[token]\naccess_ttl = '15m'\n\n[denylist.redis]\naddresses = [\n  'a:1', # comment\n  # comment\n  'b:2', 1, true, 2020-01-01\n]\n", map[string]int{
			"token": 2, "token.access_ttl": 3, "denylist": 5, "denylist.redis": 5,
			"denylist.redis.addresses": 6, "denylist.redis.addresses[0]": 7, "denylist.redis.addresses[1]": 9, "denylist.redis.addresses[2]": 9, "denylist.redis.addresses[3]": 9, "denylist.redis.addresses[4]": 9,
		}},
		{"dotted keys", "toml", "token.access_ttl = 1\n\"token\" . 'other_ttl' = 2\n[a]\nb.c = 3\n", map[string]int{
			"token": 1, "token.access_ttl": 1, "token.other_ttl": 2, "a": 3, "a.b": 4, "a.b.c": 4,
		}},
		{"inline tables", "toml", "token = { access_ttl = 1, a.b = 2, keys = [\n  { file = 'x' },\n  {}, [\n  'y' ] ] }\n", map[string]int{
			"token": 1, "token.access_ttl": 1, "token.a": 1, "token.a.b": 1,
			"token.keys": 1, "token.keys[0]": 2, "token.keys[0].file": 2, "token.keys[1]": 3, "token.keys[2][0]": 4,
		}},
		{"arrays of tables", "toml", "[[token.keys]]\nfile = 'x'\n[token.keys.sub]\na = 1\n[[token.keys]]\n[[token.keys.list]]\n[[token.keys.list]]\nb = 1\n", map[string]int{
			"token": 1, "token.keys": 1, "token.keys[0]": 1, "token.keys[0].file": 2, "token.keys[0].sub": 3, "token.keys[0].sub.a": 4, "token.keys[1]": 5,
			"token.keys[1].list": 6, "token.keys[1].list[0]": 6, "token.keys[1].list[1]": 7, "token.keys[1].list[1].b": 8,
		}},
		{"long text", "toml", "\ufeffa = '''\r\nb = 1\r\n'''\r\nc = 1\r\n", map[string]int{"a": 1, "c": 4}},
		{"what comes before an error", "toml", "a = 1\n\n[b]\nc = ]\nd = 1\n", map[string]int{"a": 1, "b": 3}},

		{"objects", "json", "{\n\n\"token\": {\"access_ttl\":\n\"15m\", \"keys\": [\n\"one\", {\n\"file\": \"two\"}, [[\n1]], null]},\n\"\\u0061\": 1}", map[string]int{
			"token": 3, "token.access_ttl": 3, "token.keys": 4, "token.keys[0]": 5, "token.keys[1]": 5, "token.keys[1].file": 6,
			"token.keys[2]": 6, "token.keys[2][0]": 6, "token.keys[2][0][0]": 7, "token.keys[3]": 7, "a": 8,
		}},
		{"the first of two", "json", "{\"a\": 1,\n\"a\": 2}", map[string]int{"a": 1}},
		{"what comes before an error", "json", "\ufeff{\"a\": [1,\n2 3]}", map[string]int{"a": 1, "a[0]": 1, "a[1]": 2}},
		{"not an object", "json", "1", map[string]int{}},

		{"unknown format", "ini", "a = 1", map[string]int{}},
	} {
		t.Run(test.format+" "+test.name, func(t *testing.T) {
			t.Parallel()
			got := position.Lines(test.format, []byte(test.data))
			if !maps.Equal(got, test.want) {
				t.Errorf("got  %v\nwant %v", got, test.want)
			}
		})
	}
}

// TestBounded reads files that would take memory without end.
func TestBounded(t *testing.T) {
	t.Parallel()
	var aliases, merges strings.Builder
	aliases.WriteString("a0: &a0 [x]\n")
	merges.WriteString("a0: &a0 {x: 1}\n")
	for i := range 26 {
		before, name := string(rune('a'+i)), string(rune('b'+i))
		if i == 0 {
			before = "a0"
		}
		aliases.WriteString(name + ": &" + name + " [" + strings.Repeat("*"+before+", ", 10) + "]\n")
		merges.WriteString(name + ": &" + name + " {<<: [" + strings.Repeat("*"+before+", ", 10) + "]}\n")
	}
	for _, test := range []struct{ name, format, data string }{
		{"aliases of aliases", "yaml", aliases.String()},
		{"merges of merges", "yaml", merges.String()},
		{"an alias inside its own anchor", "yaml", "a: &x\n  b: *x\n"},
		{"a merge of itself", "yaml", "a: &x\n  <<: *x\n"},
		{"a deep list", "json", `{"a":` + strings.Repeat("[", 1e5)},
		{"a deep object", "json", strings.Repeat(`{"":`, 1e5)},
		{"a long key", "toml", strings.Repeat("a.", 1e5) + "a = 1"},
		{"a deep array", "toml", "a = " + strings.Repeat("[", 1e4) + strings.Repeat("]", 1e4)},
	} {
		t.Run(test.format+" "+test.name, func(t *testing.T) {
			t.Parallel()
			length := 0
			for path := range position.Lines(test.format, []byte(test.data)) {
				length += len(path)
			}
			if length > 1<<20 {
				t.Errorf("paths of %d bytes", length)
			}
		})
	}
}

func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"a: &x\n  b: [1, {c: *x}]\nd: {<<: *x, ? e : f}\n", "[a.b]\nc.d = [{e = 1}, true]\n[[f]]\n'g' = \"\"\"x\n\"\"\"", "{\"a\": [1, {\"b\": null}],\n\"c\": \"\\n\"}",
	} {
		for _, format := range []string{"yaml", "toml", "json"} {
			f.Add(format, []byte(seed))
		}
	}
	// What YAML takes for the end of a line.
	ends := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
	f.Fuzz(func(t *testing.T, format string, data []byte) {
		last := 1 + strings.Count(ends.Replace(string(data)), "\n")
		for path, line := range position.Lines(format, data) {
			if line < 1 || line > last {
				t.Errorf("%s is on line %d of %d", path, line, last)
			}
		}
	})
}
