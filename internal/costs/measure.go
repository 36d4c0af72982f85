package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/pasetokit/pasetokit"

// program is what is measured: a directory of minimal, or the path of a command.
type program struct {
	about, dir, tool string
}

// cost is what a program pays. Modules are those besides its own and this one.
type cost struct {
	about  string
	graph  int // modules that may choose versions: go list -m all
	linked int // modules in the binary
	sums   int // lines of go.sum
	size   int64
}

// measure returns the costs of programs, in their order. With download it has Go fetch what it needs, and returns none.
func measure(root string, programs []program, download bool) ([]cost, error) {
	dir, err := os.MkdirTemp("", "costs")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sums, err := os.ReadFile(filepath.Join(root, "go.sum")) //nolint:gosec // A file of the tree.
	if err != nil {
		return nil, err
	}
	// Every program begins with the versions of this module, also of what only tests of dependencies import: else it would ask
	// for the latest ones.
	var versions strings.Builder
	for line := range strings.Lines(string(sums)) {
		if fields := strings.Fields(line); len(fields) == 3 && !strings.HasSuffix(fields[1], "/go.mod") {
			versions.WriteString(fields[0] + " " + fields[1] + "\n")
		}
	}
	var costs []cost
	for i, p := range programs {
		gomod := fmt.Sprintf("module example.com/minimal\n\ngo 1.26.0\n\nrequire (\n%s v0.0.0\n%s)\n\nreplace %[1]s => %[3]q\n", module, versions.String(), root)
		pkg := p.tool
		if pkg == "" {
			pkg = "."
		} else {
			gomod += "\ntool " + pkg + "\n"
		}
		own := filepath.Join(dir, fmt.Sprint(i))
		files := map[string][]byte{"go.mod": []byte(gomod), "go.sum": sums}
		if p.dir != "" {
			if files["main.go"], err = os.ReadFile(filepath.Join(root, "internal", "costs", "minimal", p.dir, "main.go")); err != nil { //nolint:gosec // A file of the tree.
				return nil, err
			}
		}
		if err := os.Mkdir(own, 0o700); err != nil {
			return nil, err
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(own, name), text, 0o600); err != nil {
				return nil, err
			}
		}
		c, err := measureOne(own, pkg, download)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.about, err)
		}
		c.about = p.about
		costs = append(costs, c)
	}
	return costs, nil
}

// measureOne returns the cost of a package of the module in a directory, or only has Go fetch what it needs.
func measureOne(dir, pkg string, download bool) (c cost, err error) {
	if _, err := goTool(dir, "mod", "tidy"); err != nil {
		return c, err
	}
	all, err := goTool(dir, "list", "-m", "all")
	if err != nil || download {
		return c, err
	}
	c.graph = strings.Count(all, "\n") - 2
	linked, err := goTool(dir, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", pkg)
	if err != nil {
		return c, err
	}
	modules := make(map[string]bool)
	for path := range strings.Lines(linked) {
		modules[strings.TrimSpace(path)] = true
	}
	delete(modules, "")
	delete(modules, module)
	delete(modules, "example.com/minimal")
	c.linked = len(modules)
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum")) //nolint:gosec // go mod tidy wrote it.
	if err != nil {
		return c, err
	}
	c.sums = bytes.Count(sums, []byte("\n"))
	binary := filepath.Join(dir, "binary")
	if _, err := goTool(dir, "build", "-trimpath", "-ldflags=-s -w", "-o", binary, pkg); err != nil {
		return c, err
	}
	info, err := os.Stat(binary)
	if err != nil {
		return c, err
	}
	c.size = info.Size()
	return c, nil
}

// goTool runs the go command in a directory for the platform of the table, and returns what it prints.
func goTool(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...) //nolint:gosec,noctx // Its arguments are those above, and it ends by itself.
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=mod")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}
