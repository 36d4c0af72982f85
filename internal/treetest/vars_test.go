// Package treetest checks rules that hold for the whole tree.
package treetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// TestNoExportedVariables: what a package exports, no program can change.
func TestNoExportedVariables(t *testing.T) {
	t.Parallel()
	files := 0
	tree := os.DirFS("../..")
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isHidden(entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if file.Name.Name == "main" {
			return nil
		}
		files++
		for _, variable := range exportedVariables(file) {
			t.Errorf("%s: the variable %s is exported; make it a constant (of the type of internal/sentinel, "+
				"for an error) or a function", name, variable)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 100 {
		t.Errorf("only %d files were found", files)
	}
}

// isHidden reports whether programs cannot import what is in a directory.
func isHidden(name string) bool {
	return name == "internal" || name == "testdata" || name == "node_modules" || len(name) > 1 && name[0] == '.'
}

func TestExportedVariables(t *testing.T) {
	t.Parallel()
	const source = `package p
const ErrConstant Error = "p: constant"
var ErrChanged, hidden = errors.New("p: changed"), 1
var (
	_       = hidden
	Default int
)
func F() { var Local int; _ = Local }`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(exportedVariables(file), " "), "ErrChanged Default"; got != want {
		t.Errorf("the exported variables are %s, want %s", got, want)
	}
}

func exportedVariables(file *ast.File) []string {
	var names []string
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			values, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for _, name := range values.Names {
				if name.IsExported() {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
