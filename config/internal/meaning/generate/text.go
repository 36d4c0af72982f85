package main

import (
	"errors"
	"fmt"
	"go/doc/comment"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// text makes a paragraph for users of a doc comment for programmers: of its first one, and
// of what follows a block of code in it. Further paragraphs are for programmers alone.
func (r *reader) text(doc string) (string, error) {
	if doc == "" {
		return "", errors.New("it has no doc comment")
	}
	rest, found := strings.CutPrefix(doc, r.field.Name)
	if !found || !strings.ContainsAny(rest[:1], " \n") {
		return "", errors.New("its doc comment does not begin with its name")
	}
	parser := comment.Parser{LookupPackage: r.lookup, LookupSym: func(string, string) bool { return true }}
	blocks := parser.Parse(strings.TrimSpace(rest)).Content
	if len(blocks) == 0 {
		return "", errors.New("its doc comment has its name alone")
	}
	parts := make([]string, len(blocks))
	first := 0 // the last block of the first paragraph
	for i, block := range blocks {
		var err error
		if parts[i], err = r.block(block); err != nil {
			return "", err
		}
		if _, isCode := block.(*comment.Code); isCode && i <= first+1 {
			first = min(i+1, len(blocks)-1)
		}
	}
	if _, err := withoutDefault(strings.Join(parts, " "), r.field); err != nil {
		return "", err
	}
	text := outsideCode(strings.Join(parts[:first+1], " "), func(s string) string { return quoted.ReplaceAllString(s, "`$1`") })
	for _, verb := range []string{"is ", "are ", "says "} {
		if after, found := strings.CutPrefix(text, verb); found {
			text = after
			break
		}
	}
	text, err := withoutDefault(text, r.field)
	if err != nil {
		return "", err
	}
	return capital(outsideCode(text, markCode)), nil
}

func (r *reader) block(block comment.Block) (string, error) {
	switch b := block.(type) {
	case *comment.Paragraph:
		return r.inline(b.Text)
	case *comment.Code:
		return code(strings.TrimSpace(b.Text)) + ".", nil
	case *comment.List:
		var items []string
		for _, item := range b.Items {
			for _, inner := range item.Content {
				text, err := r.block(inner)
				if err != nil {
					return "", err
				}
				items = append(items, text)
			}
		}
		return strings.Join(items, " "), nil
	}
	return "", fmt.Errorf("its doc comment has a %T, which cannot be part of a paragraph", block)
}

func (r *reader) inline(all []comment.Text) (string, error) {
	var b strings.Builder
	for _, t := range all {
		switch t := t.(type) {
		case comment.Plain:
			if err := r.checkWords(string(t)); err != nil {
				return "", err
			}
			b.WriteString(strings.ReplaceAll(string(t), "\n", " "))
		case *comment.DocLink:
			name, err := r.link(t)
			if err != nil {
				return "", err
			}
			b.WriteString(code(name))
		case *comment.Link:
			text, err := r.inline(t.Text)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
			if !t.Auto {
				fmt.Fprintf(&b, " (%s)", t.URL)
			}
		default:
			return "", fmt.Errorf("its doc comment has a %T, which cannot be shown", t)
		}
	}
	return b.String(), nil
}

func code(text string) string { return "`" + text + "`" }

var quoted = regexp.MustCompile(`"([^"\s]+)"`)

// withoutDefault leaves out the sentence that only repeats the default of the tag. It
// reports one that names another default.
func withoutDefault(text string, f settings.Field) (string, error) {
	at := defaultSentence.FindStringIndex(text)
	if at == nil {
		return text, nil
	}
	before, after := text[:at[1]-len("Default")], text[at[1]:]
	after, named := strings.CutPrefix(after, " ")
	if !named { // Default: what other settings decide
		if f.Default() != "" {
			return "", fmt.Errorf("it does not say which default it has; its tag says %s", f.Default())
		}
		return text, nil
	}
	for _, form := range defaultForms(f) {
		rest, found := strings.CutPrefix(after, form)
		if !found || rest != "" && !strings.ContainsRune(".,;: ", rune(rest[0])) {
			continue
		}
		if rest == "." || strings.HasPrefix(rest, ". ") {
			return strings.TrimSpace(before + strings.TrimPrefix(rest[1:], " ")), nil
		}
		return text, nil
	}
	return "", fmt.Errorf("it says “Default %.20s”; its tag says %s", after, strings.Join(defaultForms(f)[:1], ""))
}

var defaultSentence = regexp.MustCompile(`(^|[.)] )Default\b`)

// defaultForms returns the ways to write the default of a setting.
func defaultForms(f settings.Field) []string {
	text := f.Default()
	if text == "" {
		return []string{settings.None, "false", "0s", "0"}
	}
	forms := []string{strings.ReplaceAll(text, ",", ", "), code(text)}
	if d, err := time.ParseDuration(text); err == nil {
		forms = append(forms, settings.Duration(d))
	}
	return forms
}

// outsideCode changes the parts of a text that are not between backticks.
func outsideCode(text string, change func(string) string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = change(parts[i])
	}
	return strings.Join(parts, "`")
}

// markCode puts what is no word, such as a path, an address or a name with underscores,
// between backticks: Markdown would take characters of it for its own.
func markCode(text string) string {
	return plainWord.ReplaceAllStringFunc(text, func(t string) string {
		word := strings.TrimRight(t, ".:")
		if !codeLike.MatchString(word) {
			return t
		}
		return code(word) + t[len(word):]
	})
}

var (
	plainWord = regexp.MustCompile(`[^\s,;()]+`)
	codeLike  = regexp.MustCompile(`://|[*_{}<>|]|^/|/$|\d/\d`)
)

// capital makes the first letter of a text a capital, unless its first word is a name.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	word, _, _ := strings.Cut(text, " ")
	if strings.ContainsAny(strings.TrimRight(word, ",;:."), ":./_`") {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
