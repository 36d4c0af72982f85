package secrettest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/secrettest"
)

// opaque is a type that encoding/gob refuses.
type opaque struct{ _ int }

// leak has a secret that gob shows, if it is not stopped by the field before.
type leak struct {
	Opaque opaque
	Secret string
}

// failures is a test that keeps what it was told.
type failures struct {
	testing.TB
	texts []string
}

func (*failures) Helper() {}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

// TestHidesLooksAtEveryField, also where gob refuses the one before.
func TestHidesLooksAtEveryField(t *testing.T) {
	t.Parallel()
	leaks := leak{Secret: "hunter2"}
	for _, value := range []any{leaks, &leaks, []*leak{nil, &leaks}, map[string]any{"x": leaks}, struct{ Leak any }{leaks}} {
		f := &failures{TB: t}
		secrettest.Hides(f, value, "hunter2")
		if got := strings.Join(f.texts, "\n"); !strings.Contains(got, "alone, gob shows a secret") {
			t.Errorf("what gob shows of %T is not reported:\n%.500s", value, got)
		}
	}
}
