package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pasetokit/pasetokit/denylist/bolt"
)

func TestOpenADevice(t *testing.T) {
	t.Parallel()
	wantWords(t, refuse(t, os.DevNull), os.DevNull, "not a regular file")
}

// TestOpenWithoutPermission opens the file of another user, for whom it is
// reached but not to be written.
func TestOpenWithoutPermission(t *testing.T) {
	t.Parallel()
	path := file(t)
	closed(t, open(t, path))
	for name, mode := range map[string]os.FileMode{path: 0o400, filepath.Dir(path): 0o755, filepath.Dir(filepath.Dir(path)): 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	opened := make(chan error)
	go func() {
		// A thread that root lets be nobody towards files; it ends with the
		// goroutine, since it stays locked to it.
		runtime.LockOSThread()
		if os.Getuid() == 0 {
			if _, err := unix.SetfsuidRetUid(65534); err != nil {
				opened <- err
				return
			}
		}
		s, err := bolt.Open(t.Context(), bolt.Config{Path: path})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	err := <-opened
	if !errors.Is(err, os.ErrPermission) {
		t.Fatalf("Open = %v, want a permission error", err)
	}
	wantWords(t, err, path)
}
