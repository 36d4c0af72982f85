package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/constant"
	"go/doc/comment"
	"path"
	"reflect"
	"regexp"
	"strings"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// meaning is a setting and what it means, for users.
type meaning struct {
	settings.Field
	text string
}

// read returns the meanings of all settings of a struct, or every fault of their doc
// comments.
func read(src *source, of any) ([]meaning, error) {
	var all []meaning
	for _, f := range settings.Fields(of) {
		all = append(all, meaning{Field: f})
	}
	var faults []error
	for i, m := range all {
		r, err := newReader(src, m.Field, all)
		if err != nil {
			return nil, err
		}
		text, err := r.text(r.declared.is.Doc.Text())
		if err != nil {
			faults = append(faults, fmt.Errorf("%v: %s: %w", src.files.Position(r.declared.is.Pos()), m.Name, err))
		}
		all[i].text = text
	}
	return all, errors.Join(faults...)
}

// reader makes the meaning of one setting.
type reader struct {
	src      *source
	field    settings.Field
	all      []meaning
	in       *goPackage
	declared declaration[*ast.Field]
}

func newReader(src *source, f settings.Field, all []meaning) (*reader, error) {
	in, err := src.load(f.Owner.PkgPath())
	if err != nil {
		return nil, err
	}
	if in == nil {
		return nil, fmt.Errorf("%s: its struct %v is of another module", f.Key, f.Owner)
	}
	declared, found := in.fields[f.Owner.Name()+"."+f.Name]
	if !found {
		return nil, fmt.Errorf("%s: the source of %v has no field %s", f.Key, f.Owner, f.Name)
	}
	return &reader{src, f, all, in, declared}, nil
}

// lookup returns the path of a package by the name that a doc comment gives it.
func (r *reader) lookup(name string) (string, bool) {
	if importPath, found := imported(r.declared.file, name); found {
		return importPath, true
	}
	for _, m := range r.all { // of settings whose package this file does not import
		if importPath := m.Owner.PkgPath(); path.Base(importPath) == name {
			return importPath, true
		}
	}
	return "", false
}

// link returns what users call the thing that a doc comment links to.
func (r *reader) link(l *comment.DocLink) (string, error) {
	in := r.in
	if l.ImportPath != "" {
		var err error
		if in, err = r.src.load(l.ImportPath); err != nil {
			return "", err
		}
	}
	name := l.Name
	if l.Recv != "" {
		name = l.Recv + "." + name
	}
	if in == nil { // of another module
		return path.Base(l.ImportPath) + "." + name, nil
	}
	if key := r.key(in.path, l.Recv, l.Name); key != "" {
		return key, nil
	}
	v, err := r.src.constant(in, name)
	switch {
	case err != nil:
		return "", err
	case v == nil && !in.names[name]:
		return "", fmt.Errorf("it links to [%s], which package %s does not have", name, path.Base(in.path))
	case v == nil:
		return path.Base(in.path) + "." + name, nil
	case v.ExactString() == "-1":
		return settings.None, nil
	case v.Kind() == constant.String:
		return constant.StringVal(v), nil
	}
	return v.ExactString(), nil
}

// key returns the key of a setting or a section by its name in code, and "" for other
// names. A struct may be used in several sections: the nearest one counts.
func (r *reader) key(pkg, recv, name string) string {
	best := ""
	offer := func(key string) {
		if best == "" || common(key, r.field.Key) > common(best, r.field.Key) {
			best = key
		}
	}
	for _, m := range r.all {
		inside := sectionOf(m.Key)
		owner := m.Owner
		switch {
		case recv == "" && owner.PkgPath() == pkg && owner.Name() == name:
			offer(inside)
			continue
		case recv == "":
			continue
		}
		for _, other := range r.all {
			if t := other.Owner; t.PkgPath() != pkg || t.Name() != recv {
				continue
			} else if at, is := fieldOf(t, name); is && (at.owner == owner && m.Name == name) {
				offer(m.Key)
			} else if is && at.field.Type == owner {
				offer(inside)
			}
		}
	}
	return best
}

type place struct {
	field reflect.StructField
	owner reflect.Type
}

// fieldOf returns a field of a struct, and the struct that declares it.
func fieldOf(t reflect.Type, name string) (place, bool) {
	f, found := t.FieldByName(name)
	for _, i := range f.Index[:max(0, len(f.Index)-1)] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return place{f, t}, found
}

// sectionOf returns the section that a key or a section is in.
func sectionOf(key string) string { return key[:max(0, strings.LastIndex(key, "."))] }

// common returns how many characters two keys have in common at their beginning.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

var (
	goName = regexp.MustCompile(`[A-Za-z]\w*`)
	// camelCase matches names that are no words of English.
	camelCase = regexp.MustCompile(`[a-z][A-Z]|[A-Z]{2}[a-z]`)
)

// checkWords reports the name in code of a setting that a doc comment does not link.
func (r *reader) checkWords(plain string) error {
	for _, word := range goName.FindAllString(plain, -1) {
		if !camelCase.MatchString(word) {
			continue
		}
		for _, m := range r.all {
			if m.Name == word {
				return fmt.Errorf("it names %s without a link; write [%v.%s], so that users read %s", word, m.Owner, word, m.Key)
			}
		}
	}
	return nil
}
