package strictjson_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

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

// FuzzObject checks that what is accepted has the members that encoding/json
// sees.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"b":[1,2,{"c":null}]},"d":"\u0041"}`, `{"a":1,"a":2}`, `[1]`, ` { "a" : 1 } `} {
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
		for name, value := range want {
			if got[name] != string(value) {
				t.Fatalf("%q: member %q is %q, want %q", data, name, got[name], value)
			}
		}
	})
}
