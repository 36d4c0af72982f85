package testtool

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FindRoot returns the root of the tree, also to the tests of a module inside it.
func FindRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		text, unread := os.ReadFile(filepath.Join(dir, "go.mod")) //nolint:gosec // A file of the tree.
		switch {
		case unread == nil && bytes.HasPrefix(text, []byte("module github.com/pasetokit/pasetokit\n")):
			return dir, nil
		case dir == filepath.Dir(dir):
			err = errors.New("the tree has no go.mod above the test")
		default:
			dir = filepath.Dir(dir)
		}
	}
	return "", err
}

// Root is [FindRoot] for a test.
func Root(t testing.TB) string {
	t.Helper()
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	return root
}
