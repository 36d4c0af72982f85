package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// refuse opens what must not open, and returns the error.
func refuse(t testing.TB, path string) error {
	t.Helper()
	s, err := bolt.Open(context.Background(), bolt.Config{Path: path})
	if err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	return err
}

func wantWords(t testing.TB, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error %q does not say %q", err, word)
		}
	}
}

func TestOpenNewFile(t *testing.T) {
	t.Parallel()
	path := file(t)
	s := open(t, path)
	revoke(t, s, denylist.Revocation{TokenID: "a"})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, want 0600", info.Mode())
	}
}

// TestOpenEmptyFile refuses a file that was in use and was emptied, and one that never was; with
// the option, both are new stores.
func TestOpenEmptyFile(t *testing.T) {
	t.Parallel()
	used := file(t)
	s := open(t, used)
	revoke(t, s, denylist.Revocation{TokenID: "a"})
	closed(t, s)
	if err := os.Truncate(used, 0); err != nil {
		t.Fatal(err)
	}
	touched := file(t)
	if err := os.WriteFile(touched, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{used, touched} {
		err := refuse(t, path)
		wantDamaged(t, path, err)
		wantWords(t, err, "it is empty")
		if info, err := os.Stat(path); err != nil || info.Size() > 0 {
			t.Errorf("the file was changed: %v, %v", info, err)
		}
		s := openConfig(t, bolt.Config{Path: path, AllowEmptyFile: true})
		revoke(t, s, denylist.Revocation{TokenID: "b"})
		closed(t, s)
		wantRevoked(t, open(t, path), denylist.Token{ID: "b"}, true)
	}
}

func TestOpenWithoutPath(t *testing.T) {
	t.Parallel()
	wantWords(t, refuse(t, ""), "Path: it is empty; name the file")
}

// TestOpenNewFileLeavesNothing looks for other files than the store in its directory.
func TestOpenNewFileLeavesNothing(t *testing.T) {
	t.Parallel()
	path := file(t)
	open(t, path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

// TestOpenNewFileTogether opens a file that does not exist by many at once: what each of them
// records stays, whichever made the file.
func TestOpenNewFileTogether(t *testing.T) {
	t.Parallel()
	path := file(t)
	names := []string{"a", "b", "c", "d", "e"}
	var recorded sync.Map
	var group sync.WaitGroup
	for _, name := range names {
		group.Go(func() {
			s, err := bolt.Open(context.Background(), bolt.Config{Path: path})
			if errors.Is(err, bolt.ErrLocked) { // for as long as the others work
				return
			}
			if err == nil {
				err = errors.Join(s.Revoke(context.Background(), denylist.Revocation{TokenID: name}), s.Close())
				recorded.Store(name, true)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	s := open(t, path)
	for _, name := range names {
		_, want := recorded.Load(name)
		wantRevoked(t, s, denylist.Token{ID: name}, want)
	}
}

// TestOpenUnfinished: a crash while a new file was being made leaves a database
// without anything in it.
func TestOpenUnfinished(t *testing.T) {
	t.Parallel()
	path := file(t)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	revoke(t, s, denylist.Revocation{TokenID: "a"})
	closed(t, s)
	wantRevoked(t, open(t, path), denylist.Token{ID: "a"}, true)
}

func TestOpenWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct {
		name, path string
		words      []string
	}{
		{"a directory", dir, []string{dir, "is a directory"}},
		{"in no directory", filepath.Join(dir, "none", "revoked.db"), []string{filepath.Join(dir, "none"), "make it"}},
		{"below a file", filepath.Join(os.Args[0], "revoked.db"), []string{os.Args[0]}},
		{"nowhere", "", []string{"denylist/bolt"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := refuse(t, test.path)
			if errors.Is(err, bolt.ErrDamaged) || errors.Is(err, bolt.ErrLocked) {
				t.Errorf("Open = %v", err)
			}
			wantWords(t, err, test.words...)
		})
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	t.Run("in this process", func(t *testing.T) {
		t.Parallel()
		path := file(t)
		s := open(t, path)
		revoke(t, s, denylist.Revocation{TokenID: "a"})
		err := refuse(t, path)
		if !errors.Is(err, bolt.ErrLocked) {
			t.Errorf("Open = %v, want ErrLocked", err)
		}
		wantWords(t, err, path, "one process at a time")
		revoke(t, s, denylist.Revocation{TokenID: "b"})
		closed(t, s)
		wantRevoked(t, open(t, path), denylist.Token{ID: "b"}, true)
	})
	t.Run("by another process", func(t *testing.T) {
		t.Parallel()
		path := file(t)
		cmd, lines := start(t, "hold", path)
		if !lines.Scan() || lines.Text() != "open" {
			t.Fatalf("the other process says %q", lines.Text())
		}
		if err := refuse(t, path); !errors.Is(err, bolt.ErrLocked) {
			t.Errorf("Open = %v, want ErrLocked", err)
		}
		kill(cmd)
		open(t, path)
	})
	t.Run("until closed", func(t *testing.T) {
		t.Parallel()
		path := file(t)
		s := open(t, path)
		result := make(chan error)
		go func() {
			s, err := bolt.Open(context.Background(), bolt.Config{Path: path})
			if err == nil {
				err = s.Close()
			}
			result <- err
		}()
		closed(t, s)
		if err := <-result; err != nil {
			t.Errorf("Open while another store closes = %v", err)
		}
	})
	t.Run("until the context ends", func(t *testing.T) {
		t.Parallel()
		path := file(t)
		open(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() {
			_, err := bolt.Open(ctx, bolt.Config{Path: path})
			result <- err
		}()
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("Open = %v, want context.Canceled", err)
		}
	})
}

func TestOpenContext(t *testing.T) {
	t.Parallel()
	path := file(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bolt.Open(ctx, bolt.Config{Path: path}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an ended context made a file: %v", err)
	}
}

// endingContext ends when it has been asked n times.
type endingContext struct {
	context.Context
	n int
}

func (c *endingContext) Err() error {
	c.n--
	if c.n < 0 {
		return context.Canceled
	}
	return nil
}

// TestOpenContextEnds ends the context at every point of opening: opening ends,
// and the file can be opened afterwards.
func TestOpenContextEnds(t *testing.T) {
	t.Parallel()
	path := file(t)
	s := open(t, path)
	for _, id := range []string{"a", "b", "c"} {
		revoke(t, s, denylist.Revocation{TokenID: id})
		if _, _, err := s.Consume(t.Context(), id, "", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, s)
	for n := 0; ; n++ {
		s, err := bolt.Open(&endingContext{context.Background(), n}, bolt.Config{Path: path})
		if err == nil {
			closed(t, s)
			if n < 8 {
				t.Errorf("the context was asked %d times", n)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("Open = %v, want context.Canceled", err)
		}
	}
}

// TestOpenForeign: the database of another program is refused and left alone.
func TestOpenForeign(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		fill func(tx *bbolt.Tx) error
	}{
		{"another bucket", func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("theirs"))
			if err != nil {
				return err
			}
			nested, err := b.CreateBucket([]byte("nested"))
			if err != nil {
				return err
			}
			return nested.Put([]byte("k"), make([]byte, 10_000))
		}},
		{"a bucket of the same name", func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("meta"))
			if err != nil {
				return err
			}
			return b.Put([]byte("version"), []byte("1"))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := file(t)
			inDatabase(t, path, test.fill)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			err = refuse(t, path)
			if errors.Is(err, bolt.ErrDamaged) {
				t.Errorf("Open = %v", err)
			}
			wantWords(t, err, path, "another program")
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}
