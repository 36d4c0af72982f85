package main

import (
	"regexp"
	"strings"

	"github.com/pasetokit/pasetokit/config"
)

// initRest returns the part of a configuration after initHead: every setting that is not
// set there, by section, commented out, with the first sentence of what it means and the
// one that names a danger.
func initRest(all []config.Setting) string {
	var b strings.Builder
	open := []string{"token"} // the sections that the next line is in
	for _, s := range all {
		if s.Key == "token.purpose" || s.Key == "token.keys" {
			continue
		}
		names := strings.Split(s.Key, ".")
		sections, name := names[:len(names)-1], names[len(names)-1]
		b.WriteString("\n")
		for i, section := range sections {
			if i < len(open) && open[i] == section {
				continue
			}
			open = nil // what follows is in other sections too
			b.WriteString(strings.Repeat("  ", i) + section + ":\n")
		}
		open = sections
		indent := strings.Repeat("  ", len(sections))
		for _, line := range wrap(inShort(s.Meaning), 98-len(indent)) {
			b.WriteString(indent + "# " + line + "\n")
		}
		b.WriteString(indent + "#" + name + ": " + yamlValue(s.Value) + "\n")
	}
	return b.String()
}

// inShort returns the first sentence of a meaning, and the one that names a danger, without
// the marks of Markdown.
func inShort(text string) string {
	short := firstSentence(text)
	if at := strings.Index(text, " Danger"); at >= 0 {
		short += " " + firstSentence(text[at+1:])
	}
	return strings.ReplaceAll(short, "`", "")
}

func firstSentence(text string) string {
	if end := sentenceEnd.FindStringIndex(text); end != nil {
		return text[:end[0]+1]
	}
	return text
}

var sentenceEnd = regexp.MustCompile("[.] [A-Z`]")

// wrap breaks a text into lines of so many bytes at most.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// yamlValue returns the value of a setting as YAML, in quotes if it is a text that YAML
// would read otherwise.
func yamlValue(value string) string {
	if strings.HasPrefix(value, "[") {
		return value
	}
	return yamlText(value)
}
