package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

func init() { parts["fill"] = fillDisk }

// longID makes an identifier of which few fill a disk.
func longID(n int) string { return fmt.Sprint(n, strings.Repeat("-", 1000)) }

// fillDisk records until the file may not grow, which is as a full disk is, and
// once more when it may again. It prints how many records it made.
func fillDisk(s *bolt.Store) error {
	signal.Ignore(syscall.SIGXFSZ) // so that to grow beyond the limit is an error
	ctx := context.Background()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 300_000, Max: limit.Max}); err != nil {
		return err
	}
	n, err := 0, error(nil)
	for ; err == nil && n < 1000; n++ {
		err = s.Revoke(ctx, denylist.Revocation{TokenID: longID(n)})
	}
	n-- // the last one failed
	for range 3 {
		if !errors.Is(err, denylist.ErrUnavailable) || errors.Is(err, bolt.ErrDamaged) {
			return fmt.Errorf("the disk is full, and the error is %w", err)
		}
		err = s.Revoke(ctx, denylist.Revocation{TokenID: longID(n)})
	}
	if ok, err := s.Revoked(ctx, denylist.Token{ID: longID(n)}); ok || err != nil {
		return fmt.Errorf("what could not be recorded is revoked (%w)", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := s.Revoke(ctx, denylist.Revocation{TokenID: longID(n)}); err != nil {
		return fmt.Errorf("there is room again, and Revoke = %w", err)
	}
	if _, first, err := s.Consume(ctx, longID(n), "v", time.Time{}); !first || err != nil {
		return fmt.Errorf("there is room again, and Consume = %t, %w", first, err)
	}
	if err := s.Close(); err != nil {
		return err
	}
	fmt.Println(n + 1)
	return nil
}

// TestDiskFull: what cannot be kept is an error and not recorded, and all else
// goes on; when there is room again, so does recording.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	path := file(t)
	_, lines := start(t, "fill", path)
	if !lines.Scan() {
		t.Fatal("the other process died")
	}
	var n int
	if _, err := fmt.Sscan(lines.Text(), &n); err != nil || n < 50 {
		t.Fatalf("the other process says %q", lines.Text())
	}
	for lines.Scan() { // until it has gone
	}
	s := open(t, path)
	for i := range n {
		wantRevoked(t, s, denylist.Token{ID: longID(i)}, true)
	}
	wantConsumed(t, s, longID(n-1), "v")
}
