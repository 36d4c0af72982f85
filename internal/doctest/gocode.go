package doctest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

const module = "github.com/pasetokit/pasetokit"

// imports are the packages that documents may use without saying so, by the names that they have there.
var imports = func() map[string]string {
	byName := make(map[string]string)
	for path := range strings.FieldsSeq(`bufio bytes context crypto/tls encoding/json errors fmt io log log/slog net net/http
		net/http/httptest net/http/httputil net/url os os/signal strconv strings sync sync/atomic syscall testing testing/synctest time github.com/gorilla/websocket ` +
		strings.ReplaceAll("@config @denylist @denylist/bolt @denylist/redis @paseto @paseto/httpauth @paseto/live @wsauth", "@", module+"/")) {
		byName[path[strings.LastIndex(path, "/")+1:]] = path
	}
	return byName
}()

// runGo compiles the Go code of a document in a module of its own, and runs the tests in it. It returns a directory with
// the programs of the document's commands.
func runGo(t *testing.T, d Document, blocks []Block, address string) (programs string) {
	t.Helper()
	dir, name := t.TempDir(), "app"
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil { //nolint:gosec // In the directory of the test.
			t.Fatal(err)
		}
	}
	var given []string
	if d.With != "" {
		var err error
		if given, err = filepath.Glob(filepath.Join(d.With, "*.go")); err != nil || len(given) == 0 {
			t.Fatalf("no Go files in %s, %v", d.With, err)
		}
	}
	for _, file := range given {
		text, err := os.ReadFile(file) //nolint:gosec // A file of the tree.
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.PackageClauseOnly)
		if err != nil {
			t.Fatal(err)
		}
		name = parsed.Name.Name
		write(filepath.Base(file), string(text))
	}
	for _, block := range blocks {
		switch {
		case block.isCode():
			text, err := complete(name, block)
			if err != nil {
				t.Fatal(err)
			}
			suffix := ".go"
			if strings.Contains(text, `import "testing"`) {
				suffix = "_test.go"
			}
			write(fmt.Sprintf("line%d%s", block.Line, suffix), text)
		case block.Language == "yaml" && block.File != "":
			write(block.File, block.Text)
		}
	}
	write("go.mod", strings.Replace(Text(t, "go.mod"), "module "+module, "module example.com/app", 1)+
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => %q\n", module, testtool.Root(t)))
	write("go.sum", Text(t, "go.sum"))

	run(t, dir, address, "go", "test", "-count=1", ".")
	if name == "main" {
		programs = t.TempDir()
		run(t, dir, address, "go", "build", "-o", filepath.Join(programs, "server"), ".")
	}
	return programs
}

// run runs a program that must succeed.
func run(t *testing.T, dir, address, program string, args ...string) {
	t.Helper()
	cmd := testtool.Command(t, testtool.Need(t, program), args...)
	cmd.Dir, cmd.Env = dir, environment(t, address)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, output)
	}
}

// environment returns that of programs of the document: Go takes modules from its cache alone.
func environment(t *testing.T, address string) []string {
	t.Helper()
	output, err := testtool.Command(t, testtool.Need(t, "go"), "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOSUMDB=off", "ADDRESS="+address,
		"GOPROXY=file://"+filepath.ToSlash(filepath.Join(strings.TrimSpace(string(output)), "cache", "download")))
}

// complete makes a file of a block: it adds the package and the imports, and a function around statements.
func complete(name string, b Block) (string, error) {
	where := fmt.Sprintf("//line %s:%d\n", filepath.Base(b.Document), b.Line)
	text, files := b.Text, token.NewFileSet()
	file, err := parser.ParseFile(files, b.Document, "package "+name+";"+text, 0)
	if err != nil {
		statements := "package " + name + "; func _() {" + text + "\n"
		inner, failed := parser.ParseFile(files, b.Document, statements+"}", 0)
		if failed != nil {
			return "", fmt.Errorf("%s:%d: %w", b.Document, b.Line, err)
		}
		file, text = inner, "func _() {"+text+"\n"+used(inner)+"}\n"
	}
	found := make(map[string]bool)
	for _, unresolved := range file.Unresolved {
		if path, known := imports[unresolved.Name]; known {
			found[path] = true
		}
	}
	head := "package " + name + "\n\n"
	for _, path := range slices.Sorted(func(yield func(string) bool) {
		for path := range found {
			if !yield(path) {
				return
			}
		}
	}) {
		head += fmt.Sprintf("import %q\n", path)
	}
	return head + where + text, nil
}

// used returns statements that use what the statements of a block define.
func used(file *ast.File) string {
	var text strings.Builder
	function, _ := file.Decls[0].(*ast.FuncDecl)
	for _, statement := range function.Body.List {
		if define, ok := statement.(*ast.AssignStmt); ok && define.Tok == token.DEFINE {
			for _, left := range define.Lhs {
				if name, ok := left.(*ast.Ident); ok && name.Name != "_" {
					fmt.Fprintf(&text, "_ = %s\n", name.Name)
				}
			}
		}
	}
	return text.String()
}
