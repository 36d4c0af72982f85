package bolt

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/sentinel"
)

// ErrLocked is wrapped by the error of [Open] for a file that a store in this
// or another process has open.
const ErrLocked sentinel.Error = "denylist/bolt: the file is in use"

// ErrDamaged is wrapped by the error of [Open] for a file that is not as it was
// written, and by the errors of an open store whose file turns out to be so.
// The store never drops what it cannot read, for that would let revoked tokens
// in: somebody has to restore a backup, or to move the file away and accept
// that what was revoked is forgotten.
const ErrDamaged sentinel.Error = "denylist/bolt: the file is damaged"

// damage is what is wrong with the contents of a file.
type damage string

func (d damage) Error() string { return string(d) }

func damaged(path string, why any) error {
	return fmt.Errorf("%w: %s: %v; restore it from a backup, or move it away to begin anew,"+
		" which forgets every revocation made so far", ErrDamaged, path, why)
}

// unavailable is the error of a write that failed for err.
func unavailable(path string, err error) error {
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %w", denylist.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: the file %s cannot be written: %w", denylist.ErrUnavailable, path, err)
}

// guarded calls fn and returns damage that it reports, or a panic, as an
// ErrDamaged. The database maps the file into memory and trusts it: pages that
// are not what it expects make it panic, and pages that are gone make the
// processor fault, which would end the process.
func guarded(path string, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if why := recover(); why != nil {
			err = damaged(path, why)
		}
	}()
	err = fn()
	var d damage
	if errors.As(err, &d) {
		return damaged(path, d)
	}
	return err
}
