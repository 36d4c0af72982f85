package bolt_test

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// TestUnconfirmed: after a transaction that the disk did not confirm, although
// it shows, nothing is confirmed any more until the store is opened anew. A
// second attempt would find the record there, and say that all is well.
func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	path := file(t)
	s := open(t, path, bolt.WithCommit(func(tx *bbolt.Tx) error {
		if err := tx.Commit(); err != nil || !failing.Load() {
			return err
		}
		return syscall.EIO
	}))
	ctx := t.Context()
	before := denylist.Revocation{TokenID: "before"}
	if err := s.Revoke(ctx, before); err != nil {
		t.Fatal(err)
	}
	failing.Store(true)
	for range 2 {
		err := s.Revoke(ctx, denylist.Revocation{TokenID: "lost"})
		if !errors.Is(err, denylist.ErrUnavailable) || !errors.Is(err, syscall.EIO) {
			t.Errorf("Revoke = %v, want ErrUnavailable and why", err)
		}
		failing.Store(false)
	}
	if _, _, err := s.Consume(ctx, "k", "v", before.Until); !errors.Is(err, denylist.ErrUnavailable) {
		t.Errorf("Consume = %v, want ErrUnavailable", err)
	}
	if known, err := s.Revoked(ctx, denylist.Token{ID: "before"}); !known || err != nil {
		t.Errorf("what was recorded before: Revoked = %t, %v", known, err)
	}
	closed(t, s)
	s = open(t, path)
	if err := s.Revoke(ctx, denylist.Revocation{TokenID: "lost"}); err != nil {
		t.Errorf("Revoke after opening anew = %v", err)
	}
}

// TestFailedCommit: a transaction that failed before it shows is as if it had
// not been tried, and the next one works.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	var failing atomic.Bool
	failing.Store(true)
	s := open(t, file(t), bolt.WithCommit(func(tx *bbolt.Tx) error {
		if failing.Load() && tx.ID() > 2 { // later than that which makes the file
			return syscall.ENOSPC
		}
		return tx.Commit()
	}))
	r := denylist.Revocation{TokenID: "a"}
	if err := s.Revoke(t.Context(), r); !errors.Is(err, denylist.ErrUnavailable) {
		t.Fatalf("Revoke = %v, want ErrUnavailable", err)
	}
	if known, err := s.Revoked(t.Context(), denylist.Token{ID: "a"}); known || err != nil {
		t.Errorf("Revoked = %t, %v for a record that was not made", known, err)
	}
	failing.Store(false)
	if err := s.Revoke(t.Context(), r); err != nil {
		t.Errorf("Revoke = %v when the disk works again", err)
	}
}
