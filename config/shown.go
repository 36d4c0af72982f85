package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/settings"
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

// shownName returns the name of an unknown key for an error, and not at all if it
// could be a secret: where a key and its value are swapped, or a space is missing, as
// in {password:secret}. It cannot tell a password of letters alone from a name.
func shownName(name string) string {
	cut := ""
	if i := strings.IndexAny(name, ":=@ "); i >= 0 {
		name, cut = name[:i], "…"
	}
	if !plainName.MatchString(name) {
		return redacted
	}
	return name + cut
}

// shownVariable returns the name of an unknown environment variable for an error,
// each level as shownName does.
func shownVariable(name string) string {
	levels := strings.Split(strings.TrimPrefix(name, EnvPrefix), "__")
	for i, level := range levels {
		levels[i] = shownName(level)
	}
	return EnvPrefix + strings.Join(levels, "__")
}

// plainName matches what names consist of: words of letters, and short numbers
// after the first of them.
var plainName = regexp.MustCompile(`^_*[A-Za-z]{1,24}([_.-]+([A-Za-z]{1,24}|\d{1,5})){0,8}$`)

// shown returns a value for an error, cut to a readable length, and not at all
// if it could be a key in the wrong place, or a URL with a password.
func shown(value any) string {
	text := fmt.Sprint(value)
	if keyLike.MatchString(text) {
		return redacted
	}
	if d, ok := value.(time.Duration); ok {
		text = settings.Text(d)
	} else if reflect.TypeOf(value).Kind() == reflect.String {
		text = strconv.Quote(text)
	}
	const most = 80
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// withoutKeys returns a text without what may be a key or a token in it, or the
// beginning of one.
func withoutKeys(text string) string { return keyInside.ReplaceAllString(text, redacted) }

var keyInside = regexp.MustCompile(`[kv]\d\.[a-z-]+\.[\w.-]+|[0-9a-fA-F]{16,}`)

// withoutValue returns a rule without the value that it quotes, the first text in quotes.
func withoutValue(rule string) string {
	if at := quotedValue.FindStringIndex(rule); at != nil {
		return rule[:at[0]] + redacted + rule[at[1]:]
	}
	return rule
}

var quotedValue = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// parserText returns the text of a parser's error without what it quotes of the
// file, but for words that can be names.
func parserText(text string) string {
	text = quoted.ReplaceAllString(strings.ReplaceAll(text, "\n", " "), redacted)
	return word.ReplaceAllStringFunc(text, func(w string) string {
		if plainName.MatchString(w) || lineNumber.MatchString(w) {
			return w
		}
		return redacted
	})
}

var (
	quoted     = regexp.MustCompile("`[^`]*`|anchor '[^']*'")
	word       = regexp.MustCompile(`[^\s"'(){}\[\]:;,!]+`)
	lineNumber = regexp.MustCompile(`^(\d{1,6}|U\+[0-9A-F]{4,6}|[-.#<>=+]{1,3})$`)
)

var keyLike = regexp.MustCompile(`k\d\.(local|secret)|v\d\.(local|public)|PRIVATE KEY|[0-9a-fA-F]{64}|://[^/\s]*@`)
