package denylist_test

import (
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
)

// opaque wraps a store and hides what that offers besides, and transparent does not.
type (
	opaque      struct{ denylist.Store }
	transparent struct{ denylist.Store }
	public      struct{ denylist.Store }
	looped      struct{ denylist.Store }
)

func (c transparent) Unwrap() denylist.Store { return c.Store }

func (p public) Unwrap() denylist.Store { return p.Store }
func (public) Shared() bool             { return true }

func (l *looped) Unwrap() denylist.Store { return l }

// TestAs finds what a store, or one that it wraps, says of itself.
func TestAs(t *testing.T) {
	t.Parallel()
	memory := denylist.NewMemory()
	t.Cleanup(func() { _ = memory.Close() })
	for _, test := range []struct {
		name          string
		store         denylist.Store
		known, shared bool
	}{
		{"none", nil, false, false},
		{"itself", memory, true, false},
		{"wrapped", transparent{memory}, true, false},
		{"wrapped twice", transparent{transparent{memory}}, true, false},
		{"hidden", opaque{memory}, false, false},
		{"hidden below", transparent{opaque{memory}}, false, false},
		{"hidden above", opaque{transparent{memory}}, false, false},
		{"wrapper knows better", transparent{public{memory}}, true, true},
		{"wraps nothing", transparent{}, false, false},
		{"wraps itself", &looped{memory}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			said, known := denylist.As[denylist.Shared](test.store)
			if known != test.known {
				t.Fatalf("found: %t, want %t", known, test.known)
			}
			if known && said.Shared() != test.shared {
				t.Errorf("Shared = %t, want %t", !test.shared, test.shared)
			}
		})
	}
}
