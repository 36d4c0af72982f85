package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// module is the path of the module whose packages a [source] reads.
const module = "github.com/pasetokit/pasetokit"

// source reads the packages of the module. Those that were read are kept.
type source struct {
	root     *os.Root
	files    *token.FileSet
	packages map[string]*goPackage
}

func newSource(root *os.Root) *source {
	return &source{root, token.NewFileSet(), map[string]*goPackage{}}
}

// goPackage is what a package declares, by name: NoExpiry, Config.MaxTTL.
type goPackage struct {
	path      string
	names     map[string]bool
	fields    map[string]declaration[*ast.Field]
	constants map[string]declaration[ast.Expr]
}

type declaration[T any] struct {
	is   T
	file *ast.File
}

// load returns a package, or nil if it is not one of the module.
func (s *source) load(importPath string) (*goPackage, error) {
	if p, done := s.packages[importPath]; done {
		return p, nil
	}
	dir, inside := strings.CutPrefix(importPath, module)
	if !inside {
		return nil, nil
	}
	p := &goPackage{importPath, map[string]bool{}, map[string]declaration[*ast.Field]{}, map[string]declaration[ast.Expr]{}}
	names, err := fs.Glob(s.root.FS(), path.Join(strings.TrimPrefix(dir, "/"), "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := s.root.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(s.files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.add(file)
	}
	s.packages[importPath] = p
	return p, nil
}

func (p *goPackage) add(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			p.names[name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				p.addSpec(spec, d.Tok, file)
			}
		}
	}
}

func (p *goPackage) addSpec(spec ast.Spec, kind token.Token, file *ast.File) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for i, name := range spec.Names {
			p.names[name.Name] = true
			if kind == token.CONST && i < len(spec.Values) {
				p.constants[name.Name] = declaration[ast.Expr]{spec.Values[i], file}
			}
		}
	case *ast.TypeSpec:
		p.names[spec.Name.Name] = true
		var members *ast.FieldList
		switch t := spec.Type.(type) {
		case *ast.StructType:
			members = t.Fields
		case *ast.InterfaceType:
			members = t.Methods
		default:
			return
		}
		for _, m := range members.List {
			for _, name := range m.Names {
				full := spec.Name.Name + "." + name.Name
				p.names[full] = true
				p.fields[full] = declaration[*ast.Field]{m, file}
			}
		}
	}
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// imported returns the path of the package that a file knows by a name.
func imported(file *ast.File, name string) (string, bool) {
	for _, spec := range file.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path.Base(importPath) == name {
			return importPath, true
		}
	}
	return "", false
}

// constant returns the value of a constant, or nil if the package has none of that name.
func (s *source) constant(p *goPackage, name string) (constant.Value, error) {
	found, is := p.constants[name]
	if !is {
		return nil, nil
	}
	v, err := s.eval(p, found.file, found.is)
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", path.Base(p.path), name, err)
	}
	return v, nil
}

// eval understands what the constants of settings are made of: literals, signs,
// conversions, and other constants.
func (s *source) eval(p *goPackage, file *ast.File, expr ast.Expr) (constant.Value, error) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		return constant.MakeFromLiteral(e.Value, e.Kind, 0), nil
	case *ast.UnaryExpr:
		v, err := s.eval(p, file, e.X)
		if err != nil {
			return nil, err
		}
		return constant.UnaryOp(e.Op, v, 0), nil
	case *ast.CallExpr:
		if fun, is := e.Fun.(*ast.Ident); len(e.Args) == 1 && (!is || fun.Name != "len") {
			return s.eval(p, file, e.Args[0])
		}
	case *ast.Ident:
		if v, err := s.constant(p, e.Name); v != nil || err != nil {
			return v, err
		}
	case *ast.SelectorExpr:
		if name, is := e.X.(*ast.Ident); is {
			importPath, _ := imported(file, name.Name)
			if other, err := s.load(importPath); other != nil || err != nil {
				if err != nil {
					return nil, err
				}
				return s.eval(other, file, e.Sel)
			}
		}
	}
	return nil, fmt.Errorf("%s: the value of this constant is not understood", s.files.Position(expr.Pos()))
}
