package bolt_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config/bolt"
	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/denylist"
	store "github.com/pasetokit/pasetokit/denylist/bolt"
	"github.com/pasetokit/pasetokit/internal/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func at(path string) *bolt.Settings { return &bolt.Settings{Config: store.Config{Path: path}} }

// added returns what check adds, each as a line.
func added(check func(driver.Add)) string {
	var all []string
	check(func(path string, value any, rule string) {
		p := settings.Problem{Path: path, Value: value, Rule: rule}
		all = append(all, p.Path+": "+p.Rule)
	})
	return strings.Join(all, "\n")
}

func TestRegistered(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, f := range settings.Fields(driver.New("bolt")) {
		keys = append(keys, f.Key+" "+f.Path)
	}
	if want := []string{"path Path", "allow_empty_file AllowEmptyFile"}; !slices.Equal(keys, want) {
		t.Errorf("the settings are %v, want %v", keys, want)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "revoked.db")
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) // the store's clock: the record has expired by the machine's
	for range 2 {
		s, err := at(path).Open(t.Context(), driver.Env{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Revoke(t.Context(), denylist.Revocation{TokenID: "a", Until: now.Add(time.Hour)}); err != nil {
			t.Error(err)
		}
		if revoked, err := s.Revoked(t.Context(), denylist.Token{ID: "a"}); !revoked || err != nil {
			t.Errorf("Revoked = %t, %v", revoked, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRefused checks and opens what cannot be opened.
func TestRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	used, other, empty := filepath.Join(dir, "used.db"), filepath.Join(dir, "other.db"), filepath.Join(dir, "empty.db")
	open, err := at(used).Open(t.Context(), driver.Env{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = open.Close() })
	for path, content := range map[string][]byte{other: bytes.Repeat([]byte("no database\n"), 1<<10), empty: nil} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name, path string
		check      string // part of what is added before opening
		is         error  // of opening
	}{
		{"no path", "", "Path: it is empty; name the file", nil},
		{"an empty file", empty, "Path: the file is empty; a file that was in use never is", store.ErrDamaged},
		{"no directory", filepath.Join(dir, "none", "revoked.db"), "Path: its directory does not exist; make it first", os.ErrNotExist},
		{"no directory here", filepath.Join("none", "revoked.db"), "a relative path counts from the working directory: /", os.ErrNotExist},
		{"in use", used, "", store.ErrLocked},
		{"another file", other, "", store.ErrDamaged},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := at(test.path)
			got := added(s.Check) + added(s.CheckFiles)
			if !strings.Contains(got, test.check) || test.check == "" && got != "" {
				t.Errorf("it is checked with %q, want %q", got, test.check)
			}
			opened, err := s.Open(t.Context(), driver.Env{})
			if opened != nil || err == nil || test.is != nil && !errors.Is(err, test.is) {
				t.Fatalf("Open = %v, %v; want %v", opened, err, test.is)
			}
			if !strings.HasPrefix(err.Error(), "config: denylist.bolt.path: ") || !strings.Contains(err.Error(), test.path) {
				t.Errorf("the error is not clear: %v", err)
			}
		})
	}
}

// TestEmptyFile makes a new store of an empty file where that is allowed.
func TestEmptyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "prepared.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &bolt.Settings{Config: store.Config{Path: path, AllowEmptyFile: true}}
	if got := added(s.CheckFiles); got != "" {
		t.Errorf("it is checked with %q", got)
	}
	opened, err := s.Open(t.Context(), driver.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}
