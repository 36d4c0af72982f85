package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	// lockPatience is how long opening waits for another process to let go of
	// the file: as long as a restart may overlap.
	lockPatience = 2 * time.Second
	lockRetry    = 20 * time.Millisecond
)

// open checks the file and reads it. The check comes before the database is
// used, which believes what it finds: from a damaged page it may recurse without
// end, which no program survives.
func (s *Store) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	size, err := inspect(s.path)
	switch {
	case err != nil:
		return err
	case size == missing:
		err = s.make()
	case size == 0 && !s.allowEmpty:
		err = damaged(s.path, "it is empty; a file that was in use never is")
	}
	if err != nil {
		return err
	}
	patience := time.Now().Add(lockPatience)
	if size > 0 {
		if err := s.openFile(ctx, patience, true); err != nil {
			return err
		}
		err := guarded(s.path, func() error { return check(ctx, s.file) })
		if err := errors.Join(err, s.closeFile()); err != nil {
			return err
		}
	}
	// Should another process have the file between these two, then it leaves it
	// as sound as it found it.
	if err := s.openFile(ctx, patience, false); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return errors.Join(err, s.closeFile())
	}
	return nil
}

// missing is the size of a file that does not exist.
const missing = -1

// inspect reports what is at path that cannot be a store, and the size of the file.
func inspect(path string) (size int64, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing, nil
	case err != nil:
		return 0, fmt.Errorf("denylist/bolt: %w", err)
	case info.IsDir():
		return 0, fmt.Errorf("denylist/bolt: %s is a directory; name a file in it", path)
	case !info.Mode().IsRegular():
		return 0, fmt.Errorf("denylist/bolt: %s is not a regular file", path)
	}
	return info.Size(), nil
}

// make makes a new file under another name and links it to the path once it is whole: a crash
// leaves no empty file there, which would be refused. Where files cannot be linked, nothing is
// made, and the database makes its file itself. A file that another process has made meanwhile
// stays.
func (s *Store) make() error {
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".new-*")
	if err != nil {
		return s.cannotOpen(err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // a second name at most
	if err := f.Close(); err != nil {
		return s.cannotOpen(err)
	}
	db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoStatistics: true})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return s.cannotOpen(err)
	}
	_ = os.Link(f.Name(), s.path)
	return nil
}

// cannotOpen says why the file cannot be opened or made.
func (s *Store) cannotOpen(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("denylist/bolt: the directory of %s does not exist; make it first: %w", s.path, err)
	}
	return fmt.Errorf("denylist/bolt: %s cannot be opened: %w", s.path, err)
}

// openFile opens the database, readOnly meaning with a lock that others who
// only read may share. It waits for the lock until the given time.
func (s *Store) openFile(ctx context.Context, patience time.Time, readOnly bool) error {
	retry := time.NewTicker(lockRetry)
	defer retry.Stop()
	for {
		err := guarded(s.path, func() error { return s.tryOpenFile(readOnly) })
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, berrors.ErrTimeout):
			_ = s.file.Close() // which the database did, unless it panicked
			return err
		case time.Now().After(patience):
			return fmt.Errorf("%w: %s; one process at a time can have it open: stop the other, or use a store that can be shared",
				ErrLocked, s.path)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-retry.C:
		}
	}
}

func (s *Store) tryOpenFile(readOnly bool) error {
	db, err := bbolt.Open(s.path, 0o600, &bbolt.Options{
		Timeout:      1, // which is one attempt
		ReadOnly:     readOnly,
		FreelistType: bbolt.FreelistMapType,
		NoStatistics: true,
		OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(path, flag, mode) //nolint:gosec // the path that the caller of Open gave
			s.file = f
			return f, err
		},
	})
	if err == nil {
		s.db = db
		return nil
	}
	var number syscall.Errno // within whatever the operating system reports
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &number):
		return s.cannotOpen(err)
	default:
		return damage(err.Error())
	}
}

// closeFile closes the database. One that panicked may hold its own locks, so
// that it can only be left; its file is closed.
func (s *Store) closeFile() error {
	if s.stuck {
		return s.file.Close()
	}
	return s.db.Close()
}

// format is the number of the latest format. Formats up to it are read; what is
// written is the first one that can hold it, so that earlier versions of this package
// can open a file for as long as it has nothing that they do not know.
const (
	format          = formatExcept
	formatFirst     = 1
	formatExcept    = 2 // cut-offs may except a session
	formatMarkBytes = 4
)

// mark is the key of the format's number.
const mark = "pasetokit denylist"

// load reads the live revocations into the index. A file without anything in it
// becomes a store.
func (s *Store) load(ctx context.Context) error {
	fresh := false
	err := guarded(s.path, func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			if name, _ := tx.Cursor().First(); name == nil {
				fresh = true
				return nil
			}
			if err := s.checkFormat(tx); err != nil {
				return err
			}
			for _, k := range kinds {
				if err := s.loadBucket(ctx, tx, k); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if fresh {
		if err := s.update(create); err != nil {
			return fmt.Errorf("denylist/bolt: %s cannot be made: %w", s.path, err)
		}
	}
	return syncDirectory(filepath.Dir(s.path)) // who made the file may not have come that far
}

// checkFormat refuses the database of another program and formats to come.
func (s *Store) checkFormat(tx *bbolt.Tx) error {
	var data []byte
	if bucket := tx.Bucket([]byte(meta)); bucket != nil {
		data = bucket.Get([]byte(mark))
	}
	if data == nil {
		return fmt.Errorf("denylist/bolt: %s is the database of another program; choose another path", s.path)
	}
	data, err := unseal(meta, []byte(mark), data)
	if err != nil {
		return err
	}
	if len(data) != formatMarkBytes {
		return wrongLength
	}
	if n := binary.BigEndian.Uint32(data); n > format {
		return fmt.Errorf("denylist/bolt: %s has format %d, and this program knows none after %d; use the version that wrote it, or a later one",
			s.path, n, format)
	}
	return nil
}

// create makes the buckets of a new store.
func create(tx *bbolt.Tx) (changed bool, err error) {
	for _, k := range append([]kind{meta}, kinds[:]...) {
		if _, err := tx.CreateBucket([]byte(k)); err != nil {
			return false, err
		}
	}
	return true, markFormat(tx, formatFirst)
}

// markFormat sets the number of the format.
func markFormat(tx *bbolt.Tx, number uint32) error {
	bucket, err := meta.bucket(tx)
	if err != nil {
		return err
	}
	data := binary.BigEndian.AppendUint32(make([]byte, checksumSize, checksumSize+formatMarkBytes), number)
	return bucket.Put([]byte(mark), seal(meta, []byte(mark), data))
}

// loadBucket puts the live revocations of one kind into the index. Consumed
// keys it only verifies.
func (s *Store) loadBucket(ctx context.Context, tx *bbolt.Tx, k kind) error {
	bucket, err := k.bucket(tx)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	return bucket.ForEach(func(key, data []byte) error {
		r, err := decode(k, key, data)
		if err != nil {
			return err
		}
		if k == consumed || r.until <= now {
			return ctx.Err()
		}
		return s.index.Revoke(ctx, r.revocation(k, string(key)))
	})
}

// syncDirectory makes sure that a crash does not lose a file that is new in it.
// Windows has no such thing, and a file system that cannot do it says EINVAL.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path) //nolint:gosec // of the path that the caller of Open gave
	if err != nil {
		return fmt.Errorf("denylist/bolt: %w", err)
	}
	defer dir.Close() //nolint:errcheck // it was opened only to be synced
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("denylist/bolt: %w", err)
	}
	return nil
}
