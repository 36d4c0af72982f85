package main

import (
	"strings"
	"testing"
)

// TestReplaceTable: what is counted is written anew, and a size only where it has grown or shrunk by more than a patch
// release of Go would explain.
func TestReplaceTable(t *testing.T) {
	t.Parallel()
	costs := []cost{
		{about: "a", graph: 4, linked: 3, sums: 20, size: 7_740_000},
		{about: "b", graph: 9, linked: 8, sums: 70, size: 7_760_000},
	}
	for _, test := range []struct{ name, before, want string }{
		{"empty", "", "| a | 4 | 3 | 20 | 7.5 MB |\n| b | 9 | 8 | 70 | 8.0 MB |\n"},
		{"near", "| a | 4 | 3 | 20 | 8.0 MB |\n| b | 8 | 8 | 70 | 7.5 MB |\n", "| a | 4 | 3 | 20 | 8.0 MB |\n| b | 9 | 8 | 70 | 7.5 MB |\n"},
		{"far", "| a | 4 | 3 | 20 | 8.5 MB |\n| b | 8 | 8 | 70 | 7.0 MB |\n", "| a | 4 | 3 | 20 | 7.5 MB |\n| b | 9 | 8 | 70 | 8.0 MB |\n"},
	} {
		got, err := replaceTable([]byte("before\n"+begin+test.before+end+"after\n"), costs)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(got); !strings.HasPrefix(text, "before\n"+begin) || !strings.HasSuffix(text, "\n"+test.want+"\n"+end+"after\n") {
			t.Errorf("%s: the document is\n%s\nwant these rows:\n%s", test.name, text, test.want)
		}
	}
	if _, err := replaceTable([]byte("no table\n"), costs); err == nil {
		t.Error("a document without a place for the table is accepted")
	}
}
