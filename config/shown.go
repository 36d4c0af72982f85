package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const redacted = "(redacted)"

// shownOf returns the value of a key for an error. What should be an address may
// be a URL with a password in it.
func shownOf(key string, value any) string {
	if strings.HasPrefix(key, "denylist.redis.addresses") && strings.Contains(fmt.Sprint(value), "@") {
		return redacted
	}
	return shown(value)
}

// shownName returns the name of an unknown key for an error, up to what no name
// has: {password:secret} is one name to YAML, for lack of a space.
func shownName(name string) string {
	if i := strings.IndexAny(name, ":=@ "); i >= 0 {
		return name[:i] + "…"
	}
	return name
}

// shown returns a value for an error, cut to a readable length, and not at all
// if it could be a key in the wrong place, or a URL with a password.
func shown(value any) string {
	text := fmt.Sprintf("%v", value)
	if keyLike.MatchString(text) {
		return redacted
	}
	if _, ok := value.(string); ok {
		text = strconv.Quote(text)
	}
	const most = 80
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// withoutKeys returns the text of a parser's error without what it quotes of the
// file: that may be a key, or the beginning of one.
func withoutKeys(text string) string { return quoted.ReplaceAllString(text, redacted) }

var quoted = regexp.MustCompile("k\\d\\.[a-z-]+\\.[\\w.-]+|[0-9a-fA-F]{16,}|`[^`]*`|anchor '[^']*'")

var keyLike = regexp.MustCompile(`k\d\.(local|secret)|PRIVATE KEY|[0-9a-fA-F]{64}|://[^/\s]*@`)
