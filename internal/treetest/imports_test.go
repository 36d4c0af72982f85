package treetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// module is the path of this module.
const module = "github.com/pasetokit/pasetokit"

// order is that of our packages: each imports only packages that stand before it. Add a new package where that is so, as
// early as its own imports allow.
var order = []string{
	"internal/settings", // imports none of ours
	"internal/clientaddr",
	"internal/clientlog",
	"internal/messages",
	"internal/rfc3339",
	"internal/schedule",
	"internal/scheme",
	"internal/sentinel",
	"internal/strictjson",
	"internal/throttle",
	"internal/urlpath",

	"denylist/internal/clock",
	"denylist/internal/hub",
	"denylist",
	"denylist/bolt",
	"denylist/redis",

	"paseto/internal/codec",
	"paseto/internal/inforce",
	"paseto/internal/paserk",
	"paseto",

	"internal/refusal",
	"paseto/live",
	"internal/locate",
	"internal/origin",
	"internal/settings/format",
	"paseto/httpauth",

	"wsauth",

	"config/internal/driver",
	"config/internal/meaning",
	"config/internal/position",
	"config/internal/secretfile",
	"config",
	"config/bolt",
	"config/redis",
	"config/internal/meaning/generate",

	"cmd/pasetokit",
	"examples/login",
	"examples/chat",
	"examples/cluster",
	"internal/costs/minimal/tokens",
	"internal/costs/minimal/web",
	"internal/costs/minimal/sockets",
	"internal/costs/minimal/bolt",
	"internal/costs/minimal/redis",
	"internal/costs/minimal/config",
	"internal/costs/minimal/stores",
	"internal/costs",

	// What tests share: no program has it.
	"internal/testlog",
	"internal/testtool",
	"denylist/denylisttest",
	"internal/idlebench",
	"internal/nodeclient",
	"internal/redistest",
	"internal/secrettest",
	"internal/testclock",
	"internal/testdenylist",
	"internal/testpage",
	"internal/testsite",
	"internal/testsocket",
	"internal/testtoken",
	"internal/doctest",
}

// TestImports checks that order holds for every package, and that it names every one. Files for other platforms count;
// tests may import what they like.
func TestImports(t *testing.T) {
	t.Parallel()
	imports := importsOfOurs(t, testtool.Root(t))
	for pkg, imported := range imports {
		place := slices.Index(order, pkg)
		if place < 0 {
			t.Errorf("the package %s has no place in order", pkg)
			continue
		}
		for _, other := range imported {
			if !slices.Contains(order[:place], other) {
				t.Errorf("%s imports %s, which does not stand before it in order", pkg, other)
			}
		}
	}
	for i, pkg := range order {
		if _, there := imports[pkg]; !there {
			t.Errorf("order names %s, which is no package", pkg)
		}
		if slices.Contains(order[:i], pkg) {
			t.Errorf("order names %s twice", pkg)
		}
	}
}

// importsOfOurs returns what each package of the module imports of the others, by their directories.
func importsOfOurs(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if file == root {
				return nil
			}
			_, other := os.Stat(filepath.Join(file, "go.mod"))
			if name := entry.Name(); other == nil || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(dir)
		found[pkg] = append([]string{}, found[pkg]...)
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if other, ours := strings.CutPrefix(imported, module+"/"); ours && !slices.Contains(found[pkg], other) {
				found[pkg] = append(found[pkg], other)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestLinked checks what programs that import some of our packages do not link, not even by other packages.
func TestLinked(t *testing.T) {
	t.Parallel()
	const (
		koanf     = "github.com/knadh/koanf"
		validator = "github.com/go-playground/validator"
		rueidis   = "github.com/redis/rueidis"
		bbolt     = "go.etcd.io/bbolt"
		cobra     = "github.com/spf13/cobra"
	)
	for _, test := range []struct {
		packages []string
		modules  int // at most, besides ours
		never    []string
	}{
		{[]string{"paseto"}, 5, []string{"net/http", "testing"}},
		{[]string{"paseto/live"}, 5, []string{"net/http", "github.com/gorilla/websocket", module + "/paseto/httpauth", module + "/wsauth", "testing"}},
		{[]string{"paseto", "paseto/httpauth", "wsauth"}, 8, []string{koanf, validator, rueidis, bbolt, cobra, "testing"}},
		{[]string{"config"}, 28, []string{rueidis, bbolt, cobra, "testing"}},
		{[]string{"paseto", "denylist/bolt"}, 6, []string{koanf, validator, rueidis, cobra, "testing"}},
		{[]string{"paseto", "denylist/redis"}, 6, []string{koanf, validator, bbolt, cobra, "testing"}},
	} {
		modules := make(map[string]bool)
		for dep, of := range linked(t, test.packages) {
			if of != "" && of != module {
				modules[of] = true
			}
			for _, never := range test.never {
				if dep == never || strings.HasPrefix(dep, never+"/") {
					t.Errorf("who imports %s links %s", strings.Join(test.packages, ", "), dep)
				}
			}
		}
		if len(modules) > test.modules {
			t.Errorf("who imports %s links %d modules, want %d: %q", strings.Join(test.packages, ", "), len(modules), test.modules, slices.Sorted(maps.Keys(modules)))
		}
	}
}

// linked returns the packages that a program links with ours, and the module of each; the standard library is none.
func linked(t *testing.T, packages []string) map[string]string {
	t.Helper()
	args := []string{"list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}"}
	for _, pkg := range packages {
		args = append(args, path.Join(module, pkg))
	}
	cmd := testtool.Command(t, testtool.Need(t, "go"), args...)
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := make(map[string]string)
	for line := range strings.Lines(string(output)) {
		dep, of, _ := strings.Cut(strings.TrimSpace(line), " ")
		deps[dep] = of
	}
	if deps[path.Join(module, packages[0])] != module {
		t.Fatalf("go list says %q", output)
	}
	return deps
}

// TestRightsStandOnce: what streams need as well as sockets is declared by package live, which both import. A package of
// its own has the names that each of ours has.
func TestRightsStandOnce(t *testing.T) {
	t.Parallel()
	const rights = "paseto/live"
	root := testtool.Root(t)
	imports := importsOfOurs(t, root)
	names := exported(t, filepath.Join(root, rights))
	for _, pkg := range []string{"wsauth", "paseto/httpauth"} {
		if !slices.Contains(imports[pkg], rights) {
			t.Errorf("%s does not import %s", pkg, rights)
		}
	}
	for name := range exported(t, filepath.Join(root, "wsauth")) {
		if names[name] && !slices.Contains([]string{"New", "Config", "Option", "WithLogger"}, name) {
			t.Errorf("wsauth declares %s, as %s does", name, rights)
		}
	}
}

// exported returns the exported names that a package declares, those of methods and fields excepted.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	add := func(ident *ast.Ident) {
		if ident.IsExported() {
			names[ident.Name] = true
		}
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil {
					add(decl.Name)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						add(spec.Name)
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							add(name)
						}
					}
				}
			}
		}
	}
	if len(names) == 0 {
		t.Fatalf("no exported name is found in %s", dir)
	}
	return names
}
