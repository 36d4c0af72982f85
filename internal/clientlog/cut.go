package clientlog

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxText  = 200     // bytes of a text: a path, an origin, a name
	maxLong  = 1000    // bytes of an error, which has several of them and words of ours
	maxStack = 4 << 10 // bytes of a stack
	ellipsis = "…"
)

// Cut returns at most 200 bytes of s, in which only printable characters stand:
// control characters, line breaks, bytes that are not UTF-8, and what changes the
// direction of writing, are escaped as in Go. What is cut off is shown by "…".
func Cut(s string) string { return cut(s, maxText, "") }

// CutLong is [Cut] for the text of an error: 1000 bytes.
func CutLong(s string) string { return cut(s, maxLong, "") }

// Stack is the text of a stack, of which a line has up to 4096 bytes. Its line breaks
// and tabs stay.
type Stack string

// cut returns at most a number of bytes of s, with all that is not printable escaped,
// but for the characters in keep.
func cut(s string, most int, keep string) string {
	var b strings.Builder
	room := 0 // the length up to which there is room for the ellipsis
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		shown := s[:size]
		if r == utf8.RuneError && size == 1 || !strconv.IsPrint(r) && !strings.ContainsRune(keep, r) {
			shown = strconv.QuoteToASCII(shown)
			shown = shown[1 : len(shown)-1]
		}
		if b.Len()+len(shown) > most {
			return b.String()[:room] + ellipsis
		}
		b.WriteString(shown)
		if b.Len() <= most-len(ellipsis) {
			room = b.Len()
		}
		s = s[size:]
	}
	return b.String()
}

// bounded returns a value whose texts are cut.
func bounded(v slog.Value) slog.Value {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindString:
		return slog.StringValue(Cut(v.String()))
	case slog.KindGroup:
		attrs := make([]slog.Attr, len(v.Group()))
		for i, a := range v.Group() {
			attrs[i] = slog.Attr{Key: a.Key, Value: bounded(a.Value)}
		}
		return slog.GroupValue(attrs...)
	case slog.KindAny:
		if stack, ok := v.Any().(Stack); ok {
			return slog.StringValue(cut(string(stack), maxStack, "\n\t"))
		}
		return slog.StringValue(CutLong(fmt.Sprint(v.Any()))) // which an Error method that panics does not break
	default:
		return v
	}
}
