package strictjson_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/strictjson"
)

func read(data string) (map[string]string, error) {
	members := map[string]string{}
	err := strictjson.Object([]byte(data), func(name string, value json.RawMessage) error {
		members[name] = string(value)
		return nil
	})
	return members, err
}

func TestObject(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, data string
		want       map[string]string
	}{
		{"empty", `{}`, map[string]string{}},
		{"white space", " {\t\"a\" :\r\n 1 , \"b\" : [ ] } ", map[string]string{"a": "1", "b": "[ ]"}},
		{"every kind", `{"s":"x","n":-1.5e3,"t":true,"f":false,"z":null,"a":[1,"]",{}],"o":{"a":{"a":1}}}`, map[string]string{
			"s": `"x"`, "n": "-1.5e3", "t": "true", "f": "false", "z": "null", "a": `[1,"]",{}]`, "o": `{"a":{"a":1}}`,
		}},
		{"escaped name", `{"\u0065xp":1}`, map[string]string{"exp": "1"}},
		{"names that differ in case", `{"exp":1,"EXP":2}`, map[string]string{"exp": "1", "EXP": "2"}},
		{"surrogate pairs", `{"\ud83d\ude00":"\uD83D\uDE00x\udbff\udfff"}`, map[string]string{"😀": `"\uD83D\uDE00x\udbff\udfff"`}},
		{"what is no surrogate", `{"a":"\ud7ff\ue000\ufffd\\ud800\"�"}`, map[string]string{"a": `"\ud7ff\ue000\ufffd\\ud800\"�"`}},
		{"quotes and braces in strings", `{"a\"}":"}\\\",{"}`, map[string]string{`a"}`: `"}\\\",{"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(test.data)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("members are %v, want %v", got, test.want)
			}
		})
	}
}

func TestObjectRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for _, test := range []struct{ name, data, why string }{
		{"nothing", ``, "not valid JSON"},
		{"array", `[]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"two values", `{}{}`, "not valid JSON"},
		{"trailing comma", `{"a":1,}`, "not valid JSON"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "UTF-8"},
		{"duplicate", `{"exp":1,"exp":2}`, `"exp" occurs twice`},
		{"duplicate by escape", `{"exp":1,"\u0065xp":2}`, `"exp" occurs twice`},
		{"duplicate in depth", `{"a":[{"b":{"c":1,"c":1}}]}`, `"c" occurs twice`},
		{"lone high surrogate", `{"a":"bob\ud800"}`, "surrogate"},
		{"lone low surrogate", `{"a":"\uDC01bob"}`, "surrogate"},
		{"two high surrogates", `{"a":"\ud800\ud800"}`, "surrogate"},
		{"pair the wrong way round", `{"a":"\udc01\ud800"}`, "surrogate"},
		{"pair with a letter between", `{"a":"\ud800x\udc01"}`, "surrogate"},
		{"pair over two strings", `{"a":["\ud800","\udc01"]}`, "surrogate"},
		{"high surrogate and another escape", `{"a":"\ud800\n\udc01"}`, "surrogate"},
		{"high surrogate and another letter", `{"a":"\ud800\u0041"}`, "surrogate"},
		{"pair and a half", `{"a":"\ud83d\ude00\ude00"}`, "surrogate"},
		{"half after a backslash", `{"a":"\\\\\ud800"}`, "surrogate"},
		{"half in a name", `{"a\udfff":1}`, "surrogate"},
		{"half in depth", `{"a":[{"b":["\udbff"]}]}`, "surrogate"},
		{"half in a name in depth", `{"a":{"\ud800":1}}`, "surrogate"},
		{"long duplicate", `{"` + strings.Repeat("x", 99) + `":1,"` + strings.Repeat("x", 99) + `":1}`, "…"},
		{"deep objects", deep, "nested deeper"},
		{"deep arrays", `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "nested deeper"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(test.data); err == nil || !strings.Contains(err.Error(), test.why) {
				t.Errorf("error is %v, want one that says %q", err, test.why)
			}
		})
	}
}

// TestDuplicates has a member occur twice in objects of any size, first and last,
// next to each other and far apart.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	for n := 2; n <= 40; n++ {
		for first := range n - 1 {
			members := make([]string, n)
			for i := range members {
				members[i] = fmt.Sprintf(`"m%d":1`, i)
			}
			object := func() string { return "{" + strings.Join(members, ",") + "}" }
			if _, err := read(object()); err != nil {
				t.Fatalf("%s: %v", object(), err)
			}
			members[n-1] = members[first]
			for _, data := range []string{object(), `{"in":[` + object() + `]}`} {
				if _, err := read(data); err == nil || !strings.Contains(err.Error(), "occurs twice") {
					t.Errorf("%s: error is %v", data, err)
				}
			}
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{}`, ` [1, {"a":"b"}] `, `"a"`, `-1.5e3`, `true`, `null`} {
		if err := strictjson.Value([]byte(data)); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
	for _, data := range []string{
		``, ` `, `k1`, `1 2`, `{"a":1,"a":2}`, `[{"a":1,"a":2}]`, `"\ud800"`, `["\udc01"]`, "\"\xff\"",
		strings.Repeat("[", 65) + strings.Repeat("]", 65),
	} {
		if err := strictjson.Value([]byte(data)); err == nil {
			t.Errorf("%s is accepted", data)
		}
	}
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]bool{
		`{"a":"\ufffd"}`: true, `"\uFFFD"`: true, `["\n\\\ufffd"]`: true, `"\ud83d\ude00\ufffd"`: true,
		`{"a":"�"}`: false, `"\\ufffd"`: false, `"\ufffc"`: false, `1`: false,
	} {
		if got := strictjson.Escapes([]byte(data), '\ufffd'); got != want {
			t.Errorf("%s: %t, want %t", data, got, want)
		}
	}
}

// FuzzObject checks that what is accepted has the members that encoding/json
// sees, and no character that encoding/json has replaced.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"b":[1,2,{"c":null}]},"d":"\u0041"}`, `{"a":1,"a":2}`, `[1]`, ` { "a" : 1 } `, `{"a":"\ud83d\ude00","b":"\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		got, err := read(data)
		var want map[string]json.RawMessage
		stdErr := json.Unmarshal([]byte(data), &want)
		if err != nil {
			return
		}
		if stdErr != nil {
			t.Fatalf("%q is accepted, and by encoding/json refused: %v", data, stdErr)
		}
		if len(got) != len(want) {
			t.Fatalf("%q has %d members, want %d", data, len(got), len(want))
		}
		if plain := strings.ReplaceAll(strings.ToLower(data), `\ufffd`, ""); !strings.ContainsRune(plain, utf8.RuneError) {
			for name, value := range want {
				var text string
				if json.Unmarshal(value, &text) == nil && strings.ContainsRune(name+text, utf8.RuneError) {
					t.Fatalf("%q: a character was replaced", data)
				}
			}
		}
		for name, value := range want {
			if got[name] != string(value) {
				t.Fatalf("%q: member %q is %q, want %q", data, name, got[name], value)
			}
		}
	})
}
