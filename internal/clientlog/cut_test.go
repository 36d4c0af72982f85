package clientlog_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/clientlog"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, given, want string }{
		{"empty", "", ""},
		{"as it is", `/a b/"c"\d?e=ü…`, `/a b/"c"\d?e=ü…`},
		{"just fits", strings.Repeat("a", 200), strings.Repeat("a", 200)},
		{"too long", strings.Repeat("a", 201), strings.Repeat("a", 197) + "…"},
		{"at a rune", strings.Repeat("a", 196) + "üüü", strings.Repeat("a", 196) + "…"},
		{"rune that fits", strings.Repeat("a", 195) + "üüü", strings.Repeat("a", 195) + "ü…"},
		{"line breaks", "a\r\nlevel=ERROR", `a\r\nlevel=ERROR`},
		{"other line breaks", "a\u0085b\u2028c\u2029d", `a\u0085b\u2028c\u2029d`},
		{"terminal", "\x1b[2J\x1b]0;x\x07\x7f\u009b31m", `\x1b[2J\x1b]0;x\a\x7f\u009b31m`},
		{"direction of writing", "a\u202eb\u2066c\u200fd", `a\u202eb\u2066c\u200fd`},
		{"not UTF-8", "a\xff\xc3(\xed\xa0\x80", `a\xff\xc3(\xed\xa0\x80`},
		{"the replacement character", "\ufffd", "\ufffd"},
		{"escapes are counted", strings.Repeat("\x00", 900_000), strings.Repeat(`\x00`, 49) + "…"},
		{"no part of an escape", strings.Repeat("a", 195) + "\x00\x00", strings.Repeat("a", 195) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := clientlog.Cut(test.given)
			if got != test.want {
				t.Errorf("got  %q,\nwant %q", got, test.want)
			}
			if again := clientlog.Cut(got); again != got {
				t.Errorf("cut twice it is %q", again)
			}
		})
	}
}

func FuzzCut(f *testing.F) {
	f.Add("/ws")
	f.Add("\xff\x1b[0m\u202e" + strings.Repeat("ü\x00", 100))
	f.Fuzz(func(t *testing.T, s string) {
		got := clientlog.Cut(s)
		if len(got) > 200 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b\x00\u2028\u202e") {
			t.Errorf("%q is cut to %q, of %d bytes", s, got, len(got))
		}
		if clientlog.Cut(got) != got {
			t.Errorf("cutting %q once more changes it", got)
		}
		if long := clientlog.CutLong(s); len(long) > 1000 || len(got) < 190 && long != got {
			t.Errorf("%q is cut to %q", s, long)
		}
	})
}
