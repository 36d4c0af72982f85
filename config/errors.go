package config

import (
	"fmt"
	"strings"

	"github.com/pasetokit/pasetokit/paseto"
)

// Error is everything that is wrong with a configuration. It wraps
// [paseto.ErrConfig].
type Error struct {
	Problems []Problem
}

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Key is the configuration key, such as token.access_ttl. Empty if the
	// problem is with a source as a whole.
	Key string
	// Source is where the value was set: the path of a file or the name of an
	// environment variable. Empty for a value set in code.
	Source string
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
	if p.Source != "" {
		if b.Len() > 0 {
			b.WriteString(" (" + p.Source + ")")
		} else {
			b.WriteString(p.Source)
		}
	}
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
