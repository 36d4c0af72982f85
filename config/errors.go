package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

// Error is everything that is wrong with a configuration. It wraps
// [paseto.ErrConfig].
type Error struct {
	Problems []Problem
}

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Key is the configuration key as it was written, such as token.access_ttl, or
	// auth.token.access_ttl in the section auth of a file. Empty if the problem is with
	// a source as a whole.
	Key string
	// Source is where the value was set: the path of a file or the name of an
	// environment variable. Empty for a value set in code.
	Source string
	// Line is the line of the key in the file, from 1 on. 0 if there is none, or it is
	// not known.
	Line int
	// Value is the value, unless it is secret or missing.
	Value string
	// Rule says what was expected.
	Rule string
}

// String returns the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Key)
	if p.Value != "" {
		b.WriteString(" = " + p.Value)
	}
	source := p.Source
	if p.Line > 0 {
		source += ":" + strconv.Itoa(p.Line)
	}
	if source != "" && b.Len() > 0 {
		source = " (" + source + ")"
	}
	b.WriteString(source)
	return b.String() + ": " + p.Rule
}

// Error returns all problems, a line each.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return "config: " + e.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "config: %d problems:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// Unwrap returns [paseto.ErrConfig].
func (e *Error) Unwrap() error { return paseto.ErrConfig }

// problems collects what is wrong.
type problems []Problem

func (ps *problems) add(p Problem) { *ps = append(*ps, p) }

func (ps problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return &Error{Problems: ps}
}

// source is a file, a section of one, or an environment variable. Nil stands for code.
type source struct {
	name    string
	section string         // in the file; empty for all of it
	lines   map[string]int // of the keys in the file
}

// problem returns a problem with a key of the source, and with its value unless that is
// nil.
func (s *source) problem(key string, value any, rule string) Problem {
	p := Problem{Key: s.shown(key), Rule: rule}
	if value != nil {
		p.Value = shownOf(key, value)
	}
	if s != nil {
		p.Source, p.Line = s.name, s.line(p.Key)
	}
	return p
}

// shown returns a key as the source has it.
func (s *source) shown(key string) string {
	if s == nil {
		return key
	}
	return settings.Join(s.section, key)
}

// line returns the line of a key, or else of the list that it is a member of.
func (s *source) line(key string) int {
	if line := s.lines[key]; line > 0 {
		return line
	}
	list, _, _ := strings.Cut(key, "[")
	return s.lines[list]
}
